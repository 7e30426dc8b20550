"""A worker process for the chaos run: the real worker, with activities that write to a ledger.

python -m tests.chaos.worker ADDRESS QUEUE LEDGER
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from incidents.app.composition.workers import make_worker
from incidents.app.connection import run_and_exit
from incidents.app.liveness.query_safety import QuerySafety
from incidents.app.settings import load_settings
from tests.chaos.activities import LedgerActivities
from tests.chaos.ledger import Ledger
from tests.support.fake_activities import an_offer

READY = "ready"
"""What the process writes to its log when it takes work."""


async def serve(address: str, queue: str, ledger: Path) -> int:
    """Run until SIGTERM; return the exit status."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    activities = LedgerActivities(client=client, ledger=Ledger(ledger), offers=(an_offer(datetime.now(UTC)),))
    safety = QuerySafety(load_settings().worker_query_safety)
    async with make_worker(client, queue, activities.methods(), query_safety=safety):
        print(READY, os.getpid(), file=sys.stderr, flush=True)
        await stop.wait()
    return 0


if __name__ == "__main__":
    run_and_exit(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
