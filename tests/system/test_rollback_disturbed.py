"""57, 58: what may come in between: a resolution, a server that restarts, a rollback that is cancelled by hand."""

import asyncio
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from incidents.domain.rollback.state import RollbackStatus
from sandbox.server import running_sandbox
from sandbox.temporal_server import free_port, running_temporal, stop
from tests.system.conftest import Stage, stage_environment

pytestmark = pytest.mark.timeout(200)

ALERT: dict[str, Any] = {"title": "Evaluations fail", "service": "flag-evaluation", "severity": "critical"}


def verifying(stage: Stage) -> None:
    """Let an incident come as far as the verification of its rollback."""
    stage.recorded()
    stage.sandbox.deploy("eu", "v2.15.0-bad")
    assert stage.start(ALERT)["number"] == 1
    stage.until(1, lambda i: bool(i.rollback.clusters))
    stage.incident("approve", "1", "--by", "ann")
    stage.until(1, lambda i: "consecutive good" in i.rollback.clusters[0].progress or i.status == "monitoring")


def test_57_a_resolution_and_a_restart_of_the_server_during_a_rollback(tmp_path: Path) -> None:
    port = free_port()
    database = tmp_path / "temporal.db"
    with running_sandbox() as sandbox:
        with running_temporal(database, port=port) as (address, _):
            stage = Stage(sandbox, stage_environment(address, sandbox, tmp_path), tmp_path)
            worker = stage.worker()
            verifying(stage)
            said = stage.incident("resolve", "1", "--by", "ann", "--force", "--reason", "looks good")
            assert said["changed"] is True
        with running_temporal(database, port=port):
            incident = stage.until(1, lambda i: i.status == "resolved", seconds=120)
            assert incident.rollback.clusters[0].status is RollbackStatus.HEALTHY
            assert incident.resolved_by == "ann"
            stop(worker)
        assert [row["payload"]["version"] for row in sandbox.ledger("ops_portal")] == ["v2.14.0"]


def patient_runbook(folder: Path) -> str:
    """Return the path of a runbook by which no verification ends within this test."""
    text, changed = Path("sandbox/runbook.demo.yaml").read_text(encoding="utf-8"), folder / "patient.yaml"
    text, windows = re.subn(r"(?m)^  window: \S+", "  window: 10m", text)
    text, limits = re.subn(r"(?m)^  give_up_after: \S+", "  give_up_after: 20m", text)
    assert (windows, limits) == (1, 1), "the runbook of the demo has both settings once"
    changed.write_text(text, encoding="utf-8")
    return str(changed)


def test_58_a_rollback_that_is_cancelled_by_hand_says_what_it_left(
    stage: Stage, worker: subprocess.Popen[str], tmp_path: Path
) -> None:
    stage.environment["RUNBOOK_FILE"] = patient_runbook(tmp_path)
    verifying(stage)

    async def cancel() -> None:
        client = await Client.connect(stage.environment["TEMPORAL_ADDRESS"])
        await client.get_workflow_handle("rollback-eu-001-flag-evaluation").cancel()

    asyncio.run(cancel())
    incident = stage.until(1, lambda i: not i.rollback.clusters[0].status.under_way)
    assert incident.rollback.clusters[0].status is RollbackStatus.FAILED
    assert incident.rollback.clusters[0].detail == "cancelled by hand: the redeployment was started and is not verified"
    stage.until(1, lambda i: any(key.startswith("alarm/") for key in i.ledger.fulfilled))
    assert stage.sandbox.state()["product"]["eu"]["version"] == "v2.14.0"
