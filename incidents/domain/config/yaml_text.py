"""Reading YAML, as nodes and as values: in a tenth of the time where PyYAML has libyaml."""

from typing import Any, cast

import yaml

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 100
"""Nested mappings and lists. libyaml's composer recurses in C: a hundred thousand of them crash the process."""


def read_yaml(text: str) -> tuple[yaml.Node | None, Any]:
    """Parse YAML once, for its lines and for its values.

    Raises:
        yaml.YAMLError: it is no YAML, or nested too deeply.
    """
    _check_depth(text)
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        return root, None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()


def _check_depth(text: str) -> None:
    """Refuse text that is nested too deeply, by its events, which need no recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                mark = cast(yaml.Mark, event.start_mark)  # libyaml's is of a class of its own, with the same fields
                raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
