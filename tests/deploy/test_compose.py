"""The compose file follows the house's rules, and each rule catches its breach."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio.envconfig import ClientConfig

from deploy.check_compose import find_faults
from incidents.app.settings import Settings
from tests.support.incidents import PROBE_VARIABLES

ROOT = Path(__file__).resolve().parents[2]
Compose = dict[str, Any]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what the checker reads."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    for name in ("docker-compose.yml", "runbook.yaml", "Dockerfile"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def real() -> Compose:
    compose: Compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return compose


def test_real_file_passes() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "deploy.check_compose"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_faults_are_told_and_change_the_exit_status(house: Path) -> None:
    (house / "deploy" / "setup-schema.sh").unlink()
    # The checker's own place says which tree it checks, so the copy needs the program, too.
    for package in ("workflows", "incidents", "activities"):
        shutil.copytree(ROOT / package, house / package)
    checked = subprocess.run(
        [sys.executable, "-m", "deploy.check_compose"], cwd=house, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 1
    assert checked.stderr.splitlines() == ["schema: ./deploy/setup-schema.sh is mounted, but does not exist"]


def put(service: str, key: str, value: object) -> Callable[[Compose], None]:
    def mutate(compose: Compose) -> None:
        compose["services"][service][key] = value

    return mutate


def drop(service: str, key: str) -> Callable[[Compose], None]:
    def mutate(compose: Compose) -> None:
        del compose["services"][service][key]

    return mutate


def drop_all(key: str, *services: str) -> Callable[[Compose], None]:
    def mutate(compose: Compose) -> None:
        for service in services:
            drop(service, key)(compose)

    return mutate


def unmount(service: str, target: str, instead: str | None = None) -> Callable[[Compose], None]:
    def mutate(compose: Compose) -> None:
        kept = [volume for volume in compose["services"][service]["volumes"] if f":{target}" not in volume]
        compose["services"][service]["volumes"] = [*kept, *([instead] if instead else [])]

    return mutate


def put_variable(service: str, name: str, value: str) -> Callable[[Compose], None]:
    def mutate(compose: Compose) -> None:
        compose["services"][service]["environment"][name] = value

    return mutate


def drop_variable(service: str, name: str) -> Callable[[Compose], None]:
    def mutate(compose: Compose) -> None:
        del compose["services"][service]["environment"][name]

    return mutate


def define(secret: str, where: object) -> Callable[[Compose], None]:
    def mutate(compose: Compose) -> None:
        if where is None:
            del compose["secrets"][secret]
        else:
            compose["secrets"][secret] = where

    return mutate


# These lack it in both services of our image, or can no longer have it from a file.
MORE = {
    "gateway: the secret smtp_url is not defined": ["worker: the secret smtp_url is not defined"],
    "gateway: lists the secret smtp_url, which nothing reads": ["gateway: SMTP_URL cannot come from a file"],
}
BREACHES: list[tuple[Callable[[Compose], None], str]] = [
    (put("postgresql", "image", "postgres"), "postgresql: image postgres is not pinned to a version"),
    (put("postgresql", "image", "postgres:latest"), "postgresql: image postgres:latest is not pinned to a version"),
    (put("ui", "image", "host:5000/ui"), "ui: image host:5000/ui is not pinned to a version"),
    (put("postgresql", "image", "postgres:16"), "postgresql: image postgres:16 is not pinned to a version"),
    (
        put("temporal", "image", "temporalio/auto-setup:1.29.3"),
        "temporal: image temporalio/auto-setup:1.29.3 is deprecated; use server and admin-tools",
    ),
    (drop("worker", "build"), "worker: has neither an image nor a build"),
    (drop("ui", "restart"), 'ui: restart must be "no" (runs once), always or unless-stopped'),
    (
        put("ui", "depends_on", {"nobody": {"condition": "service_healthy"}}),
        "ui: depends on nobody, which does not exist",
    ),
    (
        put("worker", "depends_on", ["namespace"]),
        "worker: must depend on namespace with condition service_completed_successfully, not service_started",
    ),
    (
        put("worker", "depends_on", {"namespace": {"condition": "service_healthy"}}),
        "worker: must depend on namespace with condition service_completed_successfully, not service_healthy",
    ),
    (
        put("ui", "depends_on", {"temporal": {"condition": "service_started"}}),
        "ui: must depend on temporal with condition service_healthy, not service_started",
    ),
    (
        drop_all("depends_on", "worker", "gateway"),
        "namespace: runs once, but no service waits for it with service_completed_successfully",
    ),
    (
        drop("temporal", "healthcheck"),
        "temporal: has no healthcheck, nor a label healthcheck.exempt that says why",
    ),
    (
        put("ui", "healthcheck", {"disable": True, "test": ["CMD", "true"]}),
        "ui: has no healthcheck, nor a label healthcheck.exempt that says why",
    ),
    (
        put("gateway", "healthcheck", {"test": ["CMD", "curl", "http://127.0.0.1:8090/readyz"]}),
        "gateway: its healthcheck must ask /livez, which does not depend on Temporal",
    ),
    (drop("worker", "healthcheck"), "worker: has no healthcheck, nor a label healthcheck.exempt that says why"),
    (drop("worker", "user"), "worker: user must be the number of one that is not root"),
    (put("grafana", "user", "0:0"), "grafana: user must be the number of one that is not root"),
    (put("ui", "user", "root"), "ui: user must be the number of one that is not root"),
    (put("postgresql", "cap_drop", ["CHOWN"]), "postgresql: must drop ALL capabilities and add none"),
    (put("ui", "cap_add", ["CHOWN"]), "ui: must drop ALL capabilities and add none"),
    (put("temporal", "privileged", True), "temporal: must drop ALL capabilities and add none"),
    (drop("schema", "security_opt"), "schema: security_opt must have no-new-privileges:true"),
    (
        drop("gateway", "read_only"),
        "gateway: must be read_only with a tmpfs at /tmp, or have a label read-only.exempt that says why not",
    ),
    (
        put("prometheus", "tmpfs", ["/run"]),
        "prometheus: must be read_only with a tmpfs at /tmp, or have a label read-only.exempt that says why not",
    ),
    (
        drop("ui", "labels"),
        "ui: must be read_only with a tmpfs at /tmp, or have a label read-only.exempt that says why not",
    ),
    (
        put_variable("grafana", "OTHER_FILE", "/run/secrets/other"),
        "grafana: reads the secret other, which it does not list",
    ),
    (put("ui", "secrets", ["smtp_url"]), "ui: lists the secret smtp_url, which nothing reads"),
    (drop_variable("gateway", "SMTP_URL_FILE"), "gateway: lists the secret smtp_url, which nothing reads"),
    (define("smtp_url", None), "gateway: the secret smtp_url is not defined"),
    (
        define("smtp_url", {"file": "/etc/smtp"}),
        "secrets: smtp_url must be the file ./secrets/smtp_url, which make-secrets.sh makes",
    ),
    (put("ui", "ports", ["8080:8080"]), "ui: port 8080:8080 is not published on 127.0.0.1"),
    (put("ui", "ports", ["0.0.0.0:8080:8080"]), "ui: port 0.0.0.0:8080:8080 is not published on 127.0.0.1"),
    (put("ui", "ports", [8080]), "ui: port 8080 is not published on 127.0.0.1"),
    (put("ui", "ports", [{"target": 80}]), "ui: port {'target': 80} is not published on 127.0.0.1"),
    (put("worker", "network_mode", "host"), "worker: network_mode host publishes every port"),
    (
        put_variable("postgresql", "POSTGRES_PASSWORD", "temporal"),
        "postgresql: POSTGRES_PASSWORD must be empty or ${NAME:?why}, without a default",
    ),
    (
        put_variable("temporal", "POSTGRES_PWD", "${POSTGRES_PASSWORD:-temporal}"),
        "temporal: POSTGRES_PWD must be empty or ${NAME:?why}, without a default",
    ),
    (
        put("ui", "environment", ["API_TOKEN=known"]),
        "ui: API_TOKEN must be empty or ${NAME:?why}, without a default",
    ),
    (
        put("ui", "volumes", ["/srv/ui:/ui"]),
        "ui: /srv/ui exists on some machines only; mount a path of the repository or a volume",
    ),
    (put("ui", "volumes", ["./deploy/gone.yaml:/x"]), "ui: ./deploy/gone.yaml is mounted, but does not exist"),
    (
        put("ui", "volumes", [{"type": "bind", "source": "./gone", "target": "/x"}]),
        "ui: ./gone is mounted, but does not exist",
    ),
    (unmount("worker", "/app/tokens"), "worker: /app/tokens is not on a named volume"),
    (unmount("worker", "/app/spool"), "worker: /app/spool is not on a named volume"),
    (unmount("gateway", "/app/tokens"), "gateway: /app/tokens is not on a named volume"),
    (unmount("gateway", "/app/evidence"), "gateway: /app/evidence is not on a named volume"),
    (unmount("gateway", "/app/drills", "./deploy:/app/drills"), "gateway: /app/drills is not on a named volume"),
    (
        unmount("gateway", "/app/spool", "other:/app/spool"),
        "worker: /app/spool is on the volume spool, elsewhere on other",
    ),
    (put_variable("worker", "API_TOKENS", ""), "worker: API_TOKENS must be set to a path in a volume"),
    (put_variable("gateway", "ALERT_SPOOL", "/tmp/spool"), "gateway: ALERT_SPOOL must be set to a path in a volume"),
]


@pytest.mark.parametrize(("mutate", "fault"), BREACHES, ids=[fault for _, fault in BREACHES])
def test_breach_in_the_compose_file_is_caught(house: Path, mutate: Callable[[Compose], None], fault: str) -> None:
    compose = real()
    mutate(compose)
    (house / "docker-compose.yml").write_text(yaml.safe_dump(compose), encoding="utf-8")
    assert find_faults(house) == [fault, *MORE.get(fault, [])]


def test_image_without_volumes_is_caught(house: Path) -> None:
    (house / "Dockerfile").write_text("FROM python:3.12-slim\n", encoding="utf-8")
    assert "Dockerfile: declares no VOLUME" in find_faults(house)


def test_good_variants_pass(house: Path) -> None:
    compose = real()
    compose["services"]["ui"]["ports"] = [{"host_ip": "127.0.0.1", "target": 8080}, "[::1]:8080:8080"]
    compose["services"]["ui"]["volumes"] = ["named:/somewhere"]
    (house / "docker-compose.yml").write_text(yaml.safe_dump(compose), encoding="utf-8")
    assert find_faults(house) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "attribute IncidentDrill Bool\n",
            "",
            "search attribute IncidentDrill is missing; in search_attributes.py it is Bool",
        ),
        (
            "attribute IncidentNumber Int",
            "attribute IncidentNumber Keyword",
            "search attribute IncidentNumber is Keyword; in search_attributes.py it is Int",
        ),
        (
            "attribute IncidentDrill Bool\n",
            "attribute IncidentDrill Bool\nattribute Other Int\n",
            "search attribute Other is Int; in search_attributes.py it is missing",
        ),
        ("RETENTION=90d", "RETENTION=72h", "RETENTION must be 90d"),
        ("RETENTION=90d", "RETENTION=90d\nRETENTION=3d", "RETENTION must be 90d"),
        ("\nattribute ", "\n# attribute ", "registers no search attribute"),
    ],
)
def test_breach_in_the_namespace_script_is_caught(house: Path, old: str, new: str, fault: str) -> None:
    script = house / "deploy" / "setup-namespace.sh"
    text = script.read_text(encoding="utf-8")
    assert old in text
    script.write_text(text.replace(old, new), encoding="utf-8")
    [found] = find_faults(house)
    assert found.removeprefix("setup-namespace.sh: ") == fault


@pytest.mark.parametrize("command", ["create", "update"])
def test_namespace_without_our_retention_is_caught(house: Path, command: str) -> None:
    script = house / "deploy" / "setup-namespace.sh"
    kept = script.read_text(encoding="utf-8")
    script.write_text(re.sub(rf'(namespace {command} .*) --retention "\$RETENTION"', r"\1", kept), encoding="utf-8")
    [fault] = find_faults(house)
    assert fault.endswith("does not set the retention")


@pytest.mark.parametrize("text", ["services: [", "nothing: 1", ""])
def test_unreadable_compose_file_is_one_fault(house: Path, text: str) -> None:
    (house / "docker-compose.yml").write_text(text, encoding="utf-8")
    [fault] = find_faults(house)
    assert fault.startswith("docker-compose.yml cannot be read: ")
    assert "\n" not in fault


def test_the_worker_is_unhealthy_once_its_sign_of_life_is_old(tmp_path: Path) -> None:
    from incidents.app.liveness.alive_file import EVERY

    worker = real()["services"]["worker"]
    _, python, option, program = worker["healthcheck"]["test"]
    assert (python, option) == ("python", "-c")
    file = tmp_path / "alive"
    checked = program.replace(worker["environment"]["WORKER_ALIVE_FILE"], str(file))
    assert checked != program

    def status() -> int:
        return subprocess.run([sys.executable, "-c", checked], capture_output=True, check=False).returncode

    assert status() != 0, "no file: it has not begun, or has ended"
    file.touch()
    assert status() == 0
    os.utime(file, (time.time() - 6 * EVERY - 5,) * 2)
    assert status() == 1


def test_worker_may_drain_before_it_is_killed() -> None:
    from incidents.app.composition.workers import GRACE

    period = real()["services"]["worker"]["stop_grace_period"]
    assert int(period.removesuffix("s")) > GRACE.total_seconds()


def test_example_environment_names_every_variable_and_sets_none() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    variables = [line for line in lines if line and not re.match(r"# |#$", line)]
    assert [line for line in variables if not re.fullmatch(r"#?[A-Z_]+=", line)] == []
    names = [line.strip("#=") for line in variables]
    assert len(names) == len(set(names))
    assert {*names} == {name.upper() for name in Settings.model_fields} | {"POSTGRES_PASSWORD"} | PROBE_VARIABLES


def test_copy_of_the_example_turns_nothing_on() -> None:
    """Temporal's own reader takes an empty variable for a set one: an empty API key means TLS."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    copied = dict(line.partition("=")[::2] for line in lines if line and not line.startswith("#"))
    config = ClientConfig.load_client_connect_config(override_env_vars=copied, disable_file=True)
    assert {*config} <= {"target_host", "namespace"}  # which connect() sets itself


def test_image_gets_what_the_program_consists_of() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    packages = {
        path.parent.name
        for path in ROOT.glob("*/__init__.py")
        if path.parent.name not in ("tests", "benchmarks", "sandbox")
    }
    files = {"worker.py", "starter.py", "constraints.txt", "requirements.txt", "pyproject.toml", "README.md"}
    assert packages | files | {"runbook.yaml"} <= let_in
    assert ".env" not in let_in


@pytest.mark.parametrize("service", ["gateway", "worker"])
def test_13_gateway_and_worker_share_the_spool(service: str) -> None:
    """`starter.py` runs in the worker's container, and only the gateway sends by itself what it has kept."""
    described = real()["services"][service]
    assert f"spool:{described['environment']['ALERT_SPOOL']}" in described["volumes"]
