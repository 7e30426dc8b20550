"""What the commands of the first response do: acknowledge, assess, declare the severity, add a note."""

from datetime import datetime

from incidents.domain.alerting.triage import name_service
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.time.instants import fault, not_used, written
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.checklist import Step, StepStatus
from incidents.domain.incident.commands import Acknowledge, AddNote, Assess, DeclareSeverity
from incidents.domain.incident.display.severity_guide import severity_guide
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import acknowledge, change_severity
from incidents.domain.updates.audience import unknown_names
from incidents.domain.updates.messages import public_title
from incidents.domain.updates.publishing import publish_first_update


def apply_acknowledgement(command: Acknowledge, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record that a responder acknowledged; paging stops."""
    if incident.paging.attended:
        by, since = incident.acknowledged_by, incident.acknowledged_at
        raise AlreadyDone(f"{incident.name} was acknowledged by {by}{f' at {since:%H:%M} UTC' if since else ''}.")
    if command.at is not None and (why := fault(command.at, at)):
        raise CommandRejected(f"It cannot have been acknowledged at {written(command.at)}: that is {why}.")
    happened = min(max(command.at or at, incident.started_at), at)
    incident = acknowledge(incident, at, command.by, happened)
    if command.claimed_at is None:
        return incident
    text = not_used("Time of the acknowledgement", command.claimed_at, happened)
    return incident.logged(at, SYSTEM, Kind.ACKNOWLEDGED, text)


def apply_assessment(command: Assess, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record the blast radius, in words that customers may read."""
    PublicText.screened(command.impact, runbook)
    PublicText.screened(command.title or "", runbook)
    extent = "complete outage" if command.complete_outage else "partial"
    detail = f"{extent}: {command.impact}"
    before = public_title(incident, runbook)
    incident = incident.replace(assessment=command).with_step(Step.ASSESS, StepStatus.DONE, at, command.by, detail)
    triaged = bool(incident.alerting.unknown_service)
    unknown = unknown_names(command.customers, command.services, runbook)
    named = [f"{kind} {', '.join(names)}" for kind, names in _named(command) if names]
    text = f"Assessed as {'; '.join([detail.rstrip('.'), *named])}{f' ({unknown})' if unknown else ''}"
    incident = incident.logged(at, command.by, Kind.ASSESSED, text, announce=True)
    incident = name_service(incident, command, runbook, at)
    if public_title(incident, runbook) != before:
        incident = incident.replace(updates=incident.updates.replace(titles=incident.updates.titles + 1))
    if triaged and not incident.alerting.unknown_service:
        return publish_first_update(incident, runbook, at)
    return incident


def _named(command: Assess) -> list[tuple[str, tuple[str, ...]]]:
    return [("customers", command.customers), ("services", command.services)]


def apply_severity(command: DeclareSeverity, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Declare, raise or lower the severity, or confirm the one that was assumed."""
    severity = runbook.severity_named(command.severity)
    if severity is None:
        names = ", ".join(runbook.severity_names)
        raise CommandRejected(
            f"{incident.name} has no severity {command.severity}: its runbook has {names}. Nothing was changed."
            f" {' '.join(severity_guide(runbook))}"
        )
    same = severity == incident.severity
    if same and not incident.needs_triage:
        raise CommandRejected(f"{incident.name} is already {incident.severity}. Nothing was changed.")
    detail = f"{severity}, by {command.by}"
    incident = incident.replace(needs_triage=False, alerting=incident.alerting.judged())
    incident = incident.with_step(Step.SEVERITY, StepStatus.DONE, at, command.by, detail)
    if same:
        return incident.logged(at, command.by, Kind.SEVERITY, f"Severity {severity} confirmed", announce=True)
    return change_severity(incident, runbook, at, command.by, severity, command.reason)


def apply_note(command: AddNote, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Add a note to the timeline and the channel."""
    return incident.logged(at, command.by, Kind.NOTE, command.text, announce=True)
