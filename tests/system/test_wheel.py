"""The wheel: what it holds, and that its four programs run from any directory, beside any other package."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = ("settings", "connection", "worker", "starter", "gateway", "runbook", "responder")
"""Top-level modules of another package in the same environment: importing one of them is a mistake."""
UNREACHABLE = {"TEMPORAL_ADDRESS": "127.0.0.1:1"}

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Installed:
    """The wheel in a virtual environment of its own, and an empty directory to run its programs from."""

    programs: Path
    packages: Path
    empty: Path

    def run(self, *words: str, text: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs with nothing in the environment but `variables`."""
        return subprocess.run(
            [self.programs / words[0], *words[1:]],
            cwd=self.empty,
            env=variables,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network."""
    source, out = tmp_path_factory.mktemp("source") / "project", tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode != 0:
        pytest.skip("this is not a git repository, so nothing says which files are ours")
    for name in listed.stdout.decode().split("\0"):  # setuptools leaves build/ behind, which is not ours to leave
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    words = ["-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet", "-w", str(out), "."]
    built = subprocess.run([sys.executable, *words], cwd=source, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    [path] = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed beside hostile modules; what it depends on is borrowed from this environment."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))
    words = ["-m", "pip", "--python", str(home), "install", "--no-deps", "--no-index", "--quiet", str(wheel)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in HOSTILE:
        (packages / f"{name}.py").write_text(f"raise SystemExit('{name}.py of another package was imported')\n")
    # A plain path: .pth files of that directory, such as this project's editable install, are not read.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    empty = tmp_path_factory.mktemp("empty")
    return Installed(home / "bin", packages, empty)


def one_line(said: subprocess.CompletedProcess[str]) -> str:
    """What a program wrote that ended with status 1: one line on standard error."""
    assert said.returncode == 1, said.stdout + said.stderr
    [line] = said.stderr.strip().splitlines()
    return line


def test_the_wheel_holds_the_program_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("incidents/app/default_runbook.yaml") == (ROOT / "runbook.yaml").read_bytes()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "incidents",
        "workflows",
        "activities",
        "sandbox",  # for `incident rehearse`
    }
    ours = {
        path.relative_to(ROOT).as_posix()
        for top in ("incidents", "workflows", "activities", "sandbox")
        for path in (ROOT / top).rglob("*")
        if path.suffix in (".py", ".j2", ".html", ".yaml")
    }
    assert ours <= names


def test_the_programs_are_installed_from_the_wheel(installed: Installed) -> None:
    where = (
        "import incidents, workflows, activities; print(incidents.__file__, workflows.__file__, activities.__file__)"
    )
    said = installed.run("python", "-c", where)
    assert said.stdout.split() == [
        str(installed.packages / top / "__init__.py") for top in ("incidents", "workflows", "activities")
    ]


def test_incident_runs_from_an_empty_directory(installed: Installed) -> None:
    said = installed.run("incident", "--help")
    assert (said.returncode, said.stderr) == (0, "")
    assert "postmortem" in said.stdout
    said = installed.run("incident", "check")
    assert said.returncode == 0
    warned = said.stderr.splitlines()
    assert all(line.startswith("warning: packaged default runbook:") for line in warned), "nothing is configured here"
    assert said.stdout.startswith("packaged default runbook ")
    assert "is Temporal running?" in one_line(installed.run("incident", "list", **UNREACHABLE))


def test_incident_start_runs_from_an_empty_directory(installed: Installed) -> None:
    assert installed.run("incident-start", "--help").returncode == 0
    assert "not JSON" in one_line(installed.run("incident-start", "-", text="{", **UNREACHABLE))


def test_a_worker_without_temporal_says_so_in_one_line(installed: Installed) -> None:
    line = one_line(installed.run("incident-worker", **UNREACHABLE))
    assert line.startswith("error: connection refused at 127.0.0.1:1: is Temporal running?")


@pytest.mark.parametrize("words", [("incident-worker",), ("incident-gateway",), ("incident-start", "-")])
def test_a_missing_runbook_file_is_named(installed: Installed, words: tuple[str, ...]) -> None:
    missing = str(installed.empty / "none.yaml")
    alert = '{"title": "Slow", "service": "dashboard", "severity": "warning"}'
    line = one_line(installed.run(*words, text=alert, RUNBOOK_FILE=missing, **UNREACHABLE))
    assert line == f"error: {missing} (RUNBOOK_FILE) cannot be read: {os.strerror(2)}"
