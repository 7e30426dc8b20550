"""The set-up scripts that docker-compose.yml mounts, run among stand-ins for the image's tools."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.check_compose import expected_attributes

ROOT = Path(__file__).resolve().parents[2]


def test_scripts_are_valid_shell_that_stops_at_the_first_error() -> None:
    for script in sorted((ROOT / "deploy").glob("*.sh")):
        subprocess.run(["sh", "-n", script], check=True)
        assert "\nset -eu\n" in script.read_text(encoding="utf-8"), script.name


class Container:
    """Runs a set-up script among stand-ins for the image's tools, which note how they are called."""

    def __init__(self, folder: Path) -> None:
        self._tools = folder / "tools"
        self._tools.mkdir()
        self._calls = folder / "calls"
        self.tool("sleep", "exit 0")

    def tool(self, name: str, does: str) -> None:
        tool = self._tools / name
        tool.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._calls}\n{does}\n', encoding="utf-8")
        tool.chmod(0o755)

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = f"{self._tools}:{os.environ['PATH']}"
        command = ["sh", str(ROOT / "deploy" / script)]
        return subprocess.run(command, env={"PATH": path, **variables}, capture_output=True, text=True, check=False)

    def calls(self) -> list[str]:
        return self._calls.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


DATABASE = {"SQL_HOST": "postgresql", "SQL_USER": "temporal", "SQL_PASSWORD": "s3cret"}
SERVER = {"TEMPORAL_ADDRESS": "temporal:7233", "TEMPORAL_NAMESPACE": "ops"}


def test_schema_script_prepares_both_databases(container: Container) -> None:
    container.tool("temporal-sql-tool", "exit 0")
    assert container.run("setup-schema.sh", **DATABASE).returncode == 0
    schemas = "/etc/temporal/schema/postgresql/v12"
    assert container.calls() == [
        "temporal-sql-tool --db temporal create-database",
        "temporal-sql-tool --db temporal setup-schema --version 0.0",
        f"temporal-sql-tool --db temporal update-schema --schema-dir {schemas}/temporal/versioned",
        "temporal-sql-tool --db temporal_visibility create-database",
        "temporal-sql-tool --db temporal_visibility setup-schema --version 0.0",
        f"temporal-sql-tool --db temporal_visibility update-schema --schema-dir {schemas}/visibility/versioned",
    ]


def test_schema_script_stops_at_the_first_failure(container: Container) -> None:
    container.tool("temporal-sql-tool", "exit 1")
    assert container.run("setup-schema.sh", **DATABASE).returncode != 0
    assert len(container.calls()) == 1


@pytest.mark.parametrize(("known", "verb"), [(0, "update"), (1, "create")])
def test_namespace_script_makes_or_updates(container: Container, known: int, verb: str) -> None:
    container.tool("temporal", f'case "$*" in *describe*) exit {known};; esac')
    assert container.run("setup-namespace.sh", **SERVER).returncode == 0
    assert container.calls()[:3] == [
        "temporal operator cluster health",
        "temporal operator namespace describe --namespace ops",
        f"temporal operator namespace {verb} --namespace ops --retention 90d",
    ]
    made = container.calls()[3:]
    create = "temporal operator search-attribute create --namespace ops --name"
    assert made == [f"{create} {name} --type {kind}" for name, kind in expected_attributes().items()]


def test_namespace_script_tries_again(container: Container, tmp_path: Path) -> None:
    container.tool(
        "temporal", f'case "$*" in *health*) test -e {tmp_path}/up || {{ touch {tmp_path}/up; exit 1; }};; esac'
    )
    assert container.run("setup-namespace.sh", **SERVER).returncode == 0
    assert container.calls()[:3] == ["temporal operator cluster health", "sleep 2", "temporal operator cluster health"]


def test_namespace_script_gives_up_with_the_reason(container: Container) -> None:
    container.tool("temporal", "echo no such host >&2; exit 1")
    ran = container.run("setup-namespace.sh", **SERVER)
    assert ran.returncode != 0
    assert "no such host" in ran.stderr
    assert container.calls().count("sleep 2") < 100


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    script = tmp_path / "deploy" / "make-secrets.sh"
    script.write_bytes((ROOT / "deploy" / "make-secrets.sh").read_bytes())
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "slack_bot_token").write_text("mine", encoding="utf-8")
    for _ in range(2):
        subprocess.run(["sh", script], check=True, capture_output=True)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert {path.name for path in folder.iterdir()} == set(compose["secrets"])
    assert (folder / "slack_bot_token").read_text(encoding="utf-8") == "mine"
    assert (folder / "smtp_url").read_bytes() == b""
    assert len((folder / "grafana_admin_password").read_text(encoding="utf-8")) == 48
    assert folder.stat().st_mode & 0o777 == 0o700
