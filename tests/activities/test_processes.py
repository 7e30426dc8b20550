"""What is asked of Temporal itself, on a real server: locks, ends, earlier incidents, the recorder's memory."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.processes import WorkflowQueries
from activities.rollback.past import PastIncidents
from incidents import search_attributes as attributes
from incidents.domain.rollback.activity_requests import FindLockHolder, FollowRollback
from incidents.domain.rollback.baseline import Recording
from incidents.domain.rollback.order import HOLDER, Probed, RollbackResult
from incidents.domain.rollback.state import RollbackStatus
from tests.support.servers.dev_server import DevServer

QUEUE = "processes-test"


@workflow.defn(name="RollbackWorkflow", sandboxed=False)
class Waiting:
    """A rollback that ends when it is told how it goes."""

    def __init__(self) -> None:
        self.heard: Probed | None = None

    @workflow.run
    async def run(self) -> RollbackResult:
        await workflow.wait_condition(lambda: self.heard is not None)
        return RollbackResult(cluster="eu-001", attempt=1, status=RollbackStatus.HEALTHY, detail="well")

    @workflow.signal
    def probed(self, probed: Probed) -> None:
        self.heard = probed


@workflow.defn(name="IncidentWorkflow", sandboxed=False)
class Known:
    """An incident of which only visibility matters."""

    @workflow.run
    async def run(self) -> None:
        return None


@pytest.fixture
async def client(dev_server: DevServer) -> AsyncIterator[Client]:
    client, runner = await dev_server.client(), UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=QUEUE, workflows=[Waiting, Known], workflow_runner=runner):
        yield client


async def waiting(client: Client) -> str:
    handle = await client.start_workflow(
        Waiting.run, id="rollback-eu-001-flags", task_queue=QUEUE, memo={HOLDER: "INC-7, by ann"}
    )
    return handle.id


async def test_52_who_holds_a_lock(client: Client) -> None:
    wanted = FindLockHolder(key="k", workflow_id=await waiting(client))
    said = (await WorkflowQueries(client).find_lock_holder(wanted)).detail
    assert said.startswith("INC-7, by ann since ")
    assert said.endswith("UTC (rollback-eu-001-flags)")


async def following(client: Client) -> asyncio.Task[str]:
    """Follow the rollback, as an activity would."""
    wanted = FollowRollback(key="k", workflow_id=await waiting(client))

    async def follow() -> str:
        outcome = await ActivityEnvironment().run(WorkflowQueries(client).follow_rollback, wanted)
        return outcome.detail

    return asyncio.create_task(follow())


async def test_a_rollback_is_followed_to_its_end_and_told_how_it_goes(client: Client) -> None:
    ending = await following(client)
    await WorkflowQueries(client).send_progress("rollback-eu-001-flags", Probed(region="eu", summary="3 probes"))
    assert await asyncio.wait_for(ending, 20) == "healthy"


async def test_a_rollback_that_is_terminated_is_an_error_that_says_so(client: Client) -> None:
    ending = await following(client)
    await client.get_workflow_handle("rollback-eu-001-flags").terminate("by hand")
    with pytest.raises(ApplicationError, match="the rollback workflow failed") as broken:
        await asyncio.wait_for(ending, 20)
    assert broken.value.non_retryable


async def test_telling_one_that_has_ended_is_no_harm(client: Client) -> None:
    await WorkflowQueries(client).send_progress("rollback-nobody", Probed(region="eu", summary="x"))


async def an_incident(
    client: Client,
    number: int,
    service: str,
    releases: list[str],
    restored: tuple[str, ...] = (),
    drill: bool | None = None,
    key: str = "",
) -> None:
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(attributes.NUMBER, number),
        SearchAttributePair(attributes.SERVICE, service),
        SearchAttributePair(attributes.BAD_RELEASES, releases),
    ]
    if drill is not None:
        pairs.append(SearchAttributePair(attributes.DRILL, drill))
    if restored:
        pairs.append(SearchAttributePair(attributes.RESTORED, list(restored)))
    known = TypedSearchAttributes(pairs)
    name = f"incident-{key or number}"
    started = await client.start_workflow(Known.run, id=name, task_queue=QUEUE, search_attributes=known)
    if key:
        await started.terminate()


async def test_49_what_earlier_incidents_of_the_service_know(client: Client) -> None:
    await an_incident(client, 1, "flags", ["v1", "v2"])
    await an_incident(client, 2, "dashboard", ["v3"])
    await an_incident(client, 3, "flags", ["v9"])
    past = PastIncidents(client)
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while len((await past.known_releases("flags", "nobody", None)).bad) < 3:  # visibility lags behind
        assert datetime.now(UTC) < deadline
        await asyncio.sleep(0.1)
    found = await past.known_releases("flags", "incident-3", 3)
    assert (found.bad, found.problem) == (dict.fromkeys(("v1", "v2"), "suspected or flagged in INC-1"), "")


async def test_49_an_earlier_incident_of_the_same_correlation_key_is_no_part_of_this_one(client: Client) -> None:
    await an_incident(client, 1, "flags", ["v1"], restored=("row-1",), key="again")
    await an_incident(client, 2, "flags", ["v2"], restored=("row-2",), key="again")
    past = PastIncidents(client)
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while len((await past.known_releases("flags", "nobody", None)).bad) < 2:  # visibility lags behind
        assert datetime.now(UTC) < deadline
        await asyncio.sleep(0.1)
    found = await past.known_releases("flags", "incident-again", 2)
    assert (found.bad, found.restored) == ({"v1": "suspected or flagged in INC-1"}, ("row-1",))


async def test_90_what_rollbacks_of_any_earlier_incident_restored(client: Client) -> None:
    await an_incident(client, 1, "flags", ["v2"], restored=("row-1",))
    await an_incident(client, 2, "webhooks", ["v3"], restored=("row-2",))
    await an_incident(client, 3, "flags", ["v4"], restored=("row-3",), drill=False)
    await an_incident(client, 4, "flags", ["v5"], restored=("row-4",), drill=True)
    past = PastIncidents(client)
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while len((await past.known_releases("flags", "nobody", None)).restored) < 3:  # visibility lags behind
        assert datetime.now(UTC) < deadline
        await asyncio.sleep(0.1)
    found = await past.known_releases("flags", "incident-3", 3)
    assert sorted(found.restored) == ["row-1", "row-2"]
    assert found.bad.keys() == {"v2"}


async def test_a_server_that_cannot_be_asked_hides_nothing(client: Client) -> None:
    other = Client(client.service_client, namespace="nowhere", data_converter=pydantic_data_converter)
    found = await PastIncidents(other).known_releases("flags", "x", 1)
    assert (found.bad, found.restored) == ({}, ())
    assert "earlier incidents unavailable" in found.problem


async def test_a_recorder_that_never_ran_remembers_nothing(client: Client) -> None:
    assert await WorkflowQueries(client).recording() == Recording()
