"""The smallest program that shows it: a workflow whose task took too long once stands still for ever.

    python docs/upstream/evicted_while_running.py

It needs temporalio 1.35 and the Temporal CLI (`temporal`) on the PATH. evicted-while-running.md explains what happens.
"""

import asyncio
import os
import shutil
import time
from datetime import timedelta

from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

WAIT = 30
"""Seconds that the workflow is given. It needs less than ten."""
stalled: list[str] = []


def stall_once(run_id: str) -> None:
    """Take longer than the SDK allows, the first time: as a busy machine does."""
    if run_id not in stalled:
        stalled.append(run_id)
        time.sleep(5)


@workflow.defn
class Stalled:
    """Begins some work, stalls once, and waits for the work."""

    @workflow.run
    async def run(self) -> None:
        """Begin, stall, wait."""
        work = [asyncio.create_task(workflow.sleep(0.1)) for _ in range(3)]
        stall_once(workflow.info().run_id)
        await asyncio.gather(*work)


async def main() -> None:
    """Run one such workflow, and print whether it ended."""
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=shutil.which("temporal")) as env:
        worker = Worker(env.client, task_queue="q", workflows=[Stalled], workflow_runner=UnsandboxedWorkflowRunner())
        running = asyncio.create_task(worker.run())
        handle = await env.client.start_workflow(
            Stalled.run, id="stalled", task_queue="q", task_timeout=timedelta(seconds=5)
        )
        ended, _ = await asyncio.wait([asyncio.create_task(handle.result())], timeout=WAIT)
        print("it ended" if ended else f"it has not ended after {WAIT} s")
        stopping = asyncio.create_task(worker.shutdown())
        stopped, _ = await asyncio.wait([stopping], timeout=WAIT)
        print("the worker stopped" if stopped else f"the worker has not stopped after {WAIT} s")
    running.cancel()
    os._exit(0)  # threads of the worker may be left


if __name__ == "__main__":
    asyncio.run(main())
