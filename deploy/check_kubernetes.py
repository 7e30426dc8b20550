"""Hold deploy/kubernetes to Kubernetes' schemas and to the house's rules: one line per fault, exit status 1 if any.

    python -m deploy.check_kubernetes

Neither a cluster nor kustomize is needed. What kustomize would do is checked as far as these files use it: resources,
patches and generators. KEDA's resource has no schema here and is checked by hand.
"""

import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from incidents.app.setting_types import secret_variables
from incidents.app.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
VERSION = "1.33"
"""The Kubernetes whose schemas must be met."""
EXTERNAL = {"incident-secrets", "incident-api-tokens"}
"""Secrets that an operator makes (docs/kubernetes.md): none is in the repository."""
TRIGGER_FIELDS = {
    *("endpoint", "endpointFromEnv", "namespace", "taskQueue", "queueTypes", "targetQueueSize"),
    *("activationTargetQueueSize", "workerDeploymentName", "workerDeploymentBuildId", "minConnectTimeout"),
    *("unsafeSsl", "tlsServerName", "apiKeyFromEnv", "enableTLS"),
}
"""What KEDA's scaler `temporal` takes, all of it as text (keda.sh/docs/latest/scalers/temporal)."""
PROBED = "/livez"
"""The path of the gateway that answers without Temporal (docs/operating.md)."""
_SCALED = {"scaleTargetRef", "pollingInterval", "cooldownPeriod", "minReplicaCount", "maxReplicaCount", "triggers"}
_RUN_SECRETS = "/run/secrets/"
Resource = dict[str, Any]


def find_faults(root: Path) -> list[str]:
    """Return what is wrong with the manifests under `root`, each in one line."""
    folder = root / "deploy" / "kubernetes"
    faults: list[str] = []
    for place in (folder / "base", *sorted((folder / "overlays").iterdir())):
        try:
            faults += _kustomization(place, folder / "base")
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            faults.append(f"{place.name}: cannot be read: {' '.join(f'{error!r}'.split())[:200]}")
    if faults:
        return faults
    base = folder / "base"
    resources = _resources(base)
    faults += [fault for path, resource in resources for fault in _schema(path.name, resource)]
    if (base / "runbook.yaml").read_bytes() != (root / "runbook.yaml").read_bytes():
        faults.append("base: runbook.yaml differs: cp runbook.yaml deploy/kubernetes/base/")
    known = [resource for _, resource in resources]
    generated = _generated(base)
    faults += [*_selectors(known), *_references(known, generated), *_probes(known)]
    return [*faults, *_settings(generated), *_scaling(known)]


def _kustomization(place: Path, base: Path) -> Iterator[str]:
    """What a kustomization names is there, and what is there is named."""
    described = yaml.safe_load((place / "kustomization.yaml").read_text(encoding="utf-8"))
    patches = [patch["path"] for patch in described.get("patches", [])]
    files = [file for maker in described.get("configMapGenerator", []) for file in maker.get("files", [])]
    named = [*described["resources"], *patches, *(file.partition("=")[2] or file for file in files)]
    for name in named:
        target = place / name
        if not (target.is_file() or (target / "kustomization.yaml").is_file()):
            yield f"{place.name}: {name} is named in kustomization.yaml, but does not exist"
    for path in sorted(place.glob("*.yaml")):
        if path.name != "kustomization.yaml" and path.name not in named:
            yield f"{place.name}: {path.name} is not named in kustomization.yaml"
    known = {(resource["kind"], resource["metadata"]["name"]) for _, resource in _resources(base)}
    for patch in patches:
        change = yaml.safe_load((place / patch).read_text(encoding="utf-8"))
        if (change["kind"], change["metadata"]["name"]) not in known:
            yield f"{place.name}: {patch} changes {change['kind']} {change['metadata']['name']}, which is not there"


def _resources(base: Path) -> list[tuple[Path, Resource]]:
    """Return the resources of the base, each with its file."""
    listed = yaml.safe_load((base / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    paths = [base / name for name in listed if (base / name).is_file()]
    return [(path, one) for path in paths for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def _generated(base: Path) -> dict[str, dict[str, str]]:
    """Return the ConfigMaps that the base generates, by name: their literals, and their files with empty text."""
    described = yaml.safe_load((base / "kustomization.yaml").read_text(encoding="utf-8"))
    return {
        maker["name"]: dict(line.partition("=")[::2] for line in maker.get("literals", []))
        | dict.fromkeys(maker.get("files", []), "")
        for maker in described.get("configMapGenerator", [])
    }


def _schema(name: str, resource: Resource) -> Iterator[str]:
    """A resource of Kubernetes' own meets its schema, with no field that this does not know."""
    if resource["apiVersion"].startswith("keda.sh/"):
        return
    import kubernetes_validate  # here: it takes two seconds, in each process that collects the tests

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kubernetes_validate.validate(resource, VERSION, strict=True)
    except (
        kubernetes_validate.ValidationError,
        kubernetes_validate.SchemaNotFoundError,
        kubernetes_validate.InvalidSchemaError,
    ) as error:
        yield f"{name}: {resource['kind']} {resource['metadata']['name']}: {' '.join(str(error).split())[:200]}"


def _selectors(resources: list[Resource]) -> Iterator[str]:
    """Whatever selects pods selects those of a Deployment here."""
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in resources if one["kind"] == "Deployment"]
    for one in resources:
        spec = one.get("spec", {})
        for selector in (spec.get("selector"), spec.get("podSelector")):
            if selector is None:
                continue
            wanted: Mapping[str, str] = selector.get("matchLabels", selector)
            if not any(wanted.items() <= labels.items() for labels in pods):
                yield f"{one['kind']} {one['metadata']['name']}: selects no pod of these Deployments"


def _references(resources: list[Resource], generated: dict[str, dict[str, str]]) -> Iterator[str]:
    """ConfigMaps, Secrets, accounts, volumes and ports that a Deployment names are there."""
    accounts = {one["metadata"]["name"] for one in resources if one["kind"] == "ServiceAccount"}
    for one in (one for one in resources if one["kind"] == "Deployment"):
        name, pod = one["metadata"]["name"], one["spec"]["template"]["spec"]
        if pod.get("serviceAccountName") not in accounts:
            yield f"{name}: there is no ServiceAccount {pod.get('serviceAccountName')}"
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for container in pod["containers"]:
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            yield from (f"{name}: mounts {volume}, which is no volume" for volume in sorted(mounted - volumes.keys()))
            yield from (f"{name}: never mounts {volume}" for volume in sorted(volumes.keys() - mounted))
            maps = [each["configMapRef"]["name"] for each in container.get("envFrom", [])]
            maps += [volume["configMap"]["name"] for volume in volumes.values() if "configMap" in volume]
            yield from (f"{name}: there is no ConfigMap {each}" for each in maps if each not in generated)
        secrets = [volume["secret"]["secretName"] for volume in volumes.values() if "secret" in volume]
        yield from (f"{name}: nobody makes the Secret {each}" for each in secrets if each not in EXTERNAL)


def _probes(resources: list[Resource]) -> Iterator[str]:
    """Each container is probed, and no probe asks Temporal: while that is away, the gateway must get alerts."""
    for one in (one for one in resources if one["kind"] == "Deployment"):
        name = one["metadata"]["name"]
        for container in one["spec"]["template"]["spec"]["containers"]:
            probes = {kind: container.get(kind) for kind in ("livenessProbe", "readinessProbe", "startupProbe")}
            if probes["livenessProbe"] is None:
                yield f"{name}: has no livenessProbe"
            for kind, probe in probes.items():
                if probe and probe.get("httpGet", {}).get("path", PROBED) != PROBED:
                    yield f"{name}: its {kind} must ask {PROBED}, which does not depend on Temporal"


def _settings(generated: dict[str, dict[str, str]]) -> Iterator[str]:
    """Each variable is a setting of ours, and each secret comes from the file that make-secrets.sh makes."""
    secrets = secret_variables(Settings)
    variables = {name.upper() for name in Settings.model_fields}
    given = generated.get("incident-settings", {})
    for name, value in given.items():
        secret = name.removesuffix("_FILE")
        if name in variables and name not in secrets:
            continue
        if secret not in secrets or secret == name:
            yield f"incident-settings: {name} is no setting, or a secret in clear text"
        elif value != _RUN_SECRETS + secret.lower():
            yield f"incident-settings: {name} must be {_RUN_SECRETS}{secret.lower()}"
    for secret in secrets:
        if secret != "TEMPORAL_API_KEY" and f"{secret}_FILE" not in given:
            yield f"incident-settings: {secret} cannot come from a file"


def _scaling(resources: list[Resource]) -> Iterator[str]:
    """KEDA scales a Deployment that is here, by Temporal's backlog, with fields that it knows."""
    deployments = {one["metadata"]["name"] for one in resources if one["kind"] == "Deployment"}
    for one in (one for one in resources if one["kind"] == "ScaledObject"):
        name, spec = one["metadata"]["name"], one["spec"]
        yield from (f"{name}: KEDA knows no {field} here" for field in sorted(spec.keys() - _SCALED))
        if spec["scaleTargetRef"]["name"] not in deployments:
            yield f"{name}: scales {spec['scaleTargetRef']['name']}, which does not exist"
        if not 2 <= spec["minReplicaCount"] <= spec["maxReplicaCount"]:
            yield f"{name}: needs two replicas or more, and no more than maxReplicaCount"
        for trigger in spec["triggers"]:
            metadata = trigger["metadata"]
            unknown = sorted(metadata.keys() - TRIGGER_FIELDS)
            yield from (f"{name}: the scaler temporal knows no {field}" for field in unknown)
            yield from (f"{name}: {key} must be text" for key, value in metadata.items() if not isinstance(value, str))
            missing = [field for field in ("taskQueue", "targetQueueSize") if field not in metadata]
            yield from (f"{name}: the scaler temporal needs {field}" for field in missing)
            if trigger["type"] != "temporal" or not re.search("endpoint", " ".join(metadata)):
                yield f"{name}: needs a trigger of type temporal with an endpoint"


def main() -> int:
    """Print the faults; return the exit status."""
    faults = find_faults(ROOT)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
