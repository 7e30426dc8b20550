"""Requests that page, escalate, and remind of an unassigned incident commander."""

from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.chat.channel import channel_id
from incidents.domain.config.communication import Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.paging.ladder import address
from incidents.domain.paging.on_call import on_call_of
from incidents.domain.updates.messages import escalation_text, internal_mail, page_text


def dedup_key(incident: Incident, calling: int) -> str:
    """Return the pager's key: at first the workflow id, which the starter knows too (behaviour 13), then one each."""
    return f"{incident.workflow_id}/{calling}" if calling else incident.workflow_id


def page_links(incident: Incident, runbook: RunbookConfig) -> dict[str, str]:
    """Return what a page links to: the war room as soon as it is open; one that is always open from the beginning."""
    static = runbook.war_room.static_url if runbook.policy(incident.severity).war_room else ""
    bridge = incident.resources.bridge_url or static
    return {"War room": bridge} if bridge else {}


def page(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Page whoever is on call."""
    return activity_requests.SendPage(
        key=obligation.key,
        dedup_key=dedup_key(incident, incident.repage_count),
        summary=page_text(incident),
        source=incident.service,
        severity=runbook.pager_severity(incident.severity),
        details={"incident": incident.name, "environment": incident.environment, "to": on_call_of(incident, runbook)},
        to=on_call_of(incident, runbook),
        links=page_links(incident, runbook),
    )


def acknowledge_page(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest:
    """Stop the page of the last calling."""
    to = on_call_of(incident, runbook)
    key = dedup_key(incident, incident.repage_count)
    return activity_requests.SettlePage(key=obligation.key, dedup_key=key, action="acknowledge", to=to)


def resolve_page(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """End a page: the on-call's, or the one of an escalation, whose key is the subject."""
    if not obligation.subject:
        to = on_call_of(incident, runbook)
        key = dedup_key(incident, obligation.sequence)
        return activity_requests.SettlePage(key=obligation.key, dedup_key=key, action="resolve", to=to)
    escalated = obligation.subject.startswith("escalate/")
    to = obligation.subject.split("/")[3] if escalated else on_call_of(incident, runbook)
    key = f"{incident.workflow_id}/{obligation.subject}"
    return activity_requests.SettlePage(key=obligation.key, dedup_key=key, action="resolve", to=to)


def find_on_call(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Ask who a contact is now, by its schedule."""
    return activity_requests.FindOnCall(key=obligation.key, schedule=runbook.contacts[obligation.subject].schedule)


def hear(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Look whether somebody wrote in the channel."""
    if incident.resources.channel_id is None:
        return ActivityResult()
    return activity_requests.HearChannel(
        key=obligation.key, channel_id=incident.resources.channel_id, since=obligation.since
    )


def escalate(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Call somebody by one way, with the text of this moment."""
    message, contact = escalation_text(incident, runbook, at), runbook.contacts[obligation.subject]
    if obligation.by is Reach.PAGE:
        return activity_requests.SendPage(
            key=obligation.key,
            dedup_key=f"{incident.workflow_id}/{obligation.key}",
            summary=f"Escalated to {contact.name}: {page_text(incident)}"[:1000],
            source=incident.service,
            severity=runbook.pager_severity(incident.severity),
            details={"incident": incident.name, "to": obligation.subject, "state": message.body},
            to=obligation.subject,
            links=page_links(incident, runbook),
        )
    email = address(obligation.subject, incident, runbook)
    if not email:
        return ActivityResult(skipped=f"the runbook has no e-mail address of {contact.name}")
    if obligation.by is Reach.SLACK:
        return activity_requests.DirectMessage(
            key=obligation.key, email=email, text=f"*{message.subject}*\n{message.body}"
        )
    return internal_mail(obligation, incident, (email,), message.subject, message.body, "escalation")


def remind_commander(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest:
    """Remind the channel: no incident commander."""
    take = f"`incident role {incident.number} commander NAME`"
    text = f"<!here> This {incident.severity} has no commander. Whoever leads it now: {take}"
    return activity_requests.PostMessage(key=obligation.key, channel_id=channel_id(incident), text=text)
