"""Read YAML that people write, as nodes and as values: runbooks and scenarios, with the same limits and errors.

PyYAML has libyaml on most machines, and then it takes a tenth of the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import yaml

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LARGEST = 4_000_000
"""Characters of a file. A runbook has 20,000, and one with thousands of customers less than a million."""
_DEEPEST = 100
"""Nested mappings and lists. libyaml's composer recurses in C: a hundred thousand of them crash the process."""
_MOST_NODES = 500_000
"""Values, each counted as often as an alias repeats it: ten lines of aliases can stand for a thousand million."""


class YamlFault(NamedTuple):
    """What keeps a text from being read. `line`: from 1."""

    line: int
    message: str


class Unreadable(Exception):
    """A text that is not the YAML of a mapping. One line for each fault: `file:line: what is wrong`."""

    def __init__(self, name: str, faults: list[YamlFault]) -> None:
        super().__init__("\n".join(f"{name}:{fault.line}: {fault.message}" for fault in faults))


def read_mapping(text: str, name: str, expected: str) -> tuple[yaml.MappingNode, dict[Any, Any]]:
    """Return the one mapping that a file called `name` holds, as nodes and as values.

    Args:
        text: of the file.
        name: what faults call it.
        expected: what it should be, for a file that is no mapping.

    Raises:
        Unreadable: it is no YAML, no mapping, too large, or says something twice.
    """
    if len(text) > LARGEST:
        raise Unreadable(name, [YamlFault(1, f"too large: a file has at most {LARGEST} characters")])
    try:
        with _composed(text) as (loader, root):
            if not isinstance(root, yaml.MappingNode):
                raise Unreadable(name, [YamlFault(1, expected)])
            # Before the values are made: then merged keys are among the written ones, which may override them.
            if twice := [YamlFault(line, f"{field}: given twice") for line, field in _repeated(root, "", set())]:
                raise Unreadable(name, twice)
            return root, _values(loader, root)
    except yaml.YAMLError as error:
        raise Unreadable(name, [YamlFault(_line_of(error, text), f"not YAML: {_problem(error)}")]) from None


def read_yaml(text: str) -> Any:
    """Return the values of YAML.

    Raises:
        yaml.YAMLError: it is no YAML, nested too deeply, or repeats too much by aliases.
    """
    with _composed(text) as (loader, root):
        return None if root is None else _values(loader, root)


@contextmanager
def _composed(text: str) -> Iterator[tuple[yaml.SafeLoader, yaml.Node | None]]:
    """Yield the nodes, within the limits, and the loader that makes values of them."""
    _check_depth(text)
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        if root is not None:
            _Measure().of(root)
        yield loader, root
    finally:
        loader.dispose()


def _values(loader: yaml.SafeLoader, root: yaml.Node) -> Any:
    try:
        return loader.construct_document(root)
    except (ValueError, OverflowError) as error:
        # Such as a date with a thirteenth month: what the loader was at is the last one that it has not finished.
        at = next(reversed(loader.recursive_objects), root)
        raise _marked(str(error).splitlines()[0], at) from None


def _marked(problem: str, node: yaml.Node | yaml.Event) -> yaml.MarkedYAMLError:
    mark = cast(yaml.Mark, node.start_mark)  # libyaml's is of a class of its own, with the same fields
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _check_depth(text: str) -> None:
    """Refuse text that is nested too deeply, by its events, which need no recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise _marked("nested too deeply", event)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Measure:
    """Counts values and depth as they are once every alias is followed, without following any twice."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}
        self._open: set[int] = set()

    def of(self, node: yaml.Node) -> tuple[int, int]:
        """Return number of values and depth.

        Raises:
            yaml.MarkedYAMLError: an anchor holds itself, or there is too much.
        """
        if id(node) in self._open:
            raise _marked("an anchor refers to itself", node)
        if id(node) not in self._known:
            self._open.add(id(node))
            below = [self.of(child) for child in _children(node)]
            self._open.discard(id(node))
            count, depth = 1 + sum(n for n, _ in below), 1 + max((d for _, d in below), default=0)
            if depth > _DEEPEST + 1:  # a scalar is a level here
                raise _marked("nested too deeply", node)
            if count > _MOST_NODES:
                raise _marked(f"too large: its aliases stand for more than {_MOST_NODES} values", node)
            self._known[id(node)] = count, depth
        return self._known[id(node)]


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        yield from child if isinstance(child, tuple) else (child,)


def _line_of(error: yaml.YAMLError, text: str) -> int:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return error.problem_mark.line + 1
    if isinstance(error, yaml.reader.ReaderError):
        return text.encode("utf-8", "replace")[: error.position].count(b"\n") + 1
    return 1


def _problem(error: yaml.YAMLError) -> str:
    return (isinstance(error, yaml.MarkedYAMLError) and error.problem) or str(error).splitlines()[0]


def _repeated(node: yaml.Node, path: str, seen: set[int]) -> Iterator[tuple[int, str]]:
    """Yield line and field of every key that a mapping has twice: YAML keeps the last one and says nothing."""
    if id(node) in seen:
        return  # by an alias: it is named where it is written
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, path, seen)
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            field = f"{path}.{key.value}".lstrip(".")
            if str(key.value) in keys:
                yield key.start_mark.line + 1, field
            keys.add(str(key.value))
            yield from _repeated(value, field, seen)
