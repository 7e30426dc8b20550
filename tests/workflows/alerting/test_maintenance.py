"""15: a window that a responder starts reaches the next alert, and its early end the incidents that wait."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from activities.maintenance import Maintenance
from incidents.client.delivery.submission import Submission
from incidents.client.intake import intake
from incidents.client.maintenance import send_window, started_windows
from incidents.client.problems import CommandFailed
from incidents.contracts import WINDOWS_MEMO
from incidents.domain.alerting.started_windows import EndWindow, StartWindow
from incidents.domain.core.status import Status
from incidents.names import MAINTENANCE_ID, MAINTENANCE_WORKFLOW
from tests.support.determinism.histories import assert_sound
from tests.support.environment import QUEUE, World
from workflows.incident import IncidentWorkflow

TIMEOUT = timedelta(seconds=20)


@pytest.fixture
async def maintained(empty_world: World) -> AsyncIterator[World]:
    """A world on the development server, whose worker really tells incidents."""
    empty_world.activities.real["announce_windows"] = Maintenance(empty_world.env.client).announce_windows
    async with empty_world.worker():
        yield empty_world


async def alert(world: World, service: str) -> str:
    """Bring an alert to the intake, as the gateway does; return its incident's workflow id."""
    body = json.dumps({"title": "Slow", "service": service, "severity": "critical"}).encode()
    alerts = Submission.of_alerts(body, datetime.now(UTC)).alerts
    [told] = await intake(world.env.client, alerts, world.runbook, QUEUE, give_up_after=timedelta())
    return told.workflow_id


async def test_15_a_started_window_lets_alerts_wait_and_its_end_opens_them(maintained: World) -> None:
    client = maintained.env.client
    until = datetime.now(UTC) + timedelta(hours=1)
    start = StartWindow(by="ann", until=until, service="dashboard", reason="upgrade", id="one")
    assert (await send_window(client, start, QUEUE, TIMEOUT)).message.startswith("Maintenance window 1: service")
    await send_window(client, start, QUEUE, TIMEOUT)  # a repeated delivery
    assert [(each.number, each.by) for each in await started_windows(client)] == [(1, "ann")]
    waits, opens = await alert(maintained, "dashboard"), await alert(maintained, "webhooks")
    waiting = client.get_workflow_handle(waits)
    other = client.get_workflow_handle(opens)
    assert (await waiting.query(IncidentWorkflow.incident)).alerting.waiting is not None
    assert (await other.query(IncidentWorkflow.incident)).alerting.waiting is None
    with pytest.raises(CommandFailed, match="No maintenance window 7"):
        await send_window(client, EndWindow(by="ann", number=7), QUEUE, TIMEOUT)
    await send_window(client, EndWindow(by="ann", number=1), QUEUE, TIMEOUT)
    assert await started_windows(client) == ()
    for _ in range(300):
        incident = await waiting.query(IncidentWorkflow.incident)
        if incident.number is not None:
            break
        await asyncio.sleep(0.1)
    assert (incident.status, incident.alerting.waiting) == (Status.INVESTIGATING, None)
    assert [c for c in maintained.activities.calls if c.name == "send_page" and c.effect.dedup_key == waits]
    await assert_sound(client, MAINTENANCE_ID)


async def test_15_windows_that_cannot_be_read_keep_no_alert_from_its_incident(empty_world: World) -> None:
    """The memo is one that this version does not understand."""
    client = empty_world.env.client
    memo = {WINDOWS_MEMO: [{"number": "many"}]}
    await client.start_workflow(MAINTENANCE_WORKFLOW, id=MAINTENANCE_ID, task_queue="nobody", memo=memo)
    with pytest.raises(ValidationError):
        await started_windows(client)
    async with empty_world.worker():
        opened = client.get_workflow_handle(await alert(empty_world, "dashboard"))
        assert (await opened.query(IncidentWorkflow.incident)).alerting.waiting is None
    await client.get_workflow_handle(MAINTENANCE_ID).terminate()
