"""Deliver alerts to their incidents; while Temporal is unreachable, keep them in the spool and page directly.

Order is kept: while entries wait in the spool, a new one goes behind them.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.delivery.direct_pages import DirectPages
from incidents.client.delivery.gathering import OneAtATime
from incidents.client.delivery.spool import Entry, Spool, SpoolFull, SpoolUnusable
from incidents.client.delivery.submission import Submission
from incidents.client.intake import NUMBER_TIMEOUT, AlertGathering, Started, intake, is_away, lacks_attributes, start
from incidents.client.problems import ConnectionProblem
from incidents.domain.activity_requests import SendPage
from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.program_errors import in_one_line

_MOST_ATTEMPTS = 5
"""How often Temporal may refuse an entry, with another answer than those, before it is set aside."""
_PAUSE, _FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 1.0, 15.0
"""Seconds between two looks at another process's work; between two rounds, doubled while Temporal is unreachable."""
_log = logging.getLogger("spool")


class Kept(Started):
    """The result for alerts of one incident that wait in the spool. `detail`: why, and whether on-call was paged."""

    action: str = "kept"
    detail: str


class Delivery:
    """Delivers submissions. `connect` raises `ConnectionProblem` or `RPCError` while Temporal is unreachable."""

    def __init__(
        self,
        spool: Spool,
        connect: Callable[[], Awaitable[Client]],
        runbook: RunbookConfig,
        task_queue: str,
        send_page: Callable[[SendPage], ActivityResult],
    ) -> None:
        """Deliver to `task_queue`.

        Args:
            spool: where submissions are kept.
            connect: returns a client that is connected.
            runbook: the runbook in use.
            task_queue: of the incidents' workers.
            send_page: sends a page; blocking. Any exception means that it did not go out.
        """
        self._spool, self._connect, self._runbook, self._queue = spool, connect, runbook, task_queue
        self._pages = DirectPages(spool, runbook, send_page)
        self._alerts = AlertGathering()
        self._count_waiting = OneAtATime(functools.partial(asyncio.to_thread, spool.waiting))
        self._keeping = asyncio.Lock()
        self._woken = asyncio.Event()

    async def deliver(self, submission: Submission, give_up_after: timedelta = NUMBER_TIMEOUT) -> list[Started]:
        """Send it to Temporal, or keep it and page on-call directly; return one result per incident.

        Raises:
            RPCError: Temporal rejected it as invalid, and would again; nothing was kept.
            SpoolFull, SpoolUnusable: Temporal is unreachable and nothing was kept; on-call was paged if possible.
        """
        if self._keeping.locked() or await self._is_behind():
            self._woken.set()
            return await self._keep(submission, "kept on disk, behind earlier alerts that are not sent yet")
        try:
            return await self._send(await self._connect(), submission, give_up_after)
        except (RPCError, ConnectionProblem) as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.INVALID_ARGUMENT:
                if not lacks_attributes(error):
                    raise
                return await self._keep(submission, "kept on disk until a worker has set up Temporal's namespace")
            _log.info("Temporal is unreachable: %s", error)
        return await self._keep(submission, "kept on disk, since Temporal is unreachable")

    async def _is_behind(self) -> bool:
        """Tell whether entries wait. A spool that cannot be read must not keep an alert from Temporal."""
        try:
            return await self._count_waiting() > 0
        except SpoolUnusable as error:
            _log.error("The spool cannot be read: %s. Alerts in it wait until it can", error)
            return False

    async def _send(self, client: Client, submission: Submission, give_up_after: timedelta) -> list[Started]:
        if (declared := submission.declared) is not None:
            opened = await start(
                client, declared.workflow_id, declared.opening, self._runbook, self._queue, give_up_after=give_up_after
            )
            return [opened]
        return await intake(
            client,
            submission.alerts,
            self._runbook,
            self._queue,
            give_up_after=give_up_after,
            gathering=self._alerts,
        )

    async def _keep(self, submission: Submission, why: str) -> list[Started]:
        """Keep it on disk first, then page. A full spool does not keep on-call from being paged."""
        owed = list(submission.openings(self._runbook))
        names = [workflow_id for workflow_id, _ in owed]
        body, at = submission.body, submission.received_at
        try:
            async with self._keeping:  # in the order in which they failed
                entry = await asyncio.to_thread(self._spool.append, submission.kind, at, body, names)
        except (SpoolFull, SpoolUnusable) as error:
            said = await self._pages.send(owed)
            raise type(error)("; ".join([str(error), *sorted({words for _, words in said.values()})])) from None
        said = await self._pages.send(owed)
        if all(settled for settled, _ in said.values()):
            await asyncio.to_thread(self._spool.settle_pages, entry)
        return [
            Kept(workflow_id=name, run_id=None, number=None, created=False, detail=f"{why}; {said[name][1]}")
            for name in names
        ]

    async def drain(self) -> int:
        """Send what waits, in order; return how much was sent. Another process that drains already is left to it.

        Raises:
            ConnectionProblem, RPCError: Temporal is unreachable; what was not sent still waits.
            SpoolUnusable: the spool cannot be read or written.
        """
        sent = 0
        with self._spool.draining() as ours:
            if not ours or not await asyncio.to_thread(self._spool.waiting):
                return 0
            client = await self._connect()
            while (entry := await asyncio.to_thread(self._spool.first)) is not None:
                sent += await self._send_entry(client, entry)
        return sent

    async def catch_up(self, within: timedelta) -> None:
        """Send what waits, or wait while another process sends it; returns when nothing waits or Temporal is away."""
        clock = asyncio.get_running_loop().time
        until = clock() + within.total_seconds()
        with contextlib.suppress(ConnectionProblem, RPCError, SpoolUnusable):
            while await asyncio.to_thread(self._spool.waiting) and clock() < until:
                await self.drain()
                await asyncio.sleep(_PAUSE)

    async def _send_entry(self, client: Client, entry: Entry) -> bool:
        """Send one entry; tell whether Temporal took it. One that it never takes is set aside and blocks no other."""
        try:
            await self._send(client, Submission.of_entry(entry), timedelta())
        except RPCError as error:
            if is_away(error):
                raise
            final = error.status is RPCStatusCode.INVALID_ARGUMENT
            if not final and await asyncio.to_thread(self._spool.count_attempt, entry.id) < _MOST_ATTEMPTS:
                raise
            await self._set_aside(entry, error)
        except ConnectionProblem:
            raise
        except Exception as error:  # unreadable for this version, or an error in this program: the next one must go
            await self._set_aside(entry, error)
        else:
            await asyncio.to_thread(self._spool.remove, entry.id)
            _log.warning("Sent a kept alert of %s to Temporal", f"{entry.received_at:%Y-%m-%d %H:%M:%S} UTC")
            return True
        return False

    async def _set_aside(self, entry: Entry, error: Exception) -> None:
        """Move an entry into a file, and say so: in the log, and by the page that it may still owe."""
        await self._pages.send_for(entry)
        path = await asyncio.to_thread(self._spool.set_aside, entry)
        _log.error("A kept alert cannot be sent: %s. It opens NO incident. It is in %s", in_one_line(error), path)

    async def run(self) -> None:
        """Drain whenever something waits, with back-off while Temporal is unreachable, until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self.drain()
                pause = _FIRST_PAUSE
            except (ConnectionProblem, RPCError) as error:
                _log.info("Kept alerts wait: %s", in_one_line(error))
                pause = min(pause * 2, _LONGEST_PAUSE)
                await self._page_again()
            except Exception as error:  # the spool's disk, or an error in this program: the gateway must go on
                _log.error("The spool is not drained: %s", in_one_line(error))
                pause = _LONGEST_PAUSE
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause)

    async def _page_again(self) -> None:
        try:
            await self._pages.send_waiting()
        except SpoolUnusable as error:
            _log.error("Direct pages wait: %s", error)
