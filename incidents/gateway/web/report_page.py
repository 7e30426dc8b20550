"""The report's page: its period from the address, and records that are read at most once a minute."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from temporalio.client import Client

from incidents.app.evidence.records import gather
from incidents.client.problems import NoAnswer
from incidents.domain.config.model import RunbookConfig
from incidents.domain.reporting.record import PostmortemRecord, Record
from incidents.domain.reporting.report import Report, report

_FRESH = 60.0
"""Seconds for which the records that were read serve other views: open incidents are queried for each."""
_READ_WITHIN = 30.0
"""Seconds for all records: without a worker, each open incident is waited for."""
_LONGEST = timedelta(days=3660)


class InvalidPeriod(ValueError):
    """The period or filter in the address cannot be used. The message says why."""


@dataclass(frozen=True)
class ReportQuery:
    """What is reported. `first` and `last`: days, UTC; `service` and `plan`: "" for all."""

    first: date
    last: date
    service: str
    plan: str

    @classmethod
    def of(cls, values: Mapping[str, str], today: date, runbook: RunbookConfig) -> "ReportQuery":
        """Read the query of an address; the last 30 days by default.

        Raises:
            InvalidPeriod: a date is none, the first is after the last, or there is no such plan.
        """
        first = _day(values.get("from", ""), today - timedelta(days=30))
        last = _day(values.get("to", ""), today)
        if first > last or last - first > _LONGEST:
            raise InvalidPeriod(f"The period from {first} to {last} cannot be reported.")
        plan = values.get("plan", "")
        if plan and plan not in runbook.sla:
            raise InvalidPeriod(f"There is no such plan. Plans: {', '.join(runbook.sla) or 'none'}.")
        return cls(first, last, values.get("service", ""), plan)


class ReportReader:
    """Reads the records for all viewers. `url`: the evidence store."""

    def __init__(self, runbook: RunbookConfig, url: str) -> None:
        self._runbook, self._url = runbook, url
        self._lock = asyncio.Lock()
        self._read_at: float | None = None
        self._found: tuple[list[Record], list[PostmortemRecord], tuple[int, ...]] = ([], [], ())

    async def read(self, client: Client, query: ReportQuery) -> Report:
        """Return the report.

        Raises:
            NoAnswer: the records were not read in time.
            Damaged: a stored record cannot be read.
            RPCError: Temporal did not answer.
        """
        at = datetime.now(UTC)
        records, postmortems, unknown = await self._records(client, at)
        begin, end = (datetime.combine(day, time(), UTC) for day in (query.first, query.last + timedelta(days=1)))
        return report(
            records,
            postmortems,
            self._runbook,
            begin,
            end,
            at,
            service=query.service,
            plan=query.plan,
            unknown=unknown,
        )

    async def _records(
        self, client: Client, at: datetime
    ) -> tuple[list[Record], list[PostmortemRecord], tuple[int, ...]]:
        clock = asyncio.get_running_loop().time
        async with self._lock:
            if self._read_at is None or clock() - self._read_at >= _FRESH:
                try:
                    async with asyncio.timeout(_READ_WITHIN):
                        self._found = await gather(client, self._runbook, self._url, at)
                except TimeoutError:
                    raise NoAnswer("The report takes too long: no worker answers. Run `incident report`.") from None
                self._read_at = clock()
        return self._found


def _day(typed: str, default: date) -> date:
    try:
        return date.fromisoformat(typed) if typed else default
    except ValueError:
        raise InvalidPeriod("A date is written as 2026-12-31.") from None
