"""Who may see a private incident."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.paging.ladder import address
from incidents.domain.paging.on_call import on_call_of
from incidents.domain.people.directory import PeopleDirectory


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
    known = (*(found for found in addresses if found), *roles, incident.acknowledged_by, incident.reporter)
    return person.casefold() in {people.resolve(name).casefold() for name in known if name}
