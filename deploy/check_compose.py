"""Hold docker-compose.yml and the scripts beside it to the house's rules: one line per fault, exit status 1 if any.

    python -m deploy.check_compose

No Docker is needed, so `make check` finds on any machine what would else be found in production.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from incidents.app.setting_types import secret_variables
from incidents.app.settings import Settings
from incidents.search_attributes import SEARCH_ATTRIBUTES

ROOT = Path(__file__).resolve().parent.parent
Service = dict[str, Any]
Services = dict[str, Service]

RETENTION = "90d"
EXEMPT = "healthcheck.exempt"
"""The label by which a service says why it has no health check."""
WRITES = "read-only.exempt"
"""The label by which a service says why its file system is not read-only."""
_SECRETS = "/run/secrets/"
STATE_VARIABLES = ("ALERT_SPOOL", "API_TOKENS")
"""The settings whose defaults are in the home directory, which is read-only in a container."""
_VERSION = re.compile(r"v?\d+\.\d+")


def find_faults(root: Path) -> list[str]:
    """Return what is wrong with the compose file and the scripts under `root`, each in one line."""
    compose = root / "docker-compose.yml"
    try:
        whole = yaml.safe_load(compose.read_text(encoding="utf-8"))
        services: Services = whole["services"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        return [f"{compose.name} cannot be read: {' '.join(str(error).split())}"]
    rules = (_images, _restarts, _dependencies, _one_shots, _health_checks, _ports, _passwords, _hardened)
    faults = [*(fault for rule in rules for fault in rule(services)), *_secrets(services, whole.get("secrets") or {})]
    mounts = [*_mounts(services, root), *_state(services, root / "Dockerfile")]
    return [*faults, *mounts, *_namespace(root / "deploy" / "setup-namespace.sh")]


def _images(services: Services) -> Iterator[str]:
    """Each service is built here or names an image by version, so that a restart never upgrades anything."""
    for name, service in services.items():
        image = str(service.get("image", ""))
        repository, _, tag = image.rpartition("/")[2].partition(":")
        if not image and "build" not in service:
            yield f"{name}: has neither an image nor a build"
        if image and not _VERSION.match(tag):
            yield f"{name}: image {image} is not pinned to a version"
        if repository == "auto-setup":
            yield f"{name}: image {image} is deprecated; use server and admin-tools"


def _restarts(services: Services) -> Iterator[str]:
    for name, service in services.items():
        if service.get("restart") not in ("no", "always", "unless-stopped"):
            yield f'{name}: restart must be "no" (runs once), always or unless-stopped'


def _runs_once(service: Service) -> bool:
    return service.get("restart") == "no"


def _awaited(services: Services) -> Iterator[tuple[str, str, str]]:
    """Who waits for whom until when."""
    for name, service in services.items():
        awaited = service.get("depends_on", {})
        if isinstance(awaited, list):
            awaited = {other: {} for other in awaited}
        for other, how in awaited.items():
            yield name, other, how.get("condition", "service_started")


def _dependencies(services: Services) -> Iterator[str]:
    """A service waits until its dependencies are healthy, not just started."""
    for name, other, condition in _awaited(services):
        if other not in services:
            yield f"{name}: depends on {other}, which does not exist"
            continue
        wanted = "service_completed_successfully" if _runs_once(services[other]) else "service_healthy"
        if condition != wanted:
            yield f"{name}: must depend on {other} with condition {wanted}, not {condition}"


def _one_shots(services: Services) -> Iterator[str]:
    """A set-up that nobody awaits could fail unnoticed."""
    awaited = {other for _, other, _ in _awaited(services)}
    for name, service in services.items():
        if _runs_once(service) and name not in awaited:
            yield f"{name}: runs once, but no service waits for it with service_completed_successfully"


def _health_checks(services: Services) -> Iterator[str]:
    for name, service in services.items():
        check = service.get("healthcheck", {})
        probed = bool(check.get("test")) and not check.get("disable")
        if not probed and not _runs_once(service) and not service.get("labels", {}).get(EXEMPT):
            yield f"{name}: has no healthcheck, nor a label {EXEMPT} that says why"
        if "build" in service and re.search(r"/(healthz|readyz)\b", str(check.get("test"))):
            yield f"{name}: its healthcheck must ask /livez, which does not depend on Temporal"


def _ports(services: Services) -> Iterator[str]:
    """Nothing here asks for a password, so nothing is published beyond this machine."""
    for name, service in services.items():
        if service.get("network_mode") == "host":
            yield f"{name}: network_mode host publishes every port"
        for port in service.get("ports", []):
            address = port.get("host_ip", "") if isinstance(port, dict) else str(port).rpartition(":")[0]
            if not re.match(r"(127\.0\.0\.1|\[::1\])(:|$)", address):
                yield f"{name}: port {port} is not published on 127.0.0.1"


def _passwords(services: Services) -> Iterator[str]:
    """A password comes from the environment and has no default: one that is known to all protects nothing."""
    for name, service in services.items():
        for variable, value in _environment(service).items():
            # API_TOKENS is the path of a file, which holds hashes.
            secret = re.search(r"PASSWORD|PWD|TOKEN(?!S$)|API_KEY|SECRET", variable)
            if value.startswith(_SECRETS) and variable.endswith("_FILE"):
                continue
            if secret and value and not re.fullmatch(r"\$\{\w+:\?[^}]*\}", value):
                yield f"{name}: {variable} must be empty or ${{NAME:?why}}, without a default"


def _hardened(services: Services) -> Iterator[str]:
    """No service has root's rights, may gain any, or may write outside of its volumes."""
    for name, service in services.items():
        if not re.match(r"[1-9]\d*(:\d+)?$", str(service.get("user", ""))):
            yield f"{name}: user must be the number of one that is not root"
        if service.get("cap_drop") != ["ALL"] or service.get("cap_add") or service.get("privileged"):
            yield f"{name}: must drop ALL capabilities and add none"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name}: security_opt must have no-new-privileges:true"
        exempt = service.get("labels", {}).get(WRITES)
        if not exempt and (service.get("read_only") is not True or not _is_temporary(service)):
            yield f"{name}: must be read_only with a tmpfs at /tmp, or have a label {WRITES} that says why not"


def _is_temporary(service: Service) -> bool:
    """Tell whether /tmp is in memory."""
    return any(str(place).partition(":")[0] == "/tmp" for place in service.get("tmpfs", []))  # nosec B108: no file is made


def _secrets(services: Services, defined: dict[str, Any]) -> Iterator[str]:
    """Each secret that a service reads is mounted there, and our services can have each of theirs as a file."""
    for name, service in services.items():
        mounted = set(service.get("secrets", []))
        read = {value.removeprefix(_SECRETS) for value in _environment(service).values() if value.startswith(_SECRETS)}
        yield from (f"{name}: reads the secret {secret}, which it does not list" for secret in sorted(read - mounted))
        yield from (f"{name}: lists the secret {secret}, which nothing reads" for secret in sorted(mounted - read))
        yield from (f"{name}: the secret {secret} is not defined" for secret in sorted(mounted - defined.keys()))
        if "build" in service:
            lacking = [variable for variable in expected_secrets() if f"{variable}_FILE" not in _environment(service)]
            yield from (f"{name}: {variable} cannot come from a file" for variable in lacking)
    for secret, where in defined.items():
        if where != {"file": f"./secrets/{secret}"}:
            yield f"secrets: {secret} must be the file ./secrets/{secret}, which make-secrets.sh makes"


def _environment(service: Service) -> dict[str, str]:
    variables = service.get("environment", {})
    if isinstance(variables, list):
        variables = dict(line.partition("=")[::2] for line in variables)
    return {name: str(value or "") for name, value in variables.items()}


def _mounts(services: Services, root: Path) -> Iterator[str]:
    """What is mounted from the repository is there: Docker would make an empty folder in its place."""
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source = str(volume.get("source", "") if isinstance(volume, dict) else volume.partition(":")[0])
            if source.startswith(("/", "~")):
                yield f"{name}: {source} exists on some machines only; mount a path of the repository or a volume"
            elif source.startswith(".") and not (root / source).exists():
                yield f"{name}: {source} is mounted, but does not exist"


def _state(services: Services, dockerfile: Path) -> Iterator[str]:
    """Each service of our image shares its state with the others, in a named volume for each folder that it declares.

    Docker would mount an anonymous volume instead: its files are lost with the container, and no other service sees
    them.
    """
    text = dockerfile.read_text(encoding="utf-8") if dockerfile.is_file() else ""
    folders = [folder for line in re.findall(r"^VOLUME (.*)$", text, re.MULTILINE) for folder in line.split()]
    if not folders:
        yield f"{dockerfile.name}: declares no VOLUME"
    shared: dict[str, str] = {}
    for name, service in services.items():
        if "build" not in service:
            continue
        mounted = _named_volumes(service)
        for folder in folders:
            volume = mounted.get(folder, "")
            if not volume:
                yield f"{name}: {folder} is not on a named volume"
            elif shared.setdefault(folder, volume) != volume:
                yield f"{name}: {folder} is on the volume {volume}, elsewhere on {shared[folder]}"
        for variable in STATE_VARIABLES:
            if not _environment(service).get(variable, "").startswith(tuple(folders)):
                yield f"{name}: {variable} must be set to a path in a volume"


def _named_volumes(service: Service) -> dict[str, str]:
    """Return the named volumes of a service by the folder over which each is mounted."""
    mounts = [
        (volume.get("source", ""), volume.get("target", ""))
        if isinstance(volume, dict)
        else tuple(volume.split(":")[:2])
        for volume in service.get("volumes", [])
    ]
    return {target: source for source, target in mounts if source and not source.startswith((".", "/", "~"))}


def _namespace(script: Path) -> Iterator[str]:
    """The namespace is made as the program expects it."""
    if not script.is_file():
        yield f"{script.name} does not exist"
        return
    text = script.read_text(encoding="utf-8")
    if found := re.findall(r"^attribute (\w+) (\w+)$", text, re.MULTILINE):
        registered, expected = dict(found), expected_attributes()
        for name in sorted({*registered, *expected}):
            made, wanted = registered.get(name, "missing"), expected.get(name, "missing")
            if made != wanted:
                yield f"{script.name}: search attribute {name} is {made}; in search_attributes.py it is {wanted}"
    else:
        yield f"{script.name}: registers no search attribute"
    yield from _retention(script.name, text)


def _retention(name: str, text: str) -> Iterator[str]:
    """Retention is what the house promises, wherever the script says it."""
    if re.findall(r"^RETENTION=(\S+)", text, re.MULTILINE) != [RETENTION]:
        yield f"{name}: RETENTION must be {RETENTION}"
    for command in re.findall(r"namespace (?:create|update) .*", text):
        if '--retention "$RETENTION"' not in command:
            yield f'{name}: "{command}" does not set the retention'


def expected_attributes() -> dict[str, str]:
    """Return the search attributes that the workflows set, by name, with their types as Temporal's CLI spells them."""
    return {key.name: key.indexed_value_type.name.title().replace("_", "") for key in SEARCH_ATTRIBUTES}


def expected_secrets() -> tuple[str, ...]:
    """Return the variables of our settings that hold secrets. Temporal is here without an API key."""
    return tuple(name for name in secret_variables(Settings) if name != "TEMPORAL_API_KEY")


def main() -> int:
    """Print the faults; return the exit status."""
    faults = find_faults(ROOT)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
