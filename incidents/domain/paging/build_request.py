"""Requests to the pagers, to Alertmanager, and to whoever else calls people."""

from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.config.communication import Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.summary import rollback_text
from incidents.domain.obligation import Obligation
from incidents.domain.paging.ladder import address
from incidents.domain.paging.obligations import silenceable
from incidents.domain.updates.messages import (
    broken_text,
    escalation_text,
    fault_text,
    page_text,
)

_PAGER_WORDS = {Severity.P0: "critical", Severity.P1: "error", Severity.P2: "warning", Severity.P3: "info"}


def dedup_key(incident: Incident, calling: int) -> str:
    """Return the pager's key: at first the workflow id, which the starter knows too (BEHAVIOURS 13), then one each."""
    return f"{incident.workflow_id}/{calling}" if calling else incident.workflow_id


def _links(incident: Incident, runbook: RunbookConfig) -> dict[str, str]:
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
        severity=_PAGER_WORDS[Severity(incident.severity)],
        details={"incident": incident.name, "environment": incident.environment, "to": runbook.people.on_call},
        to=runbook.people.on_call,
        links=_links(incident, runbook),
    )


def acknowledge_page(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest:
    """Stop the page of the last calling."""
    to = runbook.people.on_call
    key = dedup_key(incident, incident.repage_count)
    return activity_requests.SettlePage(key=obligation.key, dedup_key=key, action="acknowledge", to=to)


def resolve_page(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """End a page: the on-call's, or the one of an escalation, whose key is the subject."""
    if not obligation.subject:
        to = runbook.people.on_call
        key = dedup_key(incident, obligation.sequence)
        return activity_requests.SettlePage(key=obligation.key, dedup_key=key, action="resolve", to=to)
    escalated = obligation.subject.startswith("escalate/")
    to = obligation.subject.split("/")[3] if escalated else runbook.people.on_call
    key = f"{incident.workflow_id}/{obligation.subject}"
    return activity_requests.SettlePage(key=obligation.key, dedup_key=key, action="resolve", to=to)


def find_on_call(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Ask who a contact is now, by its schedule."""
    return activity_requests.FindOnCall(key=obligation.key, schedule=runbook.contacts[obligation.subject].schedule)


def silence(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Silence the alerts that somebody is working on: exactly these, and not for ever."""
    return activity_requests.SilenceAlerts(
        key=obligation.key,
        alerts={alert.fingerprint: alert.labels for alert in silenceable(incident)},
        since=at,
        until=at + runbook.paging.silence_for,
        by=incident.commander or incident.acknowledged_by or "incident runbook",
        comment=f"{incident.name}, acknowledged by {incident.acknowledged_by or incident.commander}",
    )


def lift_silences(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """End the silences: the incident is over, and the alert shall be heard if it comes back."""
    return activity_requests.LiftSilences(
        key=obligation.key, silences=tuple(silence.id for silence in incident.silences)
    )


def check_alerts(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Ask which of the silenced alerts still fire."""
    hidden = {silence.fingerprint for silence in incident.silences}
    alerts = {alert.fingerprint: alert.labels for alert in silenceable(incident) if alert.fingerprint in hidden}
    return activity_requests.CheckAlerts(key=obligation.key, alerts=alerts)


def hear(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Look whether somebody wrote in the channel."""
    if incident.resources.channel_id is None:
        return ActivityResult()
    return activity_requests.HearChannel(
        key=obligation.key, channel_id=incident.resources.channel_id, since=obligation.since
    )


def operators(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Tell the operators by mail that a vendor refuses our credentials; by page if that is the mail's own."""
    refusal = next(refusal for refusal in incident.refusals if refusal.vendor == obligation.subject)
    message = broken_text(refusal, incident)
    to = tuple(email for name in runbook.people.operators if (email := address(name, incident, runbook)))
    if obligation.subject not in ("sendgrid", "smtp") and to:
        return _internal_mail(obligation, incident, to, message.subject, message.body, "operators")
    return activity_requests.SendPage(
        key=obligation.key,
        dedup_key=f"{incident.workflow_id}/{obligation.key}",
        summary=message.subject,
        source="incident-runbook",
        severity="error",
        details={"incident": incident.name, "to": runbook.people.on_call, "state": message.body},
        to=runbook.people.on_call,
    )


def report_fault(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Tell the operators by mail of an error in this program. Responders read it on the timeline and in the channel."""
    to = tuple(email for name in runbook.people.operators if (email := address(name, incident, runbook)))
    if not to:
        return ActivityResult(skipped="the runbook names no operator with an e-mail address")
    message = fault_text(incident.faults[obligation.sequence], incident)
    return _internal_mail(obligation, incident, to, message.subject, message.body, "operators")


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
            severity=_PAGER_WORDS[Severity(incident.severity)],
            details={"incident": incident.name, "to": obligation.subject, "state": message.body},
            to=obligation.subject,
            links=_links(incident, runbook),
        )
    email = address(obligation.subject, incident, runbook)
    if not email:
        return ActivityResult(skipped=f"the runbook has no e-mail address of {contact.name}")
    if obligation.by is Reach.SLACK:
        return activity_requests.DirectMessage(
            key=obligation.key, email=email, text=f"*{message.subject}*\n{message.body}"
        )
    return _internal_mail(obligation, incident, (email,), message.subject, message.body, "escalation")


def alarm(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Page for a decision about a rollback."""
    state = incident.rollback(obligation.subject)
    if state is None:
        return ActivityResult(skipped="there is no such rollback any more")
    return activity_requests.SendPage(
        key=obligation.key,
        dedup_key=f"{incident.workflow_id}/{obligation.key}",
        summary=f"{incident.name}: the rollback of {obligation.subject} is {state.status}: {state.detail}"[:1000],
        source=incident.service,
        severity=_PAGER_WORDS[Severity(incident.severity)],
        details={"incident": incident.name, "to": runbook.people.on_call, "state": rollback_text(incident, state)},
        to=runbook.people.on_call,
        links=_links(incident, runbook),
    )


def _internal_mail(
    obligation: Obligation, incident: Incident, to: tuple[str, ...], subject: str, body: str, category: str
) -> ActivityRequest:
    return activity_requests.SendMail(
        key=obligation.key,
        to=to,
        subject=subject,
        text=body,
        thread=incident.first_run_id,
        sequence=0,
        category=category,
    )
