"""The runbook is pure: no clock, no chance, no files, no network."""

import ast
import sys
from pathlib import Path

import pytest

MODULES = sorted(Path("incidents/domain").rglob("*.py"))
FORBIDDEN_CALLS = {"now", "utcnow", "today", "monotonic", "uuid4", "uuid1", "random", "open", "getenv", "sleep"}
FORBIDDEN_MODULES = {"os", "io", "random", "secrets", "uuid", "time", "socket", "subprocess", "asyncio", "threading"}
ALLOWED = {"pydantic", "pydantic_core", "yaml", "jinja2", "dateutil", "icalendar", "pygal", "incidents"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_is_pure(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            roots = {name.split(".")[0] for name in names}
            assert not roots & FORBIDDEN_MODULES
            assert all(root in ALLOWED or root in sys.stdlib_module_names for root in roots)
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in FORBIDDEN_CALLS, f"line {node.lineno}: {called}"


def test_the_check_can_fail() -> None:
    tree = ast.parse("from datetime import datetime\ndatetime.now()")
    calls = [n.func.attr for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    assert set(calls) & FORBIDDEN_CALLS
