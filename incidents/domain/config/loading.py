"""Reading runbook.yaml: text in, `RunbookFile` out, and errors that name file, line and field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from incidents.domain.config import references
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.yaml_text import read_yaml
from incidents.domain.core.errors import RunbookError
from incidents.domain.customers.config import CustomersSection
from incidents.domain.customers.directory import CustomerDirectory

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class RunbookFile:
    """What runbook.yaml says: the runbook that incidents carry, and the customers' addresses, which they do not."""

    runbook: RunbookConfig
    customers: CustomerDirectory


def parse_runbook(text: str, name: str = "runbook.yaml") -> RunbookConfig:
    """Return the runbook that incidents carry, as `parse_runbook_file` does."""
    return parse_runbook_file(text, name).runbook


def parse_runbook_file(text: str, name: str = "runbook.yaml") -> RunbookFile:
    """Parse and validate the text of a runbook file called `name`.

    Raises:
        RunbookError: not YAML, a key given twice, an unknown field, a missing or a wrong value.
    """
    root, data = _read(text, name)
    file = _validate(root, data, name)
    faults = [_fault(root, name, place, message) for place, message in references.dangling(file.runbook)]
    if faults:
        raise RunbookError("\n".join(faults))
    return file


def _read(text: str, name: str) -> tuple[yaml.MappingNode, dict[Any, Any]]:
    """Return the YAML as nodes and as values."""
    try:
        root, data = read_yaml(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RunbookError(f"{name}:{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RunbookError(f"{name}:1: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(root, yaml.MappingNode):
        raise RunbookError(f"{name}:1: a runbook is a mapping with product, severities, contacts and templates")
    try:
        twice = [f"{name}:{line}: {field}: given twice" for line, field in _repeated(root, "")]
    except RecursionError:
        raise RunbookError(f"{name}:1: an anchor refers to itself") from None
    if twice:
        raise RunbookError("\n".join(twice))
    return root, data


def _validate(root: yaml.MappingNode, data: dict[Any, Any], name: str) -> RunbookFile:
    """Validate the file's customers apart from the rest: their addresses are no part of a `RunbookConfig`."""
    faults: list[str] = []

    def checked(model: type[Model], value: Any, *place: str) -> Model | None:
        try:
            return model.model_validate(value, extra="forbid")
        except ValidationError as error:
            faults.extend(_lines(error, root, name, place))
            return None

    others = {key: value for key, value in data.items() if key != "customers"}
    runbook = checked(RunbookConfig, others)
    customers = checked(CustomersSection, data.get("customers", {}), "customers")
    if runbook is None or customers is None:
        raise RunbookError("\n".join(faults))
    return RunbookFile(runbook.replace(customers=customers.without_addresses()), CustomerDirectory(customers))


def _lines(error: ValidationError, root: yaml.Node, name: str, place: tuple[str, ...]) -> Iterator[str]:
    """Yield each fault of what stands at `place`."""
    for fault in error.errors():
        path = (*place, *(part for part in fault["loc"] if part != "[key]"))
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = "unknown field"
        yield _fault(root, name, path, message)


def _fault(root: yaml.Node, name: str, path: tuple[str | int, ...], message: str) -> str:
    field = ".".join("[address]" if "@" in str(part) else str(part) for part in path)
    return f"{name}:{_line(root, path)}: {field or 'runbook'}: {message}"


def _line(node: yaml.Node, path: tuple[str | int, ...]) -> int:
    """Return the line, from 1, of the deepest part of `path` that the file has."""
    line = node.start_mark.line + 1
    for part in path:
        child = _child(node, part)
        if child is None:
            break
        line, node = child
    return line


def _child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None


def _repeated(node: yaml.Node, path: str) -> Iterator[tuple[int, str]]:
    """Yield line and field of every key that a mapping has twice: YAML keeps the last one and says nothing."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, path)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, None] = {}
        for key, value in node.value:
            field = f"{path}.{key.value}".lstrip(".")
            if key.value in seen:
                yield key.start_mark.line + 1, field
            seen[key.value] = None
            yield from _repeated(value, field)
