"""Goes over all open workflows, a bounded number at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from temporalio.client import Client, WorkflowExecutionAsyncIterator

from incidents.app.liveness.run_readings import TIMEOUT, are_open, read
from incidents.domain.standstill import RunReading

PACE = 0.02
"""Seconds between two reads: a round must not be a burst for the server."""


class Sweep:
    """One pass after the other over the open workflows of some types. `kinds`: the types."""

    def __init__(self, client: Client, kinds: Sequence[str], most: int) -> None:
        """Begin with the first pass. `most`: how many workflows are read at a time, so that a pass may take long."""
        self.kinds, self.passed = kinds, False
        self._client, self._most = client, most
        self._listed: WorkflowExecutionAsyncIterator | None = None

    async def go_on(self) -> AsyncIterator[RunReading]:
        """Read the next workflows of the pass, and yield those that are still open. `passed`: whether that ended it.

        Visibility only says which there are, for it is late; what is yielded is Temporal's own record. A failure ends
        the pass, and the next call begins another.

        Raises:
            RPCError: Temporal does not answer.
        """
        listed, self._listed, self.passed = self._listed or self._list(), None, False
        await listed.fetch_next_page()
        for each in listed.current_page or ():
            if (run := await read(self._client, each.id, each.run_id)) is not None:
                yield run
            await asyncio.sleep(PACE)
        self.passed = not listed.next_page_token
        self._listed = None if self.passed else listed

    def _list(self) -> WorkflowExecutionAsyncIterator:
        return self._client.list_workflows(are_open(self.kinds), page_size=self._most, rpc_timeout=TIMEOUT)
