"""The probes of a running verification, as its heartbeats say them to who describes the rollback."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from incidents.client.watching.rollback_probes import ProbeReader, ProbeSeries
from incidents.domain.rollback.verification import ProbeResult
from incidents.gateway.web.pages import probe_chart
from tests.support.environment import QUEUE, World
from tests.support.incidents import at

PROBES = (
    ProbeResult(at=at(0), healthy=True, elapsed_ms=12.5),
    ProbeResult(at=at(1), healthy=False, problem="status 500"),
    ProbeResult(at=at(2), healthy=True, elapsed_ms=14),
)
ID = "rollback-eu-001-flag-evaluation"


@workflow.defn(sandboxed=False)
class Verifying:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            "verify_region",
            start_to_close_timeout=timedelta(minutes=1),
            summary="Verify eu: health and latency",
            result_type=None,
        )


class Region:
    def __init__(self, *heartbeat: Any) -> None:
        self.heartbeat, self.begun, self.release = heartbeat, asyncio.Event(), asyncio.Event()

    @activity.defn
    async def verify_region(self) -> None:
        activity.heartbeat(*self.heartbeat)
        self.begun.set()
        await self.release.wait()


async def heartbeat_seen(client: Client) -> None:
    """Wait until the server has the heartbeat: it is sent a moment after the activity gave it."""
    for _ in range(400):
        described = (await client.get_workflow_handle(ID).describe()).raw_description
        if any(each.HasField("heartbeat_details") for each in described.pending_activities):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no heartbeat")


async def test_the_probes_of_a_running_verification_are_read_without_a_query(empty_world: World) -> None:
    client, reader = empty_world.env.client, ProbeReader(empty_world.env.client)
    assert await reader.read(ID) == (), "no rollback"
    rows = [probe.model_dump(mode="json", exclude_defaults=True) for probe in PROBES]
    region = Region(40, *rows)
    async with Worker(client, task_queue=QUEUE, workflows=[Verifying], activities=[region.verify_region]):
        run = await client.start_workflow(Verifying.run, id=ID, task_queue=QUEUE)
        await region.begun.wait()
        await heartbeat_seen(client)
        [series] = await reader.read(ID)
        assert (series.title, series.count, series.probes) == ("Verify eu: health and latency", 40, PROBES)
        region.release.set()
        await run.result()
    assert await reader.read(ID) == (), "it has ended"


async def test_probes_of_another_version_are_left_out(empty_world: World) -> None:
    client = empty_world.env.client
    region = Region(3, {"unknown": "shape"})
    async with Worker(client, task_queue=QUEUE, workflows=[Verifying], activities=[region.verify_region]):
        run = await client.start_workflow(Verifying.run, id=ID, task_queue=QUEUE)
        await region.begun.wait()
        await heartbeat_seen(client)
        assert await ProbeReader(client).read(ID) == ()
        region.release.set()
        await run.result()


def test_the_chart_leaves_failed_probes_out() -> None:
    drawn = probe_chart(ProbeSeries(title="Verify eu: health and latency", count=3, probes=PROBES))
    assert drawn.startswith("<svg")
    assert "Verify eu: health and latency" in drawn
    assert "<script" not in drawn
