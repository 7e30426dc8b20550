"""The SLA report: figures over a period of incidents (medians and p90, not means)."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import floor
from statistics import median, quantiles

from pydantic import AwareDatetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.postmortem.document.sections import Cause, ItemState
from incidents.domain.postmortem.figures.impact import downtime
from incidents.domain.postmortem.item_rules import overdue
from incidents.domain.postmortem.postmortem import Stage
from incidents.domain.reporting.record import PostmortemRecord, Record


class Spread(Frozen):
    """Median and p90 of a duration over `count` incidents."""

    count: int
    median: timedelta
    p90: timedelta


class Punctuality(Frozen):
    """Count on time, of a total."""

    on_time: int
    of: int


class Attainment(Frozen):
    """SLA attainment of a plan in a region, in percent."""

    plan: str
    region: str
    promised: float
    attained: float
    downtime: timedelta

    @property
    def kept(self) -> bool:
        """Tell whether the SLA was met."""
        return self.attained >= self.promised

    @property
    def shown(self) -> str:
        """The percentage, rounded down: 99.8996 with an SLA of 99.9 never reads as met, nor 7 s as no downtime."""
        return f"{floor(self.attained * 1000) / 1000:.3f}"


class Line(Frozen):
    """One incident of the report."""

    number: int
    title: str
    service: str
    severity: str
    status: str
    cause: str
    started_at: AwareDatetime
    detect: timedelta | None
    acknowledge: timedelta | None
    mitigate: timedelta | None
    resolve: timedelta | None
    downtime: timedelta
    postmortem: str
    backfilled: bool


class Postmortems(Frozen):
    """Counts of required post-mortems. Late ones were published late or are overdue; they are also counted
    among the done or the open ones.
    """

    owed: int
    done: int
    waived: int
    open: int
    late: int


class Items(Frozen):
    """Counts of action items. Overdue ones are included in the open ones."""

    open: int
    overdue: int
    done: int
    wont_do: int


class Report(Frozen):
    """The report. `merged`: incidents that were merged into another one. `unknown`: numbers of those without data."""

    since: AwareDatetime
    until: AwareDatetime
    service: str
    lines: tuple[Line, ...]
    by_severity: dict[str, int]
    by_cause: dict[str, int]
    detect: Spread | None
    acknowledge: Spread | None
    mitigate: Spread | None
    resolve: Spread | None
    acknowledged: Punctuality
    updates: Punctuality
    attainment: tuple[Attainment, ...]
    postmortems: Postmortems
    items: Items
    merged: int = 0
    unknown: tuple[int, ...] = ()

    @property
    def last_day(self) -> datetime:
        """Last instant inside the period (`until` is exclusive)."""
        return self.until - timedelta(seconds=1)


def report(
    records: Iterable[Record],
    postmortems: Iterable[PostmortemRecord],
    runbook: RunbookConfig,
    since: datetime,
    until: datetime,
    at: datetime,
    *,
    service: str = "",
    plan: str = "",
    unknown: tuple[int, ...] = (),
) -> Report:
    """Return the report of the incidents that began in a period, as of the instant `at`.

    Drills and false alarms do not count; merged incidents are counted by themselves; backfilled ones count with their
    own times (behaviours 65, 67, 81, 82). Downtime counts in the period in which it was, also that of an incident that
    began before.
    """
    everything, found, merged = _select(records, service, since, until)
    learnt = {known.first_run_id: known for known in postmortems}
    lines = tuple(_line(record, learnt.get(record.first_run_id)) for record in found)
    return Report(
        since=since,
        until=until,
        service=service,
        lines=lines,
        by_severity=_by_severity(lines, runbook),
        by_cause=dict(sorted(Counter(line.cause for line in lines).items())),
        detect=_spread(line.detect for line in lines),
        acknowledge=_spread(line.acknowledge for line in lines),
        mitigate=_spread(line.mitigate for line in lines),
        resolve=_spread(line.resolve for line in lines),
        acknowledged=_acknowledged(found, at),
        updates=Punctuality(on_time=sum(r.punctual for r in found), of=sum(r.updates for r in found)),
        attainment=_attainment(everything, runbook, since, min(until, at), plan),
        postmortems=_postmortems(found, learnt, at),
        items=_items([learnt[r.first_run_id] for r in found if r.first_run_id in learnt], runbook, at),
        merged=merged,
        unknown=unknown,
    )


def _select(
    records: Iterable[Record], service: str, since: datetime, until: datetime
) -> tuple[list[Record], list[Record], int]:
    """Return the service's records that count, those of them that began in the period, and how many were merged."""
    of_service = [record for record in records if service in ("", record.service)]
    counted = [record for record in of_service if record.counts]
    merged = sum(_is_merged(record) for record in _began_within(of_service, since, until))
    return counted, _began_within(counted, since, until), merged


def _began_within(records: Iterable[Record], since: datetime, until: datetime) -> list[Record]:
    """Return the records of incidents that began in the period, oldest first."""
    return sorted((r for r in records if since <= r.started_at < until), key=lambda r: (r.started_at, r.number))


def _is_merged(record: Record) -> bool:
    return record.merged_into is not None and not record.drill


def _by_severity(lines: Iterable[Line], runbook: RunbookConfig) -> dict[str, int]:
    """Count incidents by severity, worst first. Those that this runbook no longer knows are kept, last."""
    counts = Counter(line.severity for line in lines)
    return {severity: counts[severity] for severity in sorted(counts, key=lambda s: (runbook.rank(s), s))}


def _line(record: Record, learnt: PostmortemRecord | None) -> Line:
    cause = learnt.cause if learnt is not None and learnt.cause is not Cause.UNKNOWN else record.cause
    lasted = max((outage.until - outage.since for outage in record.outages), default=timedelta())
    owed = "due" if record.postmortem_due else ""
    return Line(
        number=record.number,
        title=record.title,
        service=record.service,
        severity=str(record.severity),
        status=str(record.status),
        cause=str(cause),
        started_at=record.started_at,
        detect=record.detect,
        acknowledge=_acknowledge(record),
        mitigate=_took(record.started_at, record.mitigated_at),
        resolve=_took(record.started_at, record.resolved_at),
        downtime=lasted,
        postmortem=str(learnt.stage) if learnt is not None else owed,
        backfilled=record.backfilled,
    )


def _acknowledge(record: Record) -> timedelta | None:
    return record.acknowledge if record.acknowledge is not None else _took(record.started_at, record.acknowledged_at)


def _took(since: datetime, until: datetime | None) -> timedelta | None:
    return until - since if until is not None else None


def _spread(values: Iterable[timedelta | None]) -> Spread | None:
    seconds = sorted(value.total_seconds() for value in values if value is not None)
    if not seconds:
        return None
    p90 = quantiles(seconds, n=10, method="inclusive")[8] if len(seconds) > 1 else seconds[0]
    spread = (timedelta(seconds=round(value)) for value in (median(seconds), p90))
    return Spread(count=len(seconds), median=next(spread), p90=next(spread))


def _acknowledged(found: list[Record], at: datetime) -> Punctuality:
    """Count acknowledgements; one that is not due yet is not counted."""
    judged = [r for r in found if not r.backfilled and (r.acknowledged_at or at > r.acknowledge_due)]
    on_time = [r for r in judged if r.acknowledged_at and r.acknowledged_at <= r.acknowledge_due]
    return Punctuality(on_time=len(on_time), of=len(judged))


def _attainment(
    found: list[Record], runbook: RunbookConfig, since: datetime, until: datetime, plan: str
) -> tuple[Attainment, ...]:
    whole = max(until - since, timedelta(seconds=1))
    lost = downtime((outage for record in found for outage in record.outages), since, until)
    return tuple(
        Attainment(
            plan=name,
            region=region.name,
            promised=promised,
            attained=100 * (1 - lost.get(region.name, timedelta()) / whole),
            downtime=lost.get(region.name, timedelta()),
        )
        for name, promised in runbook.sla.items()
        if plan.casefold() in ("", name.casefold())
        for region in runbook.regions
    )


def _postmortems(found: list[Record], learnt: dict[str, PostmortemRecord], at: datetime) -> Postmortems:
    owed = [(record, learnt.get(record.first_run_id)) for record in found if record.postmortem_due]
    done = [known for _, known in owed if known and known.stage in (Stage.PUBLISHED, Stage.COMPLETED)]
    waived = [known for _, known in owed if known and known.stage is Stage.WAIVED]
    late = 0
    for record, known in owed:
        due = known.due if known and known.due else record.postmortem_due
        ended = known.published_at if known else None
        exempt = known is not None and known.stage in (Stage.WAIVED, Stage.WITHDRAWN)
        late += bool(due and not exempt and (ended or at) > due)
    return Postmortems(
        owed=len(owed), done=len(done), waived=len(waived), open=len(owed) - len(done) - len(waived), late=late
    )


def _items(ours: list[PostmortemRecord], runbook: RunbookConfig, at: datetime) -> Items:
    items = [item for known in ours for item in known.items]
    return Items(
        open=sum(not item.settled for item in items),
        overdue=sum(overdue(item, runbook, at) for item in items),
        done=sum(item.state is ItemState.DONE for item in items),
        wont_do=sum(item.state is ItemState.WONT_DO and item.settled for item in items),
    )
