"""Incident numbers: unique under a storm, the same for the same run."""

import asyncio

from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from activities.numbers import Numbers
from incidents.domain.activity_requests import AllocateNumber
from incidents.domain.numbering import Allocation
from tests.support.servers.dev_server import DevServer
from workflows.numbering import IncidentNumbersWorkflow
from workflows.registry import sandbox_runner


async def test_2_numbers_are_unique_and_repeatable(dev_server: DevServer) -> None:
    client = await dev_server.client()
    numbers = Numbers(client, "numbers")

    async def ask(run: str) -> int:
        allocation = Allocation(first_run_id=run, workflow_id=f"incident-{run}")
        wanted = AllocateNumber(key="k", allocation=allocation)
        outcome = await ActivityEnvironment().run(numbers.allocate_number, wanted)
        assert outcome.detail == f"INC-{outcome.number}"
        assert outcome.number is not None
        return outcome.number

    async with Worker(
        client, task_queue="numbers", workflows=[IncidentNumbersWorkflow], workflow_runner=sandbox_runner()
    ):
        storm = await asyncio.gather(*(ask(f"run-{n}") for n in range(20)))
        assert sorted(storm) == list(range(1, 21)), "the first of them also starts the counter"
        assert await asyncio.gather(*(ask(f"run-{n}") for n in range(20))) == storm
        assert await ask("run-20") == 21
