"""Correct recorded times: both values are kept, with author and time; reports use the new one."""

from datetime import datetime
from itertools import pairwise

from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.time.instants import fault, written
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.commands import CorrectTime, Mark
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.state import Correction, Interval

_FIELDS = {
    Mark.STARTED: "started_at",
    Mark.ACKNOWLEDGED: "acknowledged_at",
    Mark.MITIGATED: "mitigated_at",
    Mark.RESOLVED: "resolved_at",
}


def correct_time(incident: Incident, command: CorrectTime, at: datetime) -> Incident:
    """Return the incident with one of its times corrected (behaviour 83).

    Raises:
        CommandRejected: there is no such time yet, or the new one is in the future, out of bounds or out of order.
        AlreadyDone: the time is already correct.
    """
    word, was = command.which.value, _time_of(incident, command.which)
    if was is None:
        raise CommandRejected(f"{incident.name} was not {word} yet. Nothing was changed.")
    if was == command.to:
        raise AlreadyDone(f"{incident.name} is already recorded as {word} at {written(command.to)}.")
    if why := fault(command.to, at):
        raise CommandRejected(f"Invalid {word} time {written(command.to)} for {incident.name}: it is {why}.")
    changed = _with_time(incident, command.which, command.to)
    if command.which is Mark.RESOLVED and incident.mitigated_at == was:
        changed = changed.replace(mitigated_at=command.to)  # resolving also set the mitigation time
    times = [(mark.value, _time_of(changed, mark)) for mark in _FIELDS]
    known = [*((name, time) for name, time in times if time is not None), ("corrected", at)]
    for (earlier, before), (later, after) in pairwise(known):
        if before > after:
            raise CommandRejected(f"{later.capitalize()} cannot be before {earlier} ({before:%Y-%m-%d %H:%M:%S} UTC).")
    note = Correction(which=word, was=was, now=command.to, by=command.by, at=at, reason=command.reason)
    changed = changed.replace(
        corrections=(*incident.corrections, note), intervals=_correct_intervals(incident, command)
    )
    text = f"Corrected {word} time: {was:%Y-%m-%d %H:%M:%S} → {command.to:%Y-%m-%d %H:%M:%S} UTC ({command.reason})"
    return changed.logged(at, command.by, Kind.NOTE, text)


def _time_of(incident: Incident, which: Mark) -> datetime | None:
    """Return that time; of the acknowledgement the first round's, which the figures count."""
    found: datetime | None = getattr(incident, _FIELDS[which])
    return incident.first_acknowledged_at if which is Mark.ACKNOWLEDGED else found


def _with_time(incident: Incident, which: Mark, to: datetime) -> Incident:
    if which is Mark.ACKNOWLEDGED:
        return incident.with_first_acknowledgement(to)
    return incident.replace(**{_FIELDS[which]: to})


def _correct_intervals(incident: Incident, command: CorrectTime) -> tuple[Interval, ...]:
    """Return the intervals with the corrected start or end."""
    spans = incident.intervals
    if not spans:
        return spans
    if command.which is Mark.STARTED:
        return (spans[0].replace(since=command.to), *spans[1:])
    if command.which is Mark.RESOLVED:
        return (*spans[:-1], spans[-1].replace(until=command.to))
    return spans
