"""Every error type is a member of one enum: a name written in place could not be found by who handles it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from incidents.domain.core.errors import ErrorType

ROOT = Path(__file__).resolve().parents[2]
RAISE_THEM = ("activities", "workflows", "incidents")


def types_given() -> Iterator[tuple[str, ast.expr | None]]:
    """Each construction of an `ApplicationError`: its place, and what it gives as the type."""
    for path in (path for name in RAISE_THEM for path in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ApplicationError"):
                given = next((word.value for word in node.keywords if word.arg == "type"), None)
                yield f"{path.relative_to(ROOT)}:{node.lineno}", given


def test_every_error_type_is_a_member_of_the_enum() -> None:
    found = list(types_given())
    assert len(found) > 5
    translated = {"activities/errors.py": "kind"}  # a member, chosen by the vendor error's class
    wrong = [
        place
        for place, given in found
        if given is None
        or not (
            ast.unparse(given).startswith("ErrorType.") or translated.get(place.partition(":")[0]) == ast.unparse(given)
        )
    ]
    assert wrong == []


def test_every_error_type_is_described() -> None:
    described = ErrorType.__doc__ or ""
    names = [kind.name for kind in ErrorType if not kind.name.startswith("VENDOR_")]
    assert [name for name in names if f"{name}:" not in described] == []
