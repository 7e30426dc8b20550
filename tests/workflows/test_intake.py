"""A storm of alerts on the real server: nothing is lost, nothing is doubled, and nothing wedges."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.numbers import Numbers
from runbook.alert import Alert
from runbook.commands import PostUpdate, Receipt
from runbook.incident import Incident
from starter import Started, intake
from tests.workflows.hands import FakeHands
from tests.workflows.world import QUEUE, RUNBOOK, an_alert
from worker import make_worker
from workflows.attributes import SEARCH_ATTRIBUTES

pytestmark = pytest.mark.timeout(120)
NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncIterator[tuple[WorkflowEnvironment, FakeHands]]:
    """The development server, with a worker whose only real hand is the one that numbers."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=shutil.which("temporal"),
        data_converter=pydantic_data_converter,
        search_attributes=list(SEARCH_ATTRIBUTES),
    ) as env:
        hands = FakeHands()
        methods = [m for m in hands.methods() if m.__temporal_activity_definition.name != "allocate_number"]  # type: ignore[attr-defined]
        async with make_worker(env.client, QUEUE, [*methods, Numbers(env.client, QUEUE).allocate_number]):
            yield env, hands


async def sent(env: WorkflowEnvironment, alert: Alert, patience: float = 40) -> Started:
    [started] = await intake(env.client, [alert], RUNBOOK, QUEUE, patience=timedelta(seconds=patience))
    return started


async def test_1_fifty_equal_alerts_at_once_are_one_incident(server: tuple[WorkflowEnvironment, FakeHands]) -> None:
    env, _ = server
    answers = await asyncio.gather(*(sent(env, an_alert(NOW)) for _ in range(50)))
    assert {answer.number for answer in answers} == {1}
    assert len([answer for answer in answers if answer.created]) == 1
    handle = env.client.get_workflow_handle(answers[0].workflow_id)
    incident: Incident = await handle.query("incident", result_type=Incident)
    assert [alert.times for alert in incident.alerts] == [50]


async def test_2_fifty_different_alerts_at_once_are_fifty_incidents(
    server: tuple[WorkflowEnvironment, FakeHands],
) -> None:
    env, _ = server
    alerts = [an_alert(NOW, service=f"service-{n}", severity="low") for n in range(50)]
    answers = await asyncio.gather(*(sent(env, alert) for alert in alerts))
    assert sorted(answer.number or 0 for answer in answers) == list(range(1, 51))
    assert all(answer.created for answer in answers)


async def test_a_burst_of_updates_supersedes_itself_and_wedges_nothing(
    server: tuple[WorkflowEnvironment, FakeHands],
) -> None:
    """Each update gives up the deliveries of the one before, some of which have just ended."""
    env, hands = server
    started = await sent(env, an_alert(NOW))
    handle = env.client.get_workflow_handle(started.workflow_id)
    for number in range(30):
        command = PostUpdate(by="ann", text=f"news {number}")
        await handle.execute_update("post_update", command, result_type=Receipt, rpc_timeout=timedelta(seconds=10))
    last = f"update/{31}/"
    for _ in range(400):
        incident: Incident = await handle.query("incident", result_type=Incident)
        if len([key for key in incident.fulfilled if key.startswith(last)]) == 3:
            break
        await asyncio.sleep(0.05)
    delivered = [call.effect for call in hands.calls if call.name == "publish_status"]
    assert delivered[-1].sequence == 31
    assert "news 29" in delivered[-1].body
    sequences = [effect.sequence for effect in delivered]
    assert sequences == sorted(sequences)
