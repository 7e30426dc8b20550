"""Commands about communication: hold an update, escalate, assign a role, make the incident private."""

from datetime import datetime, timedelta

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import TURNS, Kind
from incidents.domain.incident.commands import AssignRole, Escalate, HoldUpdate, MakePrivate, Role
from incidents.domain.incident.incident import Incident
from incidents.domain.paging.ladder import next_rung
from incidents.domain.paging.state import Hastened
from incidents.domain.updates.publishing import next_due
from incidents.domain.updates.state import Hold


def hold(command: HoldUpdate, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Hold the next update back, once and within the cap; those after it come when they would have (behaviour 38)."""
    due, cap = next_due(incident, runbook), runbook.policy(incident.severity).updates.hold_at_most
    sequence = incident.updates.count + 1
    if due is None:
        raise CommandRejected(f"A {incident.severity} has no scheduled updates: nothing to hold.")
    if incident.updates.hold is not None and incident.updates.hold.sequence == sequence:
        until = incident.updates.hold.until
        raise CommandRejected(f"Update {sequence} is already held until {until:%H:%M} UTC, and can be held only once.")
    wanted = timedelta(minutes=command.minutes)
    if wanted > cap:
        raise CommandRejected(f"A {incident.severity} update can be held for at most {in_words(cap)}.")
    until = due + wanted
    text = f"Update {sequence} held until {until:%H:%M} UTC: {command.reason}"
    incident = incident.replace(
        updates=incident.updates.replace(hold=Hold(sequence=sequence, until=until, by=command.by))
    )
    return incident.logged(at, command.by, Kind.UPDATE, text, announce=True)


def escalate(command: Escalate, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Call the next person of the ladder now, unless the sender looked at an older state (behaviour 46)."""
    turns = (*incident.evidence.archive.turns, *(entry for entry in incident.timeline if entry.kind in TURNS))
    since = [entry for entry in turns if entry.sequence > command.revision]
    if command.revision and since:
        state = f"{incident.severity}, {incident.status}, commander {incident.roles.commander or 'nobody'}"
        raise CommandRejected(
            f"The incident has changed. Now: {state}. Last: {since[-1].text}. Check it, then send the command again."
        )
    if (found := next_rung(incident, runbook)) is None:
        raise CommandRejected(f"The {incident.severity} escalation ladder has no further rung.")
    rung, contact = found
    name, why = runbook.contacts[contact].name, f" ({command.reason})" if command.reason else ""
    incident = incident.replace(
        paging=incident.paging.replace(hastened=(*incident.paging.hastened, Hastened(rung=rung, at=at, by=command.by)))
    )
    return incident.logged(at, command.by, Kind.ESCALATION, f"Escalated to {name}{why}", announce=True)


def assign(command: AssignRole, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Assign, hand over or unassign a role (behaviour 98). The assignee is mentioned."""
    role, person = command.role, _assignee(command, incident, runbook)
    before: str = getattr(incident.roles, role.value)
    if before == person:
        raise AlreadyDone(f"{role.title()} is already {person or 'unassigned'}.")
    vacant = at if role is Role.COMMANDER and not person else incident.roles.no_commander_since
    incident = incident.replace(roles=incident.roles.replace(**{role.value: person}))
    incident = incident.replace(
        roles=incident.roles.replace(no_commander_since=None if incident.roles.commander else vacant)
    )
    text, mentions = _role_text(role, person, before), (person,) if person else ()
    return incident.logged(at, command.by, Kind.ROLE, text, announce=True, mentions=mentions)


def _assignee(command: AssignRole, incident: Incident, runbook: RunbookConfig) -> str:
    """Return the assignee: the person named, or who is on call by the schedule of the contact named."""
    if not command.person and not command.unassign:
        raise CommandRejected(
            f"Who is {command.role}? Use `incident role {incident.number} {command.role} NAME`, or --unassign."
        )
    contact = runbook.contacts.get(command.person)
    if command.unassign or contact is None:
        return "" if command.unassign else command.person
    found = incident.paging.who(command.person)
    if contact.schedule and (found is None or not found.name):
        raise CommandRejected(f"The schedule of {command.person} has not been read, or is empty. Name a person.")
    return found.name if contact.schedule and found else command.person


def _role_text(role: Role, person: str, before: str) -> str:
    if not person:
        return f"{'Incident commander' if role is Role.COMMANDER else role.title()} unassigned (was {before})"
    return f"{role.title()}: {person}{f', handed over by {before}' if before else ''}"


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
        chat=incident.chat.replace(
            channel_count=incident.chat.channel_count + 1,
            summary_count=incident.chat.summary_count + 1,
            summary_at=None,
            topic_count=incident.chat.topic_count + 1,
            former_channels=(*incident.chat.former_channels, room) if room else incident.chat.former_channels,
        ),
        rollback=incident.rollback.replace(
            clusters=tuple(state.replace(note=None) for state in incident.rollback.clusters)
        ),
    )
    return incident.logged(at, command.by, Kind.STATUS, f"Made private: {command.reason}", announce=True)
