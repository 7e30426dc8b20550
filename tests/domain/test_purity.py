"""The runbook is pure: no clock, no chance, no files, no network. Workflows read no clock but workflow time."""

import ast
import sys
from pathlib import Path

import pytest

MODULES = sorted(Path("incidents/domain").rglob("*.py"))
FORBIDDEN_CALLS = {"now", "utcnow", "today", "monotonic", "uuid4", "uuid1", "random", "open", "getenv", "sleep"}
FORBIDDEN_MODULES = {"os", "io", "random", "secrets", "uuid", "time", "socket", "subprocess", "asyncio", "threading"}
CLOCKS = {"now", "utcnow", "today", "time_ns", "monotonic", "monotonic_ns", "perf_counter"}
WORKFLOW_TIME = {"workflow.now", "self._timer.now"}
NO_CLOCK = {"command.now"}
"""The option `--now` of a command."""
ALLOWED = {
    "pydantic",
    "pydantic_core",
    "yaml",
    "jinja2",
    "dateutil",
    "icalendar",
    "pygal",
    "typing_extensions",
    "incidents",
}


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


def clocks_read(source: str) -> list[str]:
    """The clocks that a module reads other than workflow time, and its imports of `time`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [alias.name for alias in names if alias.name == "time"]
            case ast.ImportFrom(module="time"):
                found.append("time")
            case ast.Attribute(attr=attribute) if (
                attribute in CLOCKS and ast.unparse(node) not in WORKFLOW_TIME | NO_CLOCK
            ):
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", sorted((*MODULES, *Path("workflows").rglob("*.py"))), ids=str)
def test_80_decisions_read_no_clock_but_workflow_time(path: Path) -> None:
    assert clocks_read(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("at = datetime.now(UTC)", ["datetime.now"]),
        ("clock = datetime.now", ["datetime.now"]),
        ("day = date.today()", ["date.today"]),
        ("from time import monotonic", ["time"]),
        ("import time\nat = time.time()", ["time"]),
        ("at = max(workflow.now(), self._timer.now())", []),
    ],
)
def test_80_every_clock_is_found(source: str, found: list[str]) -> None:
    assert sorted(clocks_read(source)) == sorted(found)
