"""Outages of what this program runs on: when one is reported, and when it is over (behaviour 109).

`at` is the time of a round, aware UTC. Nothing here asks Temporal or a vendor: `incidents/app/outage` does.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen


class OutageKind(StrEnum):
    """What is out."""

    TEMPORAL = "temporal"
    WORKERS = "workers"
    VENDOR = "vendor"


def outage_key(kind: OutageKind, subject: str = "") -> str:
    """Return what tells an outage from others, the same in every process: `vendor-NAME`, `temporal`."""
    return f"{kind}-{subject}" if subject else kind.value


class Limits(Frozen):
    """For how long something must fail before it is reported, and work before its outage is over."""

    temporal: timedelta = timedelta(seconds=30)
    workers: timedelta = timedelta(seconds=30)
    vendor: timedelta = timedelta(hours=1)
    works_for: timedelta = timedelta(minutes=5)

    def fails_for(self, kind: OutageKind) -> timedelta:
        """Return how long an outage of this kind lasts before it is reported."""
        match kind:
            case OutageKind.TEMPORAL:
                return self.temporal
            case OutageKind.WORKERS:
                return self.workers
            case OutageKind.VENDOR:
                return self.vendor
            case _:
                assert_never(kind)


LIMITS = Limits()


class Reading(Frozen):
    """What a round read of one thing. What could not be read, or was not used yet, has no reading.

    `subject`: the vendor's short name or the task queue. `name`: what people call it. `failing_since`: unset if it
    works. `failed_until`: the newest failure that is known of.
    """

    kind: OutageKind
    subject: str = ""
    name: str = ""
    failing_since: AwareDatetime | None = None
    failed_until: AwareDatetime | None = None

    @property
    def key(self) -> str:
        """Return the key of its outage."""
        return outage_key(self.kind, self.subject)

    @property
    def lasted(self) -> timedelta:
        """Return from when to when it is known to have failed."""
        if self.failing_since is None or self.failed_until is None:
            return timedelta()
        return self.failed_until - self.failing_since


class Notice(Frozen):
    """An outage to report, once it has begun and once it is `over`.

    `since`: unset if another process saw it begin. `until`: since when it works; for one that goes on, the newest
    failure.
    """

    kind: OutageKind
    subject: str = ""
    name: str = ""
    over: bool
    since: AwareDatetime | None
    until: AwareDatetime

    @property
    def key(self) -> str:
        """Return the key of its outage."""
        return outage_key(self.kind, self.subject)


class Known(Frozen):
    """What is known of one thing. `reported`: its end is to be reported, too. Each time is unset while not so."""

    reported: bool = False
    since: AwareDatetime | None = None
    works_since: AwareDatetime | None = None


class OutageState(Frozen):
    """What is known of all that was read, by key."""

    known: dict[str, Known] = {}

    def fails(self, kind: OutageKind, subject: str = "") -> bool:
        """Tell whether it failed when it was read last."""
        known = self.known.get(outage_key(kind, subject), Known())
        return known.since is not None and known.works_since is None

    def is_out(self, kind: OutageKind, subject: str = "") -> bool:
        """Tell whether it fails, for long enough to be reported."""
        known = self.known.get(outage_key(kind, subject), Known())
        return known.reported and known.works_since is None


def observe(
    state: OutageState, readings: Iterable[Reading], at: datetime, limits: Limits = LIMITS
) -> tuple[OutageState, tuple[Notice, ...]]:
    """Return the state after a round, and what to report.

    An outage is over once its subject has worked for `works_for`. One that comes and goes within that time is a single
    outage, reported once.
    """
    known, notices = dict(state.known), list[Notice]()
    for reading in readings:
        before = known.get(reading.key)
        if reading.failing_since is None:
            known[reading.key], notice = _works(reading, before, at, limits)
        else:
            known[reading.key], notice = _fails(reading, reading.failing_since, before, at, limits)
        if notice is not None:
            notices.append(notice)
    return OutageState(known=known), tuple(notices)


def _fails(
    reading: Reading, since: datetime, before: Known | None, at: datetime, limits: Limits
) -> tuple[Known, Notice | None]:
    if before is not None and before.reported and before.since is not None:
        return before.replace(works_since=None), None
    if reading.lasted < limits.fails_for(reading.kind):
        return Known(since=since), None
    return Known(since=since, reported=True), _notice(reading, since, reading.failed_until or at, over=False)


def _works(reading: Reading, before: Known | None, at: datetime, limits: Limits) -> tuple[Known, Notice | None]:
    if before is None:
        # A process that ended may have reported an outage: its end is reported once, by whichever process is first.
        # While Temporal is out nothing is shared, so no process ends what another one reported.
        return Known(reported=reading.kind is not OutageKind.TEMPORAL, works_since=at), None
    if not before.reported:
        return Known(works_since=before.works_since or at), None
    works_since = before.works_since or at
    if at - works_since < limits.works_for:
        return before.replace(works_since=works_since), None
    return Known(works_since=works_since), _notice(reading, before.since, works_since, over=True)


def _notice(reading: Reading, since: datetime | None, until: datetime, *, over: bool) -> Notice:
    return Notice(kind=reading.kind, subject=reading.subject, name=reading.name, over=over, since=since, until=until)
