"""A P0 that is opened behind a storm of P3s: how long its page waits, against a P0 alone in the same run.

Measured twice on fresh servers: with workflows that start with their severity's priority, and without. Activities
carry a priority in both.
"""

import asyncio
import statistics
from typing import Any

from rich.console import Console
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowHandle,
)
from temporalio.common import Priority
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.incidents import QUEUE, opened, page_seconds
from benchmarks.results import Row
from benchmarks.server import server
from benchmarks.shipped import CACHED, runbook_at_our_pace
from incidents.app.composition.workers import make_worker
from incidents.domain.config.model import RunbookConfig
from tests.support.fake_activities import FakeActivities

STORM = 200
"""P3s that are opened right before the P0."""
ALONE = 7
"""P0s that are opened one by one; the first two only warm up."""
AT_ONCE = 64
"""Starts that are sent side by side."""


class WithoutPriority(Interceptor):
    """Starts workflows as before they had a priority."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        """Return the outbound calls of the client, changed."""
        return _Outbound(next)


class _Outbound(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        input.priority = Priority.default
        return await super().start_workflow(input)


async def measure(interceptors: list[Interceptor], runbook: RunbookConfig) -> tuple[float, float]:
    """Return the seconds to the page of a P0 alone (median), and of one behind the storm."""
    async with server() as address:
        client = await Client.connect(address, data_converter=pydantic_data_converter, interceptors=interceptors)
        async with make_worker(client, QUEUE, FakeActivities().methods(), sandboxed=False, cached=CACHED):
            alone = [await page_seconds(await opened(client, runbook, f"alone-{number}")) for number in range(ALONE)]
            gate = asyncio.Semaphore(AT_ONCE)

            async def one(number: int) -> None:
                async with gate:
                    await opened(client, runbook, f"storm-{number}", "low")

            await asyncio.gather(*(one(number) for number in range(STORM)))
            behind = await page_seconds(await opened(client, runbook, "behind"))
    return statistics.median(alone[2:]), behind


async def rows() -> list[Row]:
    """Measure with and without priorities, each on a fresh server."""
    runbook = runbook_at_our_pace()
    Console(stderr=True).print(f"Opening {STORM} P3s and then a P0, twice, each on a fresh server ...")
    found = []
    for name, interceptors, target in (("without priorities", [WithoutPriority()], None), ("as shipped", [], 2.0)):
        alone, behind = await measure(list(interceptors), runbook)
        found.append(
            Row(f"page of a P0 behind {STORM} P3s, {name}; floor: alone", alone * 1000, behind * 1000, target, "ms")
        )
    return found
