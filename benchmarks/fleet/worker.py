"""One worker of `make load`, as shipped but for its activities, which do nothing: the vendors are not what is measured.

python -m benchmarks.fleet.worker host:port
"""

import asyncio
import sys

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.floor import Floor, nothing
from benchmarks.incidents import QUEUE
from benchmarks.shipped import CACHED
from incidents.app.composition.workers import make_worker
from tests.support.fake_activities import FakeActivities
from workflows.registry import WORKFLOWS

READY = "ready"


async def main(address: str) -> None:
    """Work until killed."""
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    methods = [*FakeActivities().methods(), nothing]
    async with make_worker(client, QUEUE, methods, (*WORKFLOWS, Floor), sandboxed=False, cached=CACHED):
        print(READY, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
