"""Workers with versions on a development server, and incidents for them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from incidents.app.composition.workers import deployment_of, make_worker
from incidents.app.settings import load_settings
from incidents.contracts import IncidentInput
from incidents.domain.incident.opening import opening_from
from tests.cli.conftest import RUNBOOK
from tests.support.environment import an_alert
from tests.support.fake_activities import FakeActivities
from workflows.incident import IncidentWorkflow

QUEUE, DEPLOYMENT = "incidents", "incident-runbook"


@contextlib.asynccontextmanager
async def working(client: Client, build: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A worker of that version, as the settings make one."""
    monkeypatch.setenv("WORKER_DEPLOYMENT_NAME", DEPLOYMENT)
    monkeypatch.setenv("WORKER_BUILD_ID", build)
    version = deployment_of(load_settings())
    async with make_worker(client, QUEUE, FakeActivities().methods(), deployment=version):
        yield


async def make_current(client: Client, build: str) -> None:
    """Make it the current version, as soon as Temporal knows its worker."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build
    )
    async with asyncio.timeout(30):
        while True:
            try:
                await client.workflow_service.set_worker_deployment_current_version(request)
            except RPCError:
                await asyncio.sleep(0.2)
            else:
                return


async def open_incident(client: Client, key: str) -> WorkflowHandle[Any, Any]:
    alert = an_alert(datetime.now(UTC), severity="critical")
    given = IncidentInput(opening=opening_from((alert,), key, RUNBOOK), runbook=RUNBOOK)
    return await client.start_workflow(IncidentWorkflow.run, given, id=f"incident-{key}", task_queue=QUEUE)
