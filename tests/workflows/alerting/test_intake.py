"""A storm of alerts on the real server: nothing is lost, nothing is doubled, and nothing wedges."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities.numbers import Numbers
from incidents.app.composition.workers import make_worker
from incidents.app.starter import ByHand, declare
from incidents.client.intake import AlertGathering, Started, intake, start
from incidents.contracts import drill_queue
from incidents.domain.alerting.alert import Alert
from incidents.domain.alerting.config import Surge
from incidents.domain.core.command import Receipt
from incidents.domain.incident.commands import Cancel, PostUpdate, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.commands import ApproveRollback
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.surge.state import SurgeParent
from incidents.priority import LAST_RANK
from tests.support.environment import QUEUE, RUNBOOK, an_alert
from tests.support.fake_activities import FakeActivities, an_offer
from tests.support.reads import SeenReads
from tests.support.servers.dev_server import DevServer

pytestmark = pytest.mark.timeout(120)
NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)


@pytest.fixture
async def server(dev_server: DevServer) -> AsyncIterator[tuple[WorkflowEnvironment, FakeActivities]]:
    """The development server, with a worker whose only real activity allocates numbers."""
    env, activities = WorkflowEnvironment.from_client(await dev_server.client()), FakeActivities()
    methods = [m for m in activities.methods() if m.__temporal_activity_definition.name != "allocate_number"]  # type: ignore[attr-defined]
    async with make_worker(env.client, QUEUE, [*methods, Numbers(env.client, QUEUE).allocate_number]):
        yield env, activities


@pytest.fixture
async def unattended(dev_server: DevServer) -> Client:
    """A client of the development server, on which no worker runs."""
    return await dev_server.client()


async def priority(client: Client, workflow_id: str) -> int:
    """The priority that a workflow was started with."""
    started = await anext(client.get_workflow_handle(workflow_id).fetch_history_events())
    return started.workflow_execution_started_event_attributes.priority.priority_key


async def becomes(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so."""
    for _ in range(400):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never {condition.__name__}")


async def sent(env: WorkflowEnvironment, alert: Alert, give_up_after: float = 40) -> Started:
    [started] = await intake(env.client, [alert], RUNBOOK, QUEUE, give_up_after=timedelta(seconds=give_up_after))
    return started


async def test_1_fifty_equal_alerts_at_once_are_one_incident(
    server: tuple[WorkflowEnvironment, FakeActivities],
) -> None:
    env, _ = server
    answers = await asyncio.gather(*(sent(env, an_alert(NOW)) for _ in range(50)))
    assert {answer.number for answer in answers} == {1}
    assert len([answer for answer in answers if answer.created]) == 1
    handle = env.client.get_workflow_handle(answers[0].workflow_id)
    incident: Incident = await handle.query("incident", result_type=Incident)
    assert [alert.times for alert in incident.alerting.alerts] == [50]


async def test_2_fifty_different_alerts_at_once_are_fifty_incidents(
    server: tuple[WorkflowEnvironment, FakeActivities],
) -> None:
    env, _ = server
    alerts = [an_alert(NOW, service=f"service-{n}", severity="low") for n in range(50)]
    answers = await asyncio.gather(*(sent(env, alert) for alert in alerts))
    assert sorted(answer.number or 0 for answer in answers) == list(range(1, 51))
    assert all(answer.created for answer in answers)


async def test_14_9_in_a_surge_the_first_incident_informs_the_customers_until_it_is_resolved(
    server: tuple[WorkflowEnvironment, FakeActivities],
) -> None:
    env, activities = server
    runbook = RUNBOOK.replace(intake=RUNBOOK.intake.replace(surge=Surge(per_minute=2)))
    opened = []
    for n in range(1, 5):
        [started] = await intake(
            env.client, [an_alert(NOW, environment=f"e{n}")], runbook, QUEUE, give_up_after=timedelta(seconds=40)
        )
        opened.append(env.client.get_workflow_handle(started.workflow_id, run_id=started.run_id))

    async def incident(n: int) -> Incident:
        found: Incident = await opened[n - 1].query("incident", result_type=Incident)
        return found

    def informed(run_id: str) -> bool:
        return any(call.name == "publish_status" and run_id in call.effect.key for call in activities.calls)

    async def parent_knows_both() -> bool:
        return [child.number for child in (await incident(1)).surge.active_children] == [3, 4]

    await becomes(parent_knows_both)
    child = await incident(4)
    assert child.surge.parent == SurgeParent(number=1, workflow_id=opened[0].id, severity="P0")
    resolve = Resolve(by="ann", force=True, reason="test")
    await opened[0].execute_update(resolve.name, resolve, result_type=Receipt)

    async def child_informs() -> bool:
        return informed(child.first_run_id)

    assert not informed(child.first_run_id)
    await becomes(child_informs)
    assert (await incident(4)).surge.left == "resolved"
    cancel = Cancel(by="ann", reason="test")
    await opened[1].execute_update(cancel.name, cancel, result_type=Receipt)
    await opened[1].result()
    again = await sent(env, an_alert(NOW, environment="e2"))
    found: Incident = await env.client.get_workflow_handle(again.workflow_id).query("incident", result_type=Incident)
    assert (found.number, found.recurrence_of) == (5, 2)


async def test_a_sender_that_does_not_wait_still_learns_what_is_new(unattended: Client) -> None:
    """The gateway: one call of the server for each incident, also when an alert ends; maintenance is read once."""
    seen = SeenReads()
    client = seen.client(unattended)

    async def brought(alert: Alert) -> Started:
        [started] = await intake(client, [alert], RUNBOOK, QUEUE, give_up_after=timedelta())
        return started

    first, again = await brought(an_alert(NOW)), await brought(an_alert(NOW))
    assert [(s.action, s.created, s.number) for s in (first, again)] == [
        ("opened", True, None),
        ("updated", False, None),
    ]
    assert first.run_id == again.run_id
    ended = await brought(an_alert(NOW).replace(ended_at=NOW + timedelta(minutes=1)))
    assert (ended.action, ended.created, ended.run_id) == ("updated", False, None)
    other = await brought(an_alert(NOW, service="other").replace(ended_at=NOW + timedelta(minutes=1)))
    assert other.action == "ignored"
    assert (seen.queries, seen.descriptions) == ([], 1)
    described = await unattended.get_workflow_handle(first.workflow_id).describe()
    assert described.run_id == first.run_id


class SeenStarts(Interceptor):
    """Counts the starts of a client."""

    count = 0

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        seen = self

        class Outbound(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
                seen.count += 1
                return await super().start_workflow(input)

        return Outbound(next)


async def test_a_process_that_remembers_a_run_only_signals_it_while_it_is_open(unattended: Client) -> None:
    seen, gathering = SeenStarts(), AlertGathering()
    client = Client(**unattended.config() | {"interceptors": [seen]})

    async def brought() -> Started:
        [started] = await intake(
            client, [an_alert(NOW)], RUNBOOK, QUEUE, give_up_after=timedelta(), gathering=gathering
        )
        return started

    first, again = await brought(), await brought()
    assert (again.run_id, again.action, again.created, seen.count) == (first.run_id, "updated", False, 1)
    handle = unattended.get_workflow_handle(first.workflow_id)
    events = (await handle.fetch_history()).events
    assert len([e for e in events if e.HasField("workflow_execution_signaled_event_attributes")]) == 2
    await handle.terminate("over")
    reopened = await brought()
    assert (reopened.action, reopened.created, seen.count) == ("opened", True, 2)
    assert reopened.run_id != first.run_id
    assert (await brought()).run_id == reopened.run_id
    assert seen.count == 2


def test_the_run_that_was_remembered_first_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.client.intake._MOST_RUNS", 2)
    gathering = AlertGathering()
    for key in "abac":
        gathering.remember(key, f"run of {key}")
    assert list(gathering.runs) == ["b", "c"]


async def test_the_number_is_read_from_the_servers_own_record(
    server: tuple[WorkflowEnvironment, FakeActivities],
) -> None:
    env, _ = server
    seen = SeenReads()
    give_up_after = timedelta(seconds=40)
    [started] = await intake(seen.client(env.client), [an_alert(NOW)], RUNBOOK, QUEUE, give_up_after=give_up_after)
    assert (started.number, seen.queries) == (1, [])
    ended = an_alert(NOW).replace(ended_at=NOW + timedelta(minutes=1))
    [told] = await intake(seen.client(env.client), [ended], RUNBOOK, QUEUE, give_up_after=give_up_after)
    assert (told.action, told.number, told.run_id, seen.queries) == ("updated", 1, started.run_id, [])


async def test_without_a_worker_the_number_is_waited_for_no_longer_than_told(unattended: Client) -> None:
    seen = SeenReads()
    give_up_after = timedelta(seconds=1)
    [started] = await intake(seen.client(unattended), [an_alert(NOW)], RUNBOOK, QUEUE, give_up_after=give_up_after)
    assert (started.number, started.created, seen.queries) == (None, True, [])
    assert 1 < seen.descriptions < 6, "with longer and longer pauses"


async def test_the_number_of_a_new_incident_is_not_read_at_once(unattended: Client) -> None:
    seen, briefly = SeenReads(), timedelta(seconds=0.05)
    declared = declare(ByHand(title="It fails", service="dashboard", severity="P0", by="ann"), RUNBOOK)
    again = (seen.client(unattended), declared.workflow_id, declared.opening, RUNBOOK, QUEUE)
    started = await start(*again, give_up_after=briefly)
    assert (started.created, started.number, seen.descriptions) == (True, None, 0)
    await start(*again, give_up_after=timedelta(seconds=2))
    assert seen.descriptions > 0, "an incident that was open before may have its number"


async def test_workflows_start_with_the_priority_of_their_severity(
    server: tuple[WorkflowEnvironment, FakeActivities],
) -> None:
    env, activities = server
    activities.offers = (an_offer(datetime.now(UTC)),)
    urgent = await sent(env, an_alert(datetime.now(UTC)))
    minor = await sent(env, an_alert(NOW, service="dashboard", severity="low"))
    assert await priority(env.client, urgent.workflow_id) == 1
    assert await priority(env.client, minor.workflow_id) == 4
    assert await priority(env.client, "incident-numbers") == 1
    handle = env.client.get_workflow_handle(urgent.workflow_id)

    async def offered() -> bool:
        incident: Incident = await handle.query("incident", result_type=Incident)
        return bool(incident.rollback.clusters)

    async def handed_over() -> bool:
        return (await env.client.count_workflows("WorkflowType = 'PostmortemWorkflow'")).count == 1

    await becomes(offered)
    for command in (ApproveRollback(by="ann"), Resolve(by="ann", force=True, reason="seen")):
        await handle.execute_update(command.name, command, result_type=Receipt)
    await becomes(handed_over)
    assert await priority(env.client, "rollback-eu-001-flag-evaluation") == 1
    assert await priority(env.client, f"postmortem-{urgent.number}") == LAST_RANK, "nobody is paged for it"


async def test_a_burst_of_updates_supersedes_itself_and_wedges_nothing(
    server: tuple[WorkflowEnvironment, FakeActivities],
) -> None:
    """Each update gives up the deliveries of the one before, some of which have just ended."""
    env, activities = server
    started = await sent(env, an_alert(NOW))
    handle = env.client.get_workflow_handle(started.workflow_id)
    for number in range(30):
        command = PostUpdate(by="ann", text=f"news {number}")
        await handle.execute_update("post_update", command, result_type=Receipt, rpc_timeout=timedelta(seconds=10))
    last = f"update/{31}/"
    for _ in range(400):
        incident: Incident = await handle.query("incident", result_type=Incident)
        if len([key for key in incident.ledger.fulfilled if key.startswith(last)]) == 3:
            break
        await asyncio.sleep(0.05)
    delivered = [call.effect for call in activities.calls if call.name == "publish_status"]
    assert delivered[-1].sequence == 31
    assert "news 29" in delivered[-1].body
    sequences = [effect.sequence for effect in delivered]
    assert sequences == sorted(sequences)


async def test_81_a_drill_runs_on_the_queue_whose_workers_bind_it_to_sinks(unattended: Client) -> None:
    for drill, queue in ((True, f"{QUEUE}-drill"), (False, QUEUE)):
        typed = ByHand(title="It fails", service="flag-evaluation", severity="P0", by="ann", drill=drill)
        declared = declare(typed, RUNBOOK)
        await start(unattended, declared.workflow_id, declared.opening, RUNBOOK, QUEUE, give_up_after=timedelta())
        described = await unattended.get_workflow_handle(declared.workflow_id).describe()
        assert described.task_queue == queue


async def test_81_a_drill_and_its_post_mortem_ask_no_activity_of_another_queue(
    server: tuple[WorkflowEnvironment, FakeActivities],
) -> None:
    env, real = server
    exercise = FakeActivities(offers=(an_offer(datetime.now(UTC)),))
    typed = ByHand(title="It fails", service="flag-evaluation", severity="P0", by="ann", drill=True)
    declared = declare(typed, RUNBOOK)
    async with make_worker(env.client, drill_queue(QUEUE), exercise.methods()):
        started = await start(env.client, declared.workflow_id, declared.opening, RUNBOOK, QUEUE)
        handle = env.client.get_workflow_handle(declared.workflow_id)
        assert started.number is not None
        incident: Incident = await handle.query("incident", result_type=Incident)
        while not incident.rollback.clusters:
            await asyncio.sleep(0.1)
            incident = await handle.query("incident", result_type=Incident)
        await handle.execute_update(ApproveRollback.name, ApproveRollback(by="ann"), result_type=Receipt)
        process = env.client.get_workflow_handle("drill-rollback-eu-001-flag-evaluation")
        while incident.rollback.clusters[0].status is not RollbackStatus.HEALTHY:
            await asyncio.sleep(0.1)
            incident = await handle.query("incident", result_type=Incident)
        assert (await process.describe()).task_queue == drill_queue(QUEUE)
    assert real.calls == []
