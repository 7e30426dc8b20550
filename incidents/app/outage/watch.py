"""Watches what this program runs on, in the gateway and in every worker, and reports outages to the operators.

Reports do not go by way of Temporal. While Temporal answers, `OutageLock` chooses the process that reports; while it
does not, processes share nothing, so each gateway reports, and workers only log unless their settings say otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.service import RPCError

from incidents.app.outage.channels import OperatorChannels, Report, build_channels
from incidents.app.outage.lock import OutageLock
from incidents.app.outage.readings import PollerSource, Source, TemporalSource, VendorSource
from incidents.app.settings import Settings
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.program_errors import in_one_line
from incidents.domain.operators.outage import LIMITS, Limits, Notice, OutageKind, OutageState, observe
from incidents.domain.operators.outage_texts import outage_line, outage_message
from incidents.domain.standstill import first_line

EVERY = 15.0
"""Seconds between two rounds."""
_log = logging.getLogger("outage")


def utc_now() -> datetime:
    """Return the time, aware UTC."""
    return datetime.now(UTC)


class OutageWatch:
    """One process's watch. Nothing that happens to it ends the process."""

    def __init__(
        self,
        sources: Sequence[Source],
        lock: OutageLock,
        channels: OperatorChannels,
        *,
        reports_temporal: bool,
        limits: Limits = LIMITS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Start with nothing known.

        Args:
            sources: what is read in each round.
            lock: chooses the process that reports.
            channels: how the operators are notified.
            reports_temporal: whether this process reports while no lock can be had, since Temporal is unreachable.
            limits: how long an outage lasts before it is reported, and until it is over.
            now: returns the time, aware UTC.
        """
        self._sources, self._lock, self._channels = sources, lock, channels
        self._reports_temporal, self._limits, self._now = reports_temporal, limits, now
        self._state = OutageState()
        self._unsent: dict[str, _Unsent] = {}
        self._unshared: set[str] = set()

    async def run(self) -> None:
        """Watch until cancelled."""
        if self._channels.why_none:
            _log.warning("Outages are only logged: %s", self._channels.why_none)
        while True:
            try:
                await self.round()
            except Exception as error:  # any error: the process and this watch must keep running
                _log.warning("The outage watch failed and will retry: %s", first_line(in_one_line(error)))
            await asyncio.sleep(EVERY)

    async def round(self) -> None:
        """Read everything once, and report what has begun, what is over, and what could not be reported before."""
        at = self._now()
        readings = [reading for source in self._sources for reading in await source.read(at)]
        self._state, notices = observe(self._state, readings, at, self._limits)
        for notice in notices:
            _log_notice(notice)
            self._unsent[notice.key] = _Unsent(notice)  # an end takes the place of a beginning that nobody read
        for key, unsent in list(self._unsent.items()):
            if await self._report(unsent):
                del self._unsent[key]

    async def _report(self, unsent: _Unsent) -> bool:
        """Notify the operators; tell whether that is settled, by this process or by another one."""
        if not unsent.ours:
            ours = await self._is_ours(unsent.notice)
            if not ours:
                return ours is False
            unsent.ours = True
        if self._channels.why_none:
            return True
        sent_by = await self._channels.send(_as_report(unsent.notice), self._failing_vendors())
        if sent_by:
            _log.info("The operators were notified by %s", sent_by)
        return bool(sent_by)

    async def _is_ours(self, notice: Notice) -> bool | None:
        """Tell whether this process is to report it; None if Temporal must tell, and does not answer."""
        if notice.kind is OutageKind.TEMPORAL:
            return self._reports_temporal
        if notice.over and notice.key in self._unshared:
            self._unshared.discard(notice.key)
            return True
        if self._state.fails(OutageKind.TEMPORAL):
            if notice.over or not (self._reports_temporal and self._state.is_out(OutageKind.TEMPORAL)):
                return None
            self._unshared.add(notice.key)
            return True
        try:
            return await self._lock.claim(notice)
        except (RPCError, RuntimeError) as error:
            _log.info("Which process reports an outage is not settled yet: %s", type(error).__name__)
            return None

    def _failing_vendors(self) -> frozenset[str]:
        """Return the vendors that are out: their channels are not used."""
        names = (channel.vendor for channel in self._channels.channels)
        return frozenset(name for name in names if self._state.is_out(OutageKind.VENDOR, name))


@dataclass
class _Unsent:
    """A notice until it is settled. `ours`: this process is known to be the one that reports it."""

    notice: Notice
    ours: bool = False


def _log_notice(notice: Notice) -> None:
    """Log an outage in every process that sees it, whichever one notifies the operators."""
    if not notice.over:
        _log.error(outage_line(notice))
    elif notice.since is not None:
        _log.warning(outage_line(notice))


def _as_report(notice: Notice) -> Report:
    began = notice.since or notice.until
    thread = f"outage/{notice.key}/{began:%Y%m%dT%H%M%SZ}"
    key = f"{thread}/over" if notice.over else thread
    return Report(outage_message(notice), key, thread, sequence=2 if notice.over and notice.since else 1)


def build_watch(
    client: Client,
    settings: Settings,
    runbook: RunbookConfig,
    *,
    in_gateway: bool,
    limits: Limits = LIMITS,
    now: Callable[[], datetime] = utc_now,
) -> OutageWatch:
    """Return the watch of a process; a gateway's also watches whether workers poll, since no worker can tell that."""
    queue = settings.temporal_task_queue
    sources: list[Source] = [TemporalSource(client), VendorSource()]
    if in_gateway:
        sources.append(PollerSource(client, queue))
    chosen = settings.report_temporal_outage
    return OutageWatch(
        sources,
        OutageLock(client, queue),
        build_channels(settings, runbook),
        reports_temporal=in_gateway if chosen is None else chosen,
        limits=limits,
        now=now,
    )


@contextlib.asynccontextmanager
async def watching_outages(
    client: Client, settings: Settings, runbook: RunbookConfig, *, in_gateway: bool
) -> AsyncIterator[None]:
    """Watch while the block runs."""
    watch = build_watch(client, settings, runbook, in_gateway=in_gateway, limits=LIMITS)
    watching = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
