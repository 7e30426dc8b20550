"""What responders may say of who hears what: hold an update, call the next person, hand over a role, go private."""

from datetime import datetime, timedelta

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.time.duration import in_words
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.commands import (
    AssignRole,
    Escalate,
    HoldUpdate,
    MakePrivate,
    Role,
)
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Hastened, Hold
from incidents.domain.paging.ladder import next_rung
from incidents.domain.updates.publishing import next_due

_TURNS = (Kind.ACKNOWLEDGED, Kind.SEVERITY, Kind.ESCALATION, Kind.STATUS, Kind.RESOLVED, Kind.REOPENED, Kind.CANCELLED)
"""What changes who should be called: whoever looked before it must look again."""


def hold(command: HoldUpdate, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Hold the next update back, once and within the cap; those after it come when they would have (behaviour 38)."""
    due, cap = next_due(incident, runbook), runbook.policy(incident.severity).updates.hold_at_most
    sequence = len(incident.updates) + 1
    if due is None:
        raise CommandRejected(f"A {incident.severity} has no scheduled updates: there is nothing to hold back.")
    if incident.hold is not None and incident.hold.sequence == sequence:
        raise CommandRejected(
            f"Update {sequence} is held back already, until {incident.hold.until:%H:%M} UTC: once is all."
        )
    wanted = timedelta(minutes=command.minutes)
    if wanted > cap:
        raise CommandRejected(f"An update of a {incident.severity} is held back for {in_words(cap)} at most.")
    until = due + wanted
    text = f"Update {sequence} is held back until {until:%H:%M} UTC: {command.reason}"
    incident = incident.replace(hold=Hold(sequence=sequence, until=until, by=command.by))
    return incident.logged(at, command.by, Kind.UPDATE, text, announce=True)


def escalate(command: Escalate, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Call the next person of the ladder now, unless the sender looked at an older state (behaviour 46)."""
    since = [entry for entry in incident.timeline if entry.sequence > command.revision and entry.kind in _TURNS]
    if command.revision and since:
        state = f"{incident.severity}, {incident.status}, commander {incident.commander or 'nobody'}"
        raise CommandRejected(
            f"You looked at an older state. Now: {state}. Last: {since[-1].text}. Look again, then apply_command."
        )
    if (found := next_rung(incident, runbook)) is None:
        raise CommandRejected(f"The ladder of a {incident.severity} has nobody left to call.")
    rung, contact = found
    name, why = runbook.contacts[contact].name, f" ({command.reason})" if command.reason else ""
    incident = incident.replace(hastened=(*incident.hastened, Hastened(rung=rung, at=at, by=command.by)))
    return incident.logged(at, command.by, Kind.ESCALATION, f"Escalated to {name}{why}", announce=True)


def assign(command: AssignRole, incident: Incident, at: datetime) -> Incident:
    """Give a role to somebody, hand it over, or lay it down."""
    role, person = command.role, command.person
    before: str = getattr(incident, role.value)
    if before == person:
        raise AlreadyDone(f"{role.title()} is {person or 'nobody'} already.")
    vacant = at if role is Role.COMMANDER and not person else incident.no_commander_since
    incident = incident.replace(**{role.value: person})
    incident = incident.replace(no_commander_since=None if incident.commander else vacant)
    handed = f", handed over by {before}" if before and person else f": laid down by {before}" if before else ""
    return incident.logged(at, command.by, Kind.ROLE, f"{role.title()}: {person or 'nobody'}{handed}", announce=True)


def make_private(command: MakePrivate, incident: Incident, at: datetime) -> Incident:
    """Take it out of every public place: a new, private channel, and the digest loses all but the number.

    What was published stays known; from now on only the end is said there, without a title or anybody's words
    (behaviour 24).
    """
    if incident.private:
        raise AlreadyDone(f"{incident.name} is private already.")
    room = incident.resources.channel_id
    bare = incident.resources.replace(
        channel_id=None, channel_name=None, summary_ts=None, summary_text=None, topic=None
    )
    incident = incident.replace(
        private=True,
        resources=bare,
        channels=incident.channels + 1,
        # What is still being written into the old channel says nothing of the new one.
        summaries=incident.summaries + 1,
        summary_at=None,
        topics=incident.topics + 1,
        former_channels=(*incident.former_channels, room) if room else incident.former_channels,
        rollbacks=tuple(state.replace(note=None) for state in incident.rollbacks),
    )
    return incident.logged(at, command.by, Kind.STATUS, f"Private from now on: {command.reason}", announce=True)
