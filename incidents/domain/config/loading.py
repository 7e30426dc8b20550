"""Reading runbook.yaml: text in, `RunbookFile` out, and errors that name file, line and field."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from incidents.domain.config import references
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.yaml_text import Unreadable, read_mapping
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
    file, faults = _validate(root, data, name)
    readable = file or _without_faults(root, data, name, faults)
    if readable is not None:
        broken = {str(fault.place[-1]) for fault in faults}
        found = references.dangling(readable.runbook)
        # What was left out, so that the rest can be read, is named by its own fault already.
        faults += [Fault(place, message) for place, message in found if not any(repr(b) in message for b in broken)]
    if faults:
        raise RunbookError("\n".join(dict.fromkeys(_written(root, name, fault) for fault in faults)))
    if file is None:
        raise AssertionError("a file without a fault is a runbook")
    return file


def write_places(text: str, name: str, found: Iterable[tuple[references.Place, str]]) -> list[str]:
    """Return each message with file, line and field of its place, as the faults of a runbook are written."""
    root, _ = _read(text, name)
    return [_written(root, name, Fault(place, message)) for place, message in found]


class Fault(NamedTuple):
    """What is wrong at a place of the file."""

    place: references.Place
    message: str


def _read(text: str, name: str) -> tuple[yaml.MappingNode, dict[Any, Any]]:
    """Return the YAML as nodes and as values."""
    try:
        return read_mapping(text, name, "a runbook is a mapping with product, severities, contacts and templates")
    except Unreadable as error:
        raise RunbookError(str(error)) from None


def _validate(root: yaml.MappingNode, data: dict[Any, Any], name: str) -> tuple[RunbookFile | None, list[Fault]]:
    """Validate the file's customers apart from the rest: their addresses are no part of a `RunbookConfig`."""
    faults: list[Fault] = []

    def checked(model: type[Model], value: Any, *place: str) -> Model | None:
        try:
            return model.model_validate(value, extra="forbid")
        except ValidationError as error:
            faults.extend(_faults(error, place))
            return None

    others = {key: value for key, value in data.items() if key != "customers"}
    runbook = checked(RunbookConfig, others)
    customers = checked(CustomersSection, data.get("customers", {}), "customers")
    if runbook is None or customers is None:
        return None, faults
    return RunbookFile(runbook.replace(customers=customers.without_addresses()), CustomerDirectory(customers)), faults


def _without_faults(root: yaml.MappingNode, data: dict[Any, Any], name: str, faults: list[Fault]) -> RunbookFile | None:
    """Return the file without what is wrong, so that all other faults are found in the same pass; None if it is none.

    Only a field that may be left out can be: a runbook without a required one has no more to say.
    """
    rest = copy.deepcopy(data)
    for fault in faults:
        holder: Any = rest
        for part in fault.place[:-1]:
            holder = holder.get(part) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or fault.place[-1] not in holder:
            return None
        del holder[fault.place[-1]]
    return _validate(root, rest, name)[0]


def _faults(error: ValidationError, place: tuple[str, ...]) -> Iterator[Fault]:
    """Yield each fault of what stands at `place`."""
    for fault in error.errors():
        path = (*place, *(part for part in fault["loc"] if part != "[key]"))
        message = fault["msg"].removeprefix("Value error, ")
        yield Fault(path, "unknown field" if fault["type"] == "extra_forbidden" else message)


def _written(root: yaml.Node, name: str, fault: Fault) -> str:
    field = ".".join("[address]" if "@" in str(part) else str(part) for part in fault.place)
    return f"{name}:{_line(root, fault.place)}: {field or 'runbook'}: {fault.message}"


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
        for key, value in reversed(node.value):  # merged keys come first, and those that override them last
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None
