"""The impact of an incident in figures: phases, times to acknowledge, mitigate and resolve, downtime, and the SLA."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from pydantic import AwareDatetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.measures import alerted_at, time_to_acknowledge, time_to_detect
from incidents.domain.incident.state import Interval


class Outage(Frozen):
    """Downtime of a region, as it counts against the SLA."""

    region: str
    since: AwareDatetime
    until: AwareDatetime

    def within(self, since: datetime, until: datetime) -> timedelta:
        """Return its overlap with an interval."""
        return max(min(self.until, until) - max(self.since, since), timedelta())


class Phase(Frozen):
    """A phase of the incident, such as from the alert to the acknowledgement."""

    name: str
    since: AwareDatetime
    until: AwareDatetime


class Budget(Frozen):
    """A plan's monthly downtime allowance (UTC), and its use in the region with the most downtime."""

    plan: str
    promised: float
    allowed: timedelta
    consumed: timedelta
    month: timedelta

    @property
    def remaining(self) -> timedelta:
        """What is left of the month's allowance; negative if the SLA is breached."""
        return self.allowed - self.month


class Series(Frozen):
    """One line of a chart, from the saved metrics."""

    name: str
    region: str
    points: tuple[tuple[AwareDatetime, float], ...]


class Figures(Frozen):
    """The computed impact of one incident."""

    phases: tuple[Phase, ...]
    detect: timedelta | None
    acknowledge: timedelta | None
    mitigate: timedelta | None
    resolve: timedelta | None
    regions: tuple[str, ...]
    services: tuple[str, ...]
    customers: tuple[str, ...]
    failures: tuple[str, ...]
    outages: tuple[Outage, ...]
    budgets: tuple[Budget, ...]


def outages(incident: Incident, runbook: RunbookConfig, now: datetime | None = None) -> tuple[Outage, ...]:
    """Return the outages per region.

    Down means open and not mitigated at a severity with `downtime`. The time between a resolution and a reopening does
    not count. Regions: those in the alerts' labels, else all of the service. `now`: end of an open incident's outage.
    """
    end = incident.mitigated_at or incident.resolved_at or now
    spans = incident.intervals
    if not incident.over and end is not None:  # the interval that is still open, also after a reopening
        spans = (*spans, Interval(since=incident.reopened_at or incident.started_at, until=end, by=""))
    found = []
    for number, span in enumerate(spans, 1):
        until = span.until if number < len(spans) or end is None else min(span.until, max(end, span.since))
        for episode in incident.episodes:
            if not runbook.policy(episode.severity).downtime:
                continue
            since = max(span.since, episode.since if episode is not incident.episodes[0] else incident.started_at)
            last = min(until, episode.until or until)
            if last > since:
                found += [Outage(region=name, since=since, until=last) for name in regions_hit(incident, runbook)]
    return tuple(found)


def regions_hit(incident: Incident, runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the regions in the alerts' labels, else all of the service."""
    known = [region.name for region in runbook.regions_of(incident.service)]
    named = {alert.labels.get("region") for alert in incident.alerting.alerts}
    return tuple(name for name in known if name in named) or tuple(known)


def figures(
    incident: Incident, runbook: RunbookConfig, series: Iterable[Series] = (), others: Iterable[Outage] = ()
) -> Figures:
    """Compute the impact. `others`: outages of other incidents, for the month's budget."""
    own = outages(incident, runbook)
    assessed = incident.assessment
    return Figures(
        phases=_phases(incident),
        detect=time_to_detect(incident),
        acknowledge=time_to_acknowledge(incident),
        mitigate=_since_start(incident, incident.mitigated_at),
        resolve=_since_start(incident, incident.resolved_at),
        regions=regions_hit(incident, runbook),
        services=tuple(dict.fromkeys((incident.service, *(assessed.services if assessed else ())))),
        customers=assessed.customers if assessed else (),
        failures=(*_failures(series), *_probed(incident)),
        outages=own,
        budgets=_budgets(own, (*own, *others), runbook, incident.resolved_at or incident.started_at),
    )


def _since_start(incident: Incident, instant: datetime | None) -> timedelta | None:
    return instant - incident.started_at if instant else None


def _phases(incident: Incident) -> tuple[Phase, ...]:
    """Return the phases in order, without skipped ones (such as resolved before acknowledgement)."""
    marks = [
        ("start to detection", alerted_at(incident)),
        ("detection to acknowledgement", incident.first_acknowledged_at),
        ("acknowledgement to mitigation", incident.mitigated_at),
        ("mitigation to resolution", incident.resolved_at),
    ]
    found, since = [], incident.started_at
    for name, until in marks:
        if until is not None and until > since:
            found.append(Phase(name=name, since=since, until=until))
            since = until
    return tuple(found)


def _failures(series: Iterable[Series]) -> list[str]:
    """Return the peak and duration of each error ratio."""
    said = []
    for line in series:
        if "error" not in line.name or not line.points:
            continue
        at, worst = max(line.points, key=lambda point: point[1])
        if worst <= 0:
            continue
        bad = sum(((b - a) for (a, value), (b, _) in pairwise(line.points) if value > 0.01), timedelta())
        where = f" ({line.region})" if line.region else ""
        lasted = f", above 1 % for {in_words(bad)}" if bad else ""
        said.append(f"{line.name}{where}: peak {worst:.1%} of requests at {at:%H:%M} UTC{lasted}")
    return said


def _probed(incident: Incident) -> list[str]:
    """Return the probes' findings after each rollback."""
    ended = (state for state in incident.rollback.clusters if state.status.ended and state.detail)
    return [f"Probes after the rollback of {state.offer.cluster}: {state.detail}" for state in ended]


def month_of(instant: datetime) -> tuple[datetime, datetime]:
    """Return the calendar month (UTC) of an instant: its start and the start of the next."""
    first = instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, first + timedelta(days=monthrange(first.year, first.month)[1])


def _budgets(
    own: tuple[Outage, ...], everything: tuple[Outage, ...], runbook: RunbookConfig, at: datetime
) -> tuple[Budget, ...]:
    since, until = month_of(at)
    return tuple(
        Budget(
            plan=plan,
            promised=promised,
            allowed=(until - since) * (1 - promised / 100),
            consumed=worst(own, since, until),
            month=worst(everything, since, until),
        )
        for plan, promised in runbook.sla.items()
    )


def downtime(found: Iterable[Outage], since: datetime, until: datetime) -> dict[str, timedelta]:
    """Return the downtime per region in an interval. Overlapping outages count once."""
    total: dict[str, timedelta] = {}
    reached: dict[str, datetime] = {}
    for outage in sorted(found, key=lambda outage: outage.since):
        begin = max(outage.since, reached.get(outage.region, outage.since))
        if outage.until > begin:
            total.setdefault(outage.region, timedelta())
            total[outage.region] += outage.replace(since=begin).within(since, until)
            reached[outage.region] = outage.until
    return total


def worst(found: Iterable[Outage], since: datetime, until: datetime) -> timedelta:
    """Return the longest downtime of any region."""
    return max(downtime(found, since, until).values(), default=timedelta())
