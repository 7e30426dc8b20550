"""The Kubernetes manifests meet the schemas and the house's rules, and each rule catches its breach."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.check_kubernetes import find_faults

ROOT = Path(__file__).resolve().parents[2]
BASE, EXAMPLE = "deploy/kubernetes/base", "deploy/kubernetes/overlays/example"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what the checker reads."""
    shutil.copytree(ROOT / "deploy" / "kubernetes", tmp_path / "deploy" / "kubernetes")
    shutil.copy(ROOT / "runbook.yaml", tmp_path)
    return tmp_path


def test_the_real_manifests_pass() -> None:
    command = [sys.executable, "-m", "deploy.check_kubernetes"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (f"{BASE}/worker.yaml", "replicas: 2", "replicas: two", "Deployment incident-worker"),
        (f"{BASE}/worker.yaml", "  replicas: 2", "  replica: 2", "Deployment incident-worker"),
        (f"{BASE}/disruption.yaml", "minAvailable: 1", "minimum: 1", "PodDisruptionBudget incident-worker"),
        (f"{BASE}/disruption.yaml", "component: gateway", "component: door", "gateway: selects no pod"),
        (f"{BASE}/network.yaml", "component: worker", "component: work", "NetworkPolicy incident-worker: selects no"),
        (f"{BASE}/gateway.yaml", "targetPort: http", "targetPorts: http", "Service incident-gateway"),
        (
            f"{BASE}/worker.yaml",
            "name: incident-settings",
            "name: settings",
            "incident-worker: there is no ConfigMap settings",
        ),
        (
            f"{BASE}/worker.yaml",
            "secretName: incident-secrets",
            "secretName: mine",
            "incident-worker: nobody makes the Secret mine",
        ),
        (f"{BASE}/worker.yaml", "{ name: spool, mount", "{ name: pool, mount", "incident-worker: mounts pool"),
        (
            f"{BASE}/service-account.yaml",
            "name: incident-runbook",
            "name: other",
            "incident-gateway: there is no ServiceAccount incident-runbook",
        ),
        (
            f"{BASE}/kustomization.yaml",
            "TEMPORAL_NAMESPACE=default",
            "TEMPORAL_NAME_SPACE=default",
            "incident-settings: TEMPORAL_NAME_SPACE is no setting",
        ),
        (
            f"{BASE}/kustomization.yaml",
            "SMTP_URL_FILE=/run/secrets/smtp_url",
            "SMTP_URL=smtp://user:password@mail",
            "incident-settings: SMTP_URL is no setting, or a secret in clear text",
        ),
        (
            f"{BASE}/kustomization.yaml",
            "/run/secrets/smtp_url",
            "/run/secrets/mail",
            "SMTP_URL_FILE must be /run/secrets/smtp_url",
        ),
        (f"{BASE}/kustomization.yaml", "  - network.yaml\n", "", "base: network.yaml is not named"),
        (f"{BASE}/kustomization.yaml", "network.yaml", "net.yaml", "base: net.yaml is named in kustomization.yaml"),
        (f"{BASE}/autoscaling.yaml", "queueTypes", "queueType", "the scaler temporal knows no queueType"),
        (f"{BASE}/autoscaling.yaml", '"20"', "20", "incident-worker: targetQueueSize must be text"),
        (
            f"{BASE}/autoscaling.yaml",
            "    name: incident-worker",
            "    name: work",
            "scales work, which does not exist",
        ),
        (f"{BASE}/autoscaling.yaml", "minReplicaCount: 2", "minReplicaCount: 0", "needs two replicas or more"),
        (f"{BASE}/autoscaling.yaml", "cooldownPeriod", "coolDown", "KEDA knows no coolDown here"),
        (f"{EXAMPLE}/worker-size.yaml", "name: incident-worker", "name: work", "ScaledObject work, which is not there"),
        (f"{EXAMPLE}/kustomization.yaml", "../../base", "../../bass", "example: ../../bass is named"),
        (
            f"{BASE}/gateway.yaml",
            "path: /livez, port: http }\n            periodSeconds: 5",
            "path: /readyz, port: http }\n            periodSeconds: 5",
            "incident-gateway: its readinessProbe must ask /livez",
        ),
        (f"{BASE}/worker.yaml", "livenessProbe:", "startupProbe:", "incident-worker: has no livenessProbe"),
        ("runbook.yaml", "severities:", "severities: # ours", "base: runbook.yaml differs"),
    ],
)
def test_a_breach_is_caught(house: Path, file: str, old: str, new: str, fault: str) -> None:
    path = house / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    faults = find_faults(house)
    assert any(fault in found for found in faults), faults


def test_the_worker_is_probed_as_compose_does() -> None:
    """Its sign of life is read by one program, which tests/deploy/test_compose.py runs."""
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    worker = (ROOT / BASE / "worker.yaml").read_text(encoding="utf-8")
    program = "import os, sys, time; sys.exit(time.time() - os.stat('/tmp/worker-alive').st_mtime > 30)"
    assert (compose.count(program), worker.count(program)) == (1, 2)
