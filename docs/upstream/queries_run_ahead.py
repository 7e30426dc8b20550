"""The smallest program that shows it: a query makes a workflow's history unreplayable (TMPRL1100).

    python docs/upstream/queries_run_ahead.py

It needs temporalio 1.35 and the Temporal CLI (`temporal`) on the PATH. queries-run-ahead.md explains what happens.
"""

import asyncio
import shutil
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker
from temporalio.workflow import NondeterminismError

WORKFLOWS = 10
"""At once, as the order in which a worker gets query and task is not always the same."""


@workflow.defn
class OnTime:
    """Sleeps one second, and does one of two things, depending on whether that second has passed."""

    @workflow.run
    async def run(self) -> None:
        """Sleep, look at the workflow's clock, sleep once or twice."""
        due = workflow.now() + timedelta(seconds=1)
        await workflow.sleep(1)
        if workflow.now() < due:  # never true, says the workflow's contract
            await asyncio.gather(workflow.sleep(60), workflow.sleep(60))
        await workflow.sleep(60)

    @workflow.query
    def anything(self) -> str:
        """Answer."""
        return "an answer"


async def unreplayable(client: Client, handle: WorkflowHandle[OnTime, None]) -> bool:
    """Tell whether the workflow's history does not replay."""
    try:
        await Replayer(workflows=[OnTime]).replay_workflow(await handle.fetch_history())
    except NondeterminismError:
        return True
    return False


async def main() -> None:
    """Stop a worker, ask, let the timers fire, start another worker, and replay."""
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=shutil.which("temporal")) as env:
        async with Worker(env.client, task_queue="q", workflows=[OnTime]):
            handles = [
                await env.client.start_workflow(OnTime.run, id=f"on-time-{n}", task_queue="q") for n in range(WORKFLOWS)
            ]
            await asyncio.gather(*(handle.query(OnTime.anything) for handle in handles))
        questions = [asyncio.create_task(handle.query(OnTime.anything)) for handle in handles]
        await asyncio.sleep(2)  # the timers fire
        async with Worker(env.client, task_queue="q", workflows=[OnTime]):
            await asyncio.gather(*questions)
            await asyncio.sleep(2)
        broken = [await unreplayable(env.client, handle) for handle in handles]
        print(f"{sum(broken)} of {WORKFLOWS} histories do not replay")


if __name__ == "__main__":
    asyncio.run(main())
