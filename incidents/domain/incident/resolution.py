"""What the commands of the recovery do: confirm, monitor, resolve, reopen, cancel, start the post-mortem."""

from datetime import datetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.commands import (
    Cancel,
    ConfirmRecovery,
    Monitor,
    Reopen,
    Resolve,
    StartPostmortem,
)
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import cancel, monitor, reopen, require_live, resolve
from incidents.domain.incident.parts import Confirmation, Status
from incidents.domain.postmortem.incident_obligations import postmortem_owed


def apply_confirmation(command: ConfirmRecovery, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record what a customer or a responder says about the recovery."""
    if incident.status == Status.CANCELLED:
        require_live(incident)
    confirmation = Confirmation(
        at=at, by=command.by, customer=command.customer, restored=command.restored, note=command.note
    )
    who = command.customer or command.by
    answer = "service is restored" if command.restored else "service is NOT restored"
    note = f" ({command.note})" if command.note else ""
    incident = incident.replace(confirmations=(*incident.confirmations, confirmation))
    return incident.logged(at, command.by, Kind.CONFIRMATION, f"{who}: {answer}{note}", announce=True)


def apply_monitoring(command: Monitor, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Watch a mitigated incident for its stability window."""
    require_live(incident)
    if incident.status == Status.MONITORING:
        raise AlreadyDone(f"{incident.name} is being watched already.")
    words = PublicText.screened(command.text or runbook.templates.texts.mitigated, runbook)
    return monitor(incident, runbook, at, command.by, words)


def apply_resolution(command: Resolve, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Resolve the incident, or remember to once the rollback in progress ends."""
    if incident.status == Status.RESOLVED:
        when = f" at {incident.resolved_at:%H:%M} UTC" if incident.resolved_at else ""
        raise AlreadyDone(f"{incident.name} was already resolved by {incident.resolved_by}{when}.")
    require_live(incident)
    if incident.firing and runbook.policy(incident.severity).confirm_resolution and not command.force:
        names = ", ".join(alert.title for alert in incident.firing[:3])
        raise CommandRejected(
            f"Still firing: {names}. To resolve a {incident.severity} anyway, use --force with --reason."
        )
    words = PublicText.screened(command.text or runbook.templates.texts.resolved, runbook)
    if command.force and not command.reason:
        raise CommandRejected("--force needs a --reason: the post-mortem will ask for it.")
    if command.force:
        text = f"Forced resolution with {len(incident.firing)} alert(s) firing: {command.reason}"
        incident = incident.logged(at, command.by, Kind.RESOLVED, text)
    if any(state.status.under_way for state in incident.rollbacks):
        text = "Resolution intended: the rollback under way is finished first"
        incident = incident.replace(resolve_intent=command)
        return incident.logged(at, command.by, Kind.STATUS, text, announce=True)
    return resolve(incident, runbook, at, command.by, words)


def apply_reopening(command: Reopen, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Reopen a resolved incident."""
    if incident.status == Status.CANCELLED:
        require_live(incident)
    if incident.status != Status.RESOLVED:
        raise CommandRejected(f"{incident.name} is {incident.status}: only a resolved incident can be reopened.")
    if incident.postmortem_published:
        raise CommandRejected(f"The post-mortem of {incident.name} is published: open a new incident and link it.")
    return reopen(incident, runbook, at, command.by, command.reason, attended=True)


def apply_cancellation(command: Cancel, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Cancel a false alarm."""
    if incident.status == Status.CANCELLED:
        raise AlreadyDone(f"{incident.name} was cancelled already.")
    require_live(incident)
    if any(state.status.under_way for state in incident.rollbacks):
        raise CommandRejected("A rollback is under way: wait for its verdict, then cancel.")
    return cancel(incident, runbook, at, command.by, command.reason)


def start_postmortem(command: StartPostmortem, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Start the post-mortem early, or one that is not owed."""
    if incident.status == Status.CANCELLED:
        require_live(incident)
    if incident.postmortem_started or (incident.over and postmortem_owed(incident, runbook)):
        raise AlreadyDone(f"The post-mortem of {incident.name} is started already.")
    started = incident.replace(postmortem_started=True)
    return started.logged(at, command.by, Kind.POSTMORTEM, "The post-mortem is started", announce=True)
