"""What an incident recorded, as a scenario: what people and alerts did, and what of it cannot be known."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from incidents.domain.adoption.adoption import AdoptRunbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.command import Command
from incidents.domain.core.timeline import SYSTEM, Entry, Kind
from incidents.domain.foresight.facts import AlertFact, Fact
from incidents.domain.foresight.scenario import LONGEST, Scenario
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.state import UpdateKind

_AFTERWARDS = timedelta(hours=72)
"""How long after the last fact an incident is followed: the post-mortem's deadline is usually within it."""


class Adopted(Frozen):
    """A move to another runbook. `at`: when, aware UTC."""

    at: datetime
    command: AdoptRunbook


class Followed(Frozen):
    """The runbooks that an incident followed: the first one that is known, and each that it was moved to, in order.

    `complete`: it followed no other one before.
    """

    first: RunbookConfig
    adopted: tuple[Adopted, ...] = ()
    complete: bool = True


class Recorded(Frozen):
    """An incident as a scenario, from its opening at `start`. `unknown`: sentences that a reader has to know."""

    start: datetime
    scenario: Scenario
    unknown: tuple[str, ...]

    def under_its_own(self, followed: Followed) -> Scenario:
        """Return the scenario with the moves to other runbooks: how it went, if it begins under the first one."""
        moves = [Fact(at=max(each.at - self.start, timedelta()), what=each.command) for each in followed.adopted]
        return self.scenario.replace(facts=tuple(sorted((*self.scenario.facts, *moves), key=lambda fact: fact.at)))

    def all_unknown(self, followed: Followed) -> tuple[str, ...]:
        """Return what a reader has to know, also of the runbooks."""
        if followed.complete:
            return self.unknown
        return (*self.unknown, "Temporal does not retain its first runbook: the first one that is known stands for it.")


def recorded(incident: Incident) -> Recorded:
    """Return what an incident recorded. `incident`: with its whole timeline."""
    start = incident.opened_at
    facts = sorted(_facts(incident), key=lambda fact: fact.at)
    last = facts[-1].at if facts else timedelta()
    region = next((alert.region for alert in incident.alerting.alerts if alert.region), "")
    scenario = Scenario(
        severity=incident.episodes[0].severity,
        service=incident.service,
        region=region,
        environment=incident.environment,
        title=incident.title,
        until=min(last + _AFTERWARDS, LONGEST),
        facts=tuple(facts),
    )
    return Recorded(start=start, scenario=scenario, unknown=tuple(_unknown(incident)))


def _facts(incident: Incident) -> Iterator[Fact]:
    """Yield what can be told from the state, and the rest from the timeline."""
    for at, what in (*_from_state(incident), *_from_timeline(incident), *_ends(incident)):
        yield Fact(at=max(at - incident.opened_at, timedelta()), what=what)


Told = tuple[datetime, Command | AlertFact]


def _from_state(incident: Incident) -> Iterator[Told]:
    reopened = {entry.at for entry in incident.timeline if entry.kind is Kind.REOPENED}
    for at, by in _acknowledgements(incident):
        if at not in reopened:  # whoever reopens an incident has acknowledged it
            yield at, c.Acknowledge(by=by or "responder")
    for before, episode in zip(incident.episodes, incident.episodes[1:], strict=False):
        if before.severity != episode.severity:
            by = _actor(incident, Kind.SEVERITY, episode.since)
            yield episode.since, c.DeclareSeverity(by=by, severity=episode.severity)
    for update in incident.updates.published:
        if update.kind is UpdateKind.MANUAL and update.by != SYSTEM:
            yield update.at, c.PostUpdate(by=update.by, text=update.text)


def _from_timeline(incident: Incident) -> Iterator[Told]:
    for entry in incident.timeline:
        if (said := _said(entry, incident)) is not None:
            yield entry.at, said


def _ends(incident: Incident) -> Iterator[Told]:
    """Yield the end of the last alert, and the resolutions by people."""
    ends = [alert.ended_at for alert in incident.alerting.alerts]
    if ends and all(ends):
        yield max(end for end in ends if end is not None), AlertFact.ENDED
    for interval in incident.intervals:
        if interval.by != SYSTEM:
            yield interval.until, _resolve(interval.by)


def _acknowledgements(incident: Incident) -> Iterator[tuple[datetime, str]]:
    responses = ((each.acknowledged_at, each.acknowledged_by) for each in incident.earlier_responses)
    for at, by in (*responses, (incident.acknowledged_at, incident.acknowledged_by)):
        if at is not None:
            yield at, by


def _said(entry: Entry, incident: Incident) -> Command | AlertFact | None:
    """Return what a timeline entry tells of, if it holds all of it."""
    is_person = entry.actor not in {SYSTEM, *(alert.source for alert in incident.alerting.alerts)}
    words = entry.text.partition(": ")[2] or entry.text
    match entry.kind:
        case Kind.NOTE if is_person:
            return c.AddNote(by=entry.actor, text=entry.text)
        case Kind.STATUS if is_person and entry.text.startswith("Monitoring: "):
            return c.Monitor(by=entry.actor, text=words)
        case Kind.REOPENED:
            return c.Reopen(by=entry.actor, reason=words) if is_person else AlertFact.FIRED
        case Kind.CANCELLED if is_person and incident.is_false_alarm:
            return c.Cancel(by=entry.actor, reason=words)
        case Kind.ASSESSED if incident.assessment is not None and entry is _last(incident, Kind.ASSESSED):
            return incident.assessment.replace(id="", origin=None)
        case _:
            return None


def _resolve(by: str) -> c.Resolve:
    """Return a resolution that the other runbook cannot refuse: it happened."""
    return c.Resolve(by=by or "responder", force=True, reason="as recorded")


def _actor(incident: Incident, kind: Kind, at: datetime) -> str:
    """Return who wrote the entry of that kind at that time; a person if there is no such entry."""
    near = (entry.actor for entry in incident.timeline if entry.kind is kind and abs(entry.at - at) < _SAME)
    return next(near, "responder")


_SAME = timedelta(seconds=1)


def _last(incident: Incident, kind: Kind) -> Entry | None:
    return next((entry for entry in reversed(incident.timeline) if entry.kind is kind), None)


def _unknown(incident: Incident) -> Iterator[str]:
    yield "What people would have done differently is not known: they act here when they did."
    if incident.timeline and incident.timeline[-1].at - incident.opened_at > LONGEST:
        yield f"Only its first {LONGEST.days} days are compared."
    undone = len(incident.ledger.failures) + len(incident.ledger.skips)
    if undone:
        yield f"{undone} obligations failed or were skipped; here every vendor answers at once, under both runbooks."
    if incident.rollback.clusters:
        yield "Its rollback is left out: whether another rule would have offered it is not known."
    if sum(entry.kind is Kind.ASSESSED for entry in incident.timeline) > 1:
        yield "Of its assessments only the last one is known in full."
    if incident.paging.last_response_at is not None:
        yield "When people wrote in the channel is not recorded: only commands count as activity."
    if incident.private:
        yield "It is private, from when on is not known: here it is public."
    if incident.merging.into is not None or incident.merging.absorbed:
        yield "It was merged: what came from the other incident is left out."
    if len(incident.updates.published) < incident.updates.count:
        yield "Older status updates are in the archive: those that responders wrote are left out."
    if incident.timeline and incident.timeline[0].sequence != 1:
        yield "Its first timeline entries are in an evidence store that cannot be read from here: notes are missing."
