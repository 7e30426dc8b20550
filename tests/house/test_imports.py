"""Who may import whom: import-linter's contracts hold, and each of them can fail.

The linter's roots are packages only, so what our single modules import is looked at here.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS_TO_LAYER = {"tests", "benchmarks", "docs", "deploy"}
"""What runs the program from outside, and may import anything."""

ENTRY_POINT_MODULES = {"worker", "starter", "responder", "wiring", "gateway"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def linted(tree: Path) -> tuple[int, set[str], str]:
    """The linter's exit status, the contracts that it found broken, and all that it said."""
    # A process of its own: the linter imports what it looks at, and remembers it.
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, set(re.findall(r"^(.+?) BROKEN$", run.stdout, re.MULTILINE)), run.stdout + run.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the linter reads."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in project()["tool"]["importlinter"]["root_packages"]:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for module in ROOT.glob("*.py"):
        shutil.copy(module, tmp_path)
    return tmp_path


def test_every_module_imports_only_what_it_may() -> None:
    status, broken, said = linted(ROOT)
    assert (status, broken) == (0, set()), said


PURE = "The runbook is pure: it imports none of the others"
CLIENTS = "Clients know vendors, and nothing of ours"
ACTIVITIES = "Activities import the runbook and the clients"
WORKFLOWS = "Workflows import the runbook, and activities to name them"
SANDBOX = "Nothing but the sandbox itself imports the sandbox"
ENTRY_POINTS = "Only entry points import entry points"
INBOUND = "What comes in is understood by the runbook's words alone"


@pytest.mark.parametrize(
    ("module", "forbidden", "contract"),
    [
        ("runbook/agenda.py", "workflows.commands", PURE),
        ("runbook/agenda.py", "clients.http", PURE),
        ("runbook/agenda.py", "settings", PURE),
        ("clients/http.py", "runbook.incident", CLIENTS),
        ("clients/http.py", "settings", CLIENTS),
        ("activities/__init__.py", "workflows.commands", ACTIVITIES),
        ("activities/__init__.py", "wiring", ACTIVITIES),
        ("workflows/commands.py", "clients.http", WORKFLOWS),
        ("workflows/commands.py", "settings", WORKFLOWS),
        ("clients/http.py", "sandbox.state", SANDBOX),
        ("terminal/__init__.py", "sandbox.state", SANDBOX),
        ("terminal/__init__.py", "worker", ENTRY_POINTS),
        ("terminal/__init__.py", "starter", ENTRY_POINTS),
        ("inbound/__init__.py", "gateway", ENTRY_POINTS),
        ("inbound/slack.py", "clients.slack", INBOUND),
    ],
)
def test_forbidden_import_breaks_its_contract(tree: Path, module: str, forbidden: str, contract: str) -> None:
    changed = tree / module
    changed.write_text(f"{changed.read_text(encoding='utf-8')}\nimport {forbidden}\n", encoding="utf-8")
    status, broken, said = linted(tree)
    assert status == 1, said
    assert contract in broken, said


def test_import_within_a_function_counts(tree: Path) -> None:
    changed = tree / "runbook" / "agenda.py"
    late = "\n\ndef late() -> None:\n    import clients.http\n"
    changed.write_text(changed.read_text(encoding="utf-8") + late, encoding="utf-8")
    assert PURE in linted(tree)[1]


def test_every_contract_is_proven_to_fail() -> None:
    contracts = {contract["name"] for contract in project()["tool"]["importlinter"]["contracts"]}
    assert contracts == {PURE, CLIENTS, ACTIVITIES, WORKFLOWS, SANDBOX, ENTRY_POINTS, INBOUND}


def imported(text: str) -> set[str]:
    """The top-level names that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def forbidden_to(module: str) -> set[str]:
    """What one of our single modules may not import."""
    return {"sandbox"} if module in ENTRY_POINT_MODULES else {"sandbox", *ENTRY_POINT_MODULES}


def _inner(package: Path) -> list[Path]:
    return [init for init in package.rglob("__init__.py") if init.parent != package]


def packages() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_OURS_TO_LAYER


def modules() -> set[str]:
    return {path.stem for path in ROOT.glob("*.py")}


def test_single_modules_import_only_what_they_may() -> None:
    found = {
        name: imported((ROOT / f"{name}.py").read_text(encoding="utf-8")) & forbidden_to(name) for name in modules()
    }
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("module", "text", "breach"),
    [
        ("worker", "import sandbox.state", "sandbox"),
        ("worker", "def late():\n    from sandbox.state import Options", "sandbox"),
        ("settings", "from worker import main", "worker"),
        ("connection", "import starter", "starter"),
    ],
)
def test_forbidden_import_in_a_single_module_is_seen(module: str, text: str, breach: str) -> None:
    assert imported(text) & forbidden_to(module) == {breach}


def test_every_module_of_ours_is_layered_and_installed() -> None:
    assert {*project()["tool"]["importlinter"]["root_packages"]} == packages()
    installed = project()["tool"]["setuptools"]
    assert {name for name in installed["packages"] if "." not in name} == packages()
    inner = {str(init.parent.relative_to(ROOT)).replace("/", ".") for top in packages() for init in _inner(ROOT / top)}
    assert {name for name in installed["packages"] if "." in name} == inner, "or it is missing where it is installed"
    assert {*installed["py-modules"]} == modules()


def test_contracts_that_name_everyone_else_forget_nobody() -> None:
    contracts = {contract["name"]: contract for contract in project()["tool"]["importlinter"]["contracts"]}
    assert {*contracts[PURE]["forbidden_modules"]} == (packages() | modules()) - {"runbook"}
    assert {*contracts[CLIENTS]["forbidden_modules"]} == (packages() | modules()) - {"clients"}
    assert {*contracts[SANDBOX]["source_modules"]} == packages() - {"sandbox"}
