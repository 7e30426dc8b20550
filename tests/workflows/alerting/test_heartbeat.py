"""The watch for a heartbeat, in virtual time: its absence opens an incident, its return ends the alert."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.heartbeats import Heartbeats
from incidents.app.composition.workers import make_worker
from incidents.app.liveness.query_safety import QuerySafety
from incidents.client.heartbeats import ensure_heartbeats, send_heartbeat
from incidents.contracts import (
    HEARTBEAT_CAME,
    HEARTBEAT_RETIRED,
    HEARTBEAT_RULE,
    AlertBatch,
    HeartbeatCame,
    HeartbeatInput,
)
from incidents.domain.heartbeat.config import HeartbeatRule
from incidents.domain.heartbeat.watch import HeartbeatWatch
from incidents.rehearsal.server import skipping_server
from tests.support.determinism.histories import assert_sound
from tests.support.environment import QUEUE, RUNBOOK, World
from tests.support.fake_activities import FakeActivities
from workflows.alerting import heartbeat as heartbeat_module
from workflows.alerting.heartbeat import HeartbeatWorkflow

NAME, ID = "backup", "heartbeat-backup"
RULE = HeartbeatRule(every=timedelta(hours=1), grace=timedelta(minutes=5), service="webhooks", severity="P3")
INCIDENT = "incident-webhooks:production"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with skipping_server() as env:
        world = World(env=env, activities=FakeActivities())
        async with a_worker(world):
            yield world


def a_worker(world: World) -> Worker:
    """A worker whose heartbeats reach the intake, and whose incidents do nothing."""
    heartbeats = Heartbeats(world.env.client, QUEUE, RUNBOOK)
    methods = [*world.activities.methods(), heartbeats.report_heartbeat]
    return make_worker(world.env.client, QUEUE, methods, query_safety=QuerySafety.NONE)


async def begun(world: World, history_limit: int = 500) -> WorkflowHandle[Any, None]:
    start = HeartbeatInput(name=NAME, rule=RULE, history_limit=history_limit)
    return await world.env.client.start_workflow(HeartbeatWorkflow.run, start, id=ID, task_queue=QUEUE)


async def beat(world: World, at: datetime | None = None) -> None:
    came = HeartbeatCame(at=at or await world.now())
    await world.env.client.get_workflow_handle(ID).signal(HEARTBEAT_CAME, came)


async def told(client: Client, workflow_id: str = INCIDENT) -> list[str]:
    """What an incident was told: a plus for each alert that fires, a minus for each that has ended."""
    try:
        history = await client.get_workflow_handle(workflow_id).fetch_history()
    except RPCError:
        return []
    found = [e.workflow_execution_signaled_event_attributes for e in history.events]
    alerts = [
        alert
        for signal in found
        if signal.signal_name.startswith("alert_")
        for alert in AlertBatch.model_validate_json(signal.input.payloads[0].data).alerts
    ]
    assert {alert.fingerprint for alert in alerts} <= {"heartbeat-backup"}
    return ["+" if alert.firing else "-" for alert in alerts]


async def until_told(world: World, expected: list[str]) -> None:
    for _ in range(300):
        if (found := await told(world.env.client)) == expected:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_its_details_are_current_at_each_change_and_after_continue_as_new(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = list[HeartbeatWatch]()

    def show(watch: HeartbeatWatch) -> str:
        shown.append(watch)
        return ""

    monkeypatch.setattr(heartbeat_module, "render_current_details", show)
    handle = await begun(world, history_limit=20)
    for _ in range(9):
        await world.pass_time(timedelta(minutes=30))
        await beat(world)
    described = await world.env.client.get_workflow_handle(ID).describe()
    assert described.run_id != handle.first_execution_run_id
    await world.env.client.get_workflow_handle(ID).signal(HEARTBEAT_RULE, RULE.replace(every=timedelta(minutes=10)))
    await world.pass_time(timedelta(minutes=1))
    assert not shown[0].came
    assert len({watch.last_at for watch in shown}) == 10
    assert shown[-1].rule.every == timedelta(minutes=10)


async def test_an_absence_opens_an_incident_and_a_return_ends_it(world: World) -> None:
    await begun(world)
    for _ in range(3):
        await world.pass_time(timedelta(minutes=58))
        await beat(world)
    assert await told(world.env.client) == []
    await world.pass_time(timedelta(minutes=66))
    await until_told(world, ["+"])
    await world.pass_time(timedelta(hours=5))
    assert await told(world.env.client) == ["+"], "once for each absence"
    await beat(world)
    await until_told(world, ["+", "-"])
    await world.pass_time(timedelta(minutes=66))
    await until_told(world, ["+", "-", "+"])
    await assert_sound(world.env.client, ID)


async def test_one_that_never_came_is_owed_from_the_start(world: World) -> None:
    await begun(world)
    await world.pass_time(timedelta(minutes=66))
    await until_told(world, ["+"])


async def test_it_goes_on_as_new_and_remembers(world: World) -> None:
    handle = await begun(world, history_limit=20)
    first = handle.first_execution_run_id
    for _ in range(8):
        await world.pass_time(timedelta(minutes=30))
        await beat(world)
    await world.pass_time(timedelta(minutes=50))
    assert await told(world.env.client) == []
    described = await world.env.client.get_workflow_handle(ID).describe()
    assert described.run_id != first
    await world.pass_time(timedelta(minutes=20))
    await until_told(world, ["+"])
    await assert_sound(world.env.client, ID)


async def test_a_changed_rule_counts_from_the_last_heartbeat(world: World) -> None:
    handle = await begun(world)
    await world.pass_time(timedelta(minutes=30))
    await beat(world)
    await handle.signal(HEARTBEAT_RULE, RULE.replace(every=timedelta(minutes=10)))
    await world.pass_time(timedelta(minutes=17))
    await until_told(world, ["+"])


async def test_one_that_the_runbook_does_not_name_any_more_ends(world: World) -> None:
    handle = await begun(world)
    await handle.signal(HEARTBEAT_RETIRED)
    await handle.result()
    assert await told(world.env.client) == []


async def test_the_watches_are_those_of_the_runbook(empty_world: World) -> None:
    """What worker and gateway do when they start, any number of times."""
    client = empty_world.env.client
    both = RUNBOOK.replace(heartbeats={NAME: RULE, "other": RULE})
    async with a_worker(empty_world):
        for _ in range(2):
            assert await ensure_heartbeats(client, both, QUEUE) == "Heartbeats watched: backup, other"
        first = await client.get_workflow_handle(ID).describe()
        await send_heartbeat(client, NAME, RULE, await empty_world.now(), QUEUE)
        other = client.get_workflow_handle("heartbeat-other")
        while (await other.describe()).status is WorkflowExecutionStatus.RUNNING:
            await ensure_heartbeats(client, RUNBOOK.replace(heartbeats={NAME: RULE}), QUEUE)  # visibility lags
        described = await client.get_workflow_handle(ID).describe()
        assert (described.run_id, described.status) == (first.run_id, WorkflowExecutionStatus.RUNNING)
        await ensure_heartbeats(client, both, QUEUE)
        assert (await other.describe()).status is WorkflowExecutionStatus.RUNNING
