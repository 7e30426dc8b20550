"""Times that were written down wrongly: both values are kept, with who and when; figures use the new one."""

from datetime import datetime
from itertools import pairwise

from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.instants import fault, written
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.commands import CorrectTime, Mark
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Correction, Interval

_FIELDS = {
    Mark.STARTED: "started_at",
    Mark.ACKNOWLEDGED: "acknowledged_at",
    Mark.MITIGATED: "mitigated_at",
    Mark.RESOLVED: "resolved_at",
}


def correct_time(incident: Incident, command: CorrectTime, at: datetime) -> Incident:
    """Return the incident with one of its times corrected (BEHAVIOURS 83).

    Raises:
        CommandRejected: the time does not exist yet, lies ahead or out of bounds, or would stand before one that comes
        before. AlreadyDone: it says that already.
    """
    field, word = _FIELDS[command.which], command.which.value
    was: datetime | None = getattr(incident, field)
    if was is None:
        raise CommandRejected(f"{incident.name} was not {word} yet: there is no time to correct.")
    if was == command.to:
        raise AlreadyDone(f"{incident.name} was {word} at that time already.")
    if why := fault(command.to, at):
        raise CommandRejected(f"{incident.name} cannot have been {word} at {written(command.to)}: that is {why}.")
    changed = incident.replace(**{field: command.to})
    if command.which is Mark.RESOLVED and incident.mitigated_at == was:
        changed = changed.replace(mitigated_at=command.to)  # it was mitigated by being resolved
    times = [(mark.value, getattr(changed, name)) for mark, name in _FIELDS.items()]
    known = [*((name, time) for name, time in times if time is not None), ("corrected", at)]
    for (earlier, before), (later, after) in pairwise(known):
        if before > after:
            raise CommandRejected(
                f"It cannot have been {later} before it was {earlier} ({before:%Y-%m-%d %H:%M:%S} UTC)."
            )
    note = Correction(which=word, was=was, now=command.to, by=command.by, at=at, reason=command.reason)
    changed = changed.replace(corrections=(*incident.corrections, note), intervals=_moved(incident, command))
    text = f"Corrected: {word} {was:%Y-%m-%d %H:%M:%S} → {command.to:%Y-%m-%d %H:%M:%S} UTC: {command.reason}"
    return changed.logged(at, command.by, Kind.NOTE, text)


def _moved(incident: Incident, command: CorrectTime) -> tuple[Interval, ...]:
    """Return the intervals with the first one's start, or the last one's end, where it was."""
    spans = incident.intervals
    if not spans:
        return spans
    if command.which is Mark.STARTED:
        return (spans[0].replace(since=command.to), *spans[1:])
    if command.which is Mark.RESOLVED:
        return (*spans[:-1], spans[-1].replace(until=command.to))
    return spans
