"""Who may see a private incident, send it commands, and read the payloads that Temporal stores of incidents."""

from collections.abc import Sequence

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import PrivateIncident
from incidents.domain.core.command import Command
from incidents.domain.incident.incident import Incident
from incidents.domain.paging.ladder import address
from incidents.domain.paging.on_call import on_call_of
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.domain.people.references import address_in_words

REFUSAL = "This incident is private: only those who may see it can send it commands. Nothing was changed."
"""The answer to anyone else. It names no incident: before it has a number, its name tells what it is about."""


def may_see(incident: Incident, person: str, runbook: RunbookConfig, people: PeopleDirectory) -> bool:
    """Tell whether a person may see the incident: everyone, unless it is private.

    A private one is for those who are in its channel (on-call and responders), who have a role in it, who acknowledged
    it, and who reported it. `person`: the name in the directory.
    """
    if not incident.private:
        return True
    invited = (on_call_of(incident, runbook), *runbook.people.responders)
    addresses = (address(contact, incident, runbook) for contact in invited)
    roles = (incident.roles.commander, incident.roles.communications, incident.roles.scribe)
    known = (*map(address_in_words, filter(None, addresses)), *roles, incident.acknowledged_by, incident.reporter)
    return person.casefold() in {people.resolve(name).casefold() for name in known if name}


def is_from_its_channel(incident: Incident, channel_id: str) -> bool:
    """Tell whether that is the incident's own channel; "" is no channel."""
    return bool(channel_id) and channel_id == incident.resources.channel_id


def require_access(incident: Incident, command: Command, runbook: RunbookConfig) -> None:
    """Check that a command for a private incident comes from its channel, or from someone who may see it.

    A workflow has no directory of people, so it knows them by the names that they act under. A client that has one
    (`incidents/client/outsiders.py`) lets the others in.

    Raises:
        PrivateIncident: it does not.
    """
    origin = command.origin
    if origin is None or not incident.private or is_from_its_channel(incident, origin.channel_id):
        return
    if not (origin.by_person and may_see(incident, command.by, runbook, NOBODY)):
        raise PrivateIncident(REFUSAL)


def is_public(incidents: Sequence[Incident] | None) -> bool:
    """Tell whether payloads of a workflow are for everyone who may read any: none of its incidents is private.

    `incidents`: all that the workflow is or was of; None if they are not all known.
    """
    return bool(incidents) and not any(incident.private for incident in incidents or ())


def may_decode(
    incidents: Sequence[Incident] | None, person: str, runbook: RunbookConfig, people: PeopleDirectory
) -> bool:
    """Tell whether a person may read payloads of a workflow: if they may see each incident that it is or was of.

    Payloads of other workflows, and of those whose incidents are not known, are for the operators.

    Args:
        incidents: all that the workflow is or was of; None if they are not all known.
        person: the name in the directory.
        runbook: names the operators.
        people: the directory.
    """
    if incidents:
        return all(may_see(incident, person, runbook, people) for incident in incidents)
    named = (name for contact in runbook.people.operators for name in (contact, runbook.contacts[contact].email or ""))
    return person.casefold() in {people.resolve(name).casefold() for name in named if name}
