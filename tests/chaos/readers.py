"""People who look at the incident all the time, and responders who write notes and ask for rollbacks."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError

from incidents.domain.core.command import Command
from incidents.domain.core.timeline import Entry
from incidents.domain.incident.commands import Acknowledge, AddNote
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.commands import RequestRollback

EVERY = 0.4
"""Seconds between two queries of one reader."""
RPC = timedelta(seconds=2)
NOTE_EVERY = 0.3
ROLLBACK_EVERY = 4.0

QUERIES: tuple[tuple[str, Any], ...] = (
    ("incident", Incident),
    ("timeline", tuple[Entry, ...]),
    ("__temporal_workflow_metadata", WorkflowMetadata),  # what the Web UI asks
)


@dataclass
class Readers:
    """Three readers. `retried`: why a query was asked again, and how often; `broken`: errors that must not be."""

    client: Client
    workflow_id: str
    answers: list[tuple[float, float]] = field(default_factory=list)
    retried: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    latest: Incident | None = None
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, number: int) -> None:
        """Ask one question after the other, until cancelled."""
        handle = self.client.get_workflow_handle(self.workflow_id)
        while True:
            for query, kind in QUERIES[number % 3 :] + QUERIES[: number % 3]:
                await self._ask(handle, query, kind)
                await self._rest()

    async def _ask(self, handle: WorkflowHandle[Any, Any], query: str, kind: Any) -> None:
        asked = time.monotonic()
        try:
            answer = await handle.query(query, result_type=kind, rpc_timeout=RPC)
        except RPCError as error:  # a time-out, or "consistent query buffer is full"
            self.retried[error.status.name] += 1
        except WorkflowQueryFailedError as error:
            self.retried["QUERY_FAILED"] += 1
            if "TMPRL1100" in str(error) or "determinis" in str(error).lower():
                self.broken.append(f"query {query}: {error}"[:300])
        else:
            self.answers.append((asked, time.monotonic()))
            if isinstance(answer, Incident):
                self.latest = answer

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self.hurry.wait(), EVERY)
        except TimeoutError:
            return
        await asyncio.sleep(0.05)  # the burst lasts as long as it is asked for

    async def burst(self, seconds: float = 0.3) -> None:
        """Let every reader ask as fast as it can for a moment."""
        self.hurry.set()
        await asyncio.sleep(seconds)
        self.hurry.clear()

    async def answered_since(self, moment: float, give_up_after: float) -> bool:
        """Wait for the answer to a question that was asked after that moment; tell whether it came."""
        deadline = time.monotonic() + give_up_after
        while first_answer(self.answers, moment) is None:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True


def first_answer(answers: list[tuple[float, float]], moment: float) -> float | None:
    """Return when the first question was answered that was asked after that moment."""
    return min((answered for asked, answered in answers if asked >= moment), default=None)


@dataclass
class Responders:
    """Send signals. One that was not taken for sure is sent again, with the same id."""

    client: Client
    workflow_id: str
    notes: int = 0

    async def write_notes(self) -> None:
        """Write one note after the other, until cancelled."""
        while True:
            await self._send(AddNote(by="bob", id=f"note-{self.notes}", text=f"note {self.notes}"))
            self.notes += 1
            await asyncio.sleep(NOTE_EVERY)

    async def acknowledge(self, readers: Readers) -> None:
        """Acknowledge once the page is out, and ask for rollbacks from then on, until cancelled."""
        while True:
            await asyncio.sleep(0.2)
            if readers.latest and any(key.startswith("page/") for key in readers.latest.ledger.fulfilled):
                break
        await self._send(Acknowledge(by="ann", id="acknowledge"))
        number = 0
        while True:
            await self._send(RequestRollback(by="ann", id=f"rollback-{number}"))
            number += 1
            await asyncio.sleep(ROLLBACK_EVERY)

    async def _send(self, command: Command) -> None:
        handle = self.client.get_workflow_handle(self.workflow_id)
        while True:
            try:
                await handle.signal(command.name, command, rpc_timeout=RPC)
            except RPCError:
                await asyncio.sleep(0.1)
            else:
                return
