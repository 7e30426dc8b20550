"""Imports point one way: import-linter's contract holds, and it can fail."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = "Imports point one way"
DEVELOPMENT = {"tests", "benchmarks", "docs", "deploy"}
"""What runs the program from outside, and may import anything."""


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
    return tmp_path


def test_every_module_imports_only_what_it_may() -> None:
    status, broken, said = linted(ROOT)
    assert (status, broken) == (0, set()), said


FORBIDDEN = (
    ("incidents/domain/agenda.py", "workflows.incident"),
    ("incidents/domain/agenda.py", "incidents.vendors.http"),
    ("incidents/domain/agenda.py", "incidents.app.settings"),
    ("incidents/domain/core/base.py", "incidents.contracts"),
    ("incidents/vendors/http.py", "incidents.domain.agenda"),
    ("incidents/vendors/http.py", "incidents.app.settings"),
    ("incidents/contracts.py", "workflows.incident"),
    ("incidents/client/lookup.py", "activities.paging.paging"),
    ("activities/paging/paging.py", "workflows.incident"),
    ("activities/paging/paging.py", "incidents.app.settings"),
    ("workflows/incident.py", "incidents.app.settings"),
    ("incidents/app/worker.py", "incidents.cli.main"),
    ("incidents/cli/main.py", "incidents.gateway.app"),
    ("incidents/app/worker.py", "sandbox.state"),
)


def test_each_import_against_the_direction_breaks_the_contract(tree: Path) -> None:
    for module, forbidden in FORBIDDEN:
        changed = tree / module
        late = f"\n\ndef late() -> None:\n    import {forbidden}\n"  # an import within a function counts, too
        changed.write_text(changed.read_text(encoding="utf-8") + late, encoding="utf-8")
    status, broken, said = linted(tree)
    assert status == 1, said
    assert broken == {CONTRACT}, said
    wanted = {f"{module.removesuffix('.py').replace('/', '.')} -> {forbidden}" for module, forbidden in FORBIDDEN}
    assert wanted - set(re.findall(r"[\w.]+ -> [\w.]+", said)) == set(), said


def test_every_package_is_in_the_contract() -> None:
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")} - DEVELOPMENT
    assert {*project()["tool"]["importlinter"]["root_packages"]} == ours


def test_only_the_customers_two_programs_stand_at_the_top() -> None:
    assert {path.name for path in ROOT.glob("*.py")} == {"worker.py", "starter.py"}
