"""Requests to the pagers, to Alertmanager, and to whoever else calls people."""

from datetime import datetime

from incidents.domain import activity_requests as effects
from incidents.domain.activity_requests import Effect, Outcome
from incidents.domain.config.communication import Reach
from incidents.domain.config.model import Runbook
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


def _links(incident: Incident, runbook: Runbook) -> dict[str, str]:
    """Return what a page links to: the war room as soon as it is open; one that is always open from the beginning."""
    static = runbook.war_room.static_url if runbook.policy(incident.severity).war_room else ""
    bridge = incident.resources.bridge_url or static
    return {"War room": bridge} if bridge else {}


def page(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Page whoever is on call."""
    return effects.SendPage(
        key=duty.key,
        dedup_key=dedup_key(incident, incident.pagings),
        summary=page_text(incident),
        source=incident.service,
        severity=_PAGER_WORDS[Severity(incident.severity)],
        details={"incident": incident.name, "environment": incident.environment, "to": runbook.people.on_call},
        to=runbook.people.on_call,
        links=_links(incident, runbook),
    )


def acknowledge_page(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Stop the page of the last calling."""
    to = runbook.people.on_call
    key = dedup_key(incident, incident.pagings)
    return effects.SettlePage(key=duty.key, dedup_key=key, action="acknowledge", to=to)


def resolve_page(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """End a page: the on-call's, or the one of an escalation, whose key is the subject."""
    if not duty.subject:
        to = runbook.people.on_call
        key = dedup_key(incident, duty.sequence)
        return effects.SettlePage(key=duty.key, dedup_key=key, action="resolve", to=to)
    escalated = duty.subject.startswith("escalate/")
    to = duty.subject.split("/")[3] if escalated else runbook.people.on_call
    key = f"{incident.workflow_id}/{duty.subject}"
    return effects.SettlePage(key=duty.key, dedup_key=key, action="resolve", to=to)


def find_on_call(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Ask who a contact is now, by its schedule."""
    return effects.FindOnCall(key=duty.key, schedule=runbook.contacts[duty.subject].schedule)


def silence(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Silence the alerts that somebody is working on: exactly these, and not for ever."""
    return effects.SilenceAlerts(
        key=duty.key,
        alerts={alert.fingerprint: alert.labels for alert in silenceable(incident)},
        since=at,
        until=at + runbook.paging.silence_for,
        by=incident.commander or incident.acknowledged_by or "incident runbook",
        comment=f"{incident.name}, acknowledged by {incident.acknowledged_by or incident.commander}",
    )


def lift_silences(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """End the silences: the incident is over, and the alert shall be heard if it comes back."""
    return effects.LiftSilences(key=duty.key, silences=tuple(silence.id for silence in incident.silences))


def check_alerts(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Ask which of the silenced alerts still fire."""
    hidden = {silence.fingerprint for silence in incident.silences}
    alerts = {alert.fingerprint: alert.labels for alert in silenceable(incident) if alert.fingerprint in hidden}
    return effects.CheckAlerts(key=duty.key, alerts=alerts)


def hear(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    """Look whether somebody wrote in the channel."""
    if incident.resources.channel_id is None:
        return Outcome()
    return effects.HearChannel(key=duty.key, channel_id=incident.resources.channel_id, since=duty.since)


def operators(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    """Tell the operators by mail that a vendor refuses our credentials; by page if that is the mail's own."""
    refusal = next(refusal for refusal in incident.refusals if refusal.vendor == duty.subject)
    message = broken_text(refusal, incident)
    to = tuple(email for name in runbook.people.operators if (email := address(name, incident, runbook)))
    if duty.subject not in ("sendgrid", "smtp") and to:
        return _internal_mail(duty, incident, to, message.subject, message.body, "operators")
    return effects.SendPage(
        key=duty.key,
        dedup_key=f"{incident.workflow_id}/{duty.key}",
        summary=message.subject,
        source="incident-runbook",
        severity="error",
        details={"incident": incident.name, "to": runbook.people.on_call, "state": message.body},
        to=runbook.people.on_call,
    )


def report_fault(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    """Tell the operators by mail of an error in this program. Responders read it on the timeline and in the channel."""
    to = tuple(email for name in runbook.people.operators if (email := address(name, incident, runbook)))
    if not to:
        return Outcome(skipped="the runbook names no operator with an e-mail address")
    message = fault_text(incident.faults[duty.sequence], incident)
    return _internal_mail(duty, incident, to, message.subject, message.body, "operators")


def escalate(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    """Call somebody by one way, with the text of this moment."""
    message, contact = escalation_text(incident, runbook, at), runbook.contacts[duty.subject]
    if duty.by is Reach.PAGE:
        return effects.SendPage(
            key=duty.key,
            dedup_key=f"{incident.workflow_id}/{duty.key}",
            summary=f"Escalated to {contact.name}: {page_text(incident)}"[:1000],
            source=incident.service,
            severity=_PAGER_WORDS[Severity(incident.severity)],
            details={"incident": incident.name, "to": duty.subject, "state": message.body},
            to=duty.subject,
            links=_links(incident, runbook),
        )
    email = address(duty.subject, incident, runbook)
    if not email:
        return Outcome(skipped=f"the runbook has no e-mail address of {contact.name}")
    if duty.by is Reach.SLACK:
        return effects.DirectMessage(key=duty.key, email=email, text=f"*{message.subject}*\n{message.body}")
    return _internal_mail(duty, incident, (email,), message.subject, message.body, "escalation")


def alarm(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    """Page for a decision about a rollback."""
    state = incident.rollback(duty.subject)
    if state is None:
        return Outcome(skipped="there is no such rollback any more")
    return effects.SendPage(
        key=duty.key,
        dedup_key=f"{incident.workflow_id}/{duty.key}",
        summary=f"{incident.name}: the rollback of {duty.subject} is {state.status}: {state.detail}"[:1000],
        source=incident.service,
        severity=_PAGER_WORDS[Severity(incident.severity)],
        details={"incident": incident.name, "to": runbook.people.on_call, "state": rollback_text(incident, state)},
        to=runbook.people.on_call,
        links=_links(incident, runbook),
    )


def _internal_mail(
    duty: Obligation, incident: Incident, to: tuple[str, ...], subject: str, body: str, category: str
) -> Effect:
    return effects.SendMail(
        key=duty.key, to=to, subject=subject, text=body, thread=incident.run_key, sequence=0, category=category
    )
