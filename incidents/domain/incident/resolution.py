"""What the commands of the recovery do: confirm, monitor, resolve, reopen, cancel, start the post-mortem."""

from datetime import datetime

from incidents.domain.alerting.sources import not_ended
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import Kind
from incidents.domain.customers.state import Confirmation
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.commands import Cancel, ConfirmRecovery, Monitor, Reopen, Resolve, StartPostmortem
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import cancel, monitor, reopen, require_live, resolve
from incidents.domain.postmortem.incident_obligations import postmortem_owed
from incidents.domain.rollback.bound import time_left
from incidents.domain.rollback.state import RollbackState


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
    incident = incident.replace(
        customers=incident.customers.replace(confirmations=(*incident.customers.confirmations, confirmation))
    )
    return incident.logged(at, command.by, Kind.CONFIRMATION, f"{who}: {answer}{note}", announce=True)


def apply_monitoring(command: Monitor, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Watch a mitigated incident for its stability window."""
    require_live(incident)
    if incident.status == Status.MONITORING:
        raise AlreadyDone(f"{incident.name} is already being monitored.")
    words = PublicText.screened(command.text or runbook.templates.texts.mitigated, runbook)
    return monitor(incident, runbook, at, command.by, words)


def apply_resolution(command: Resolve, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Resolve the incident, or remember to once the rollback in progress is verified (behaviours 57 and 89)."""
    if incident.status == Status.RESOLVED:
        when = f" at {incident.resolved_at:%H:%M} UTC" if incident.resolved_at else ""
        raise AlreadyDone(f"{incident.name} was already resolved by {incident.resolved_by}{when}.")
    require_live(incident)
    if (left := _left_open(incident, runbook)) and not command.force:
        raise CommandRejected(f"{left}. To resolve a {incident.severity} anyway, use --force with --reason.")
    words = PublicText.screened(command.text or runbook.templates.texts.resolved, runbook)
    for option, given in (("--force", command.force), ("--now", command.now)):
        if given and not command.reason:
            raise CommandRejected(f"{option} needs a --reason: the post-mortem will ask for it.")
    running = [state for state in incident.rollback.clusters if state.status.under_way]
    if running and not command.now:
        waiting = _log_wait(incident, running, command, runbook, at)
        return _log_force(waiting.replace(resolve_intent=command), command, runbook, at)
    if running:
        names = ", ".join(state.offer.cluster for state in running)
        text = f"Resolved without waiting for the rollback of {names}: {command.reason}"
        incident = incident.logged(at, command.by, Kind.RESOLVED, text)
    return resolve(_log_force(incident, command, runbook, at), runbook, at, command.by, words)


def _left_open(incident: Incident, runbook: RunbookConfig) -> str:
    """Return what keeps a responder from resolving without `--force`: alerts, and open steps of the checklist."""
    policy = runbook.policy(incident.severity)
    alerts = not_ended(incident, runbook) if policy.confirm_resolution and incident.alerting.firing else ""
    steps = _open_steps(incident, runbook)
    return ". ".join(filter(None, (alerts, steps)))


def _open_steps(incident: Incident, runbook: RunbookConfig) -> str:
    """Return the open steps of the checklist where the severity's policy wants none; "" otherwise."""
    if not runbook.policy(incident.severity).complete_checklist:
        return ""
    titles = [state.title for state in incident.steps if state.status in (StepStatus.PENDING, StepStatus.FAILED)]
    return f"Open checklist steps: {', '.join(titles)}" if titles else ""


def _log_wait(
    incident: Incident, running: list[RollbackState], command: Resolve, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Say what the resolution waits for, until when at most, and how not to wait."""
    if (waiting := incident.resolve_intent) is not None:
        raise AlreadyDone(
            f"{incident.name} is already resolving (requested by {waiting.by}). To not wait for the rollback:"
            f" `incident resolve {incident.number} --now --reason ...`."
        )
    left = max(time_left(state, runbook.rollback, at) for state in running)
    names = ", ".join(state.offer.cluster for state in running)
    verified = all(state.verifying_since is not None for state in running)
    text = (
        f"Not resolved yet: the rollback of {names} is {'being verified' if verified else 'running'}"
        f" (at most {in_words(left)}, until {at + left:%H:%M} UTC). Resolves by itself if the check passes;"
        f" `incident resolve {incident.number} --now` does not wait."
    )
    return incident.logged(at, command.by, Kind.STATUS, text, announce=True)


def _log_force(incident: Incident, command: Resolve, runbook: RunbookConfig, at: datetime) -> Incident:
    if not command.force:
        return incident
    steps = f" ({steps})" if (steps := _open_steps(incident, runbook)) else ""
    text = f"Forced resolution with {len(incident.alerting.firing)} alert(s) firing{steps}: {command.reason}"
    return incident.logged(at, command.by, Kind.RESOLVED, text)


def apply_reopening(command: Reopen, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Reopen a resolved incident."""
    if incident.status == Status.CANCELLED:
        require_live(incident)
    if incident.status != Status.RESOLVED:
        raise CommandRejected(f"{incident.name} is {incident.status}: only a resolved incident can be reopened.")
    if incident.postmortem.published:
        raise CommandRejected(
            f"The post-mortem of {incident.name} is published: open a new incident that links it"
            f" (`starter.py --repeats {incident.number} --title ...`)."
        )
    return reopen(incident, runbook, at, command.by, command.reason, attended=True)


def apply_cancellation(command: Cancel, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Cancel a false alarm."""
    if incident.status == Status.CANCELLED:
        raise AlreadyDone(f"{incident.name} was cancelled already.")
    require_live(incident)
    if any(state.status.under_way for state in incident.rollback.clusters):
        raise CommandRejected("A rollback is running: wait for its verdict, then cancel.")
    return cancel(incident, runbook, at, command.by, command.reason)


def start_postmortem(command: StartPostmortem, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Start the post-mortem early, or one that is not owed."""
    if incident.drill:
        raise CommandRejected(
            f"{incident.name} requires a drill review instead: `incident review-drill {incident.number}`, once over."
        )
    if incident.status == Status.CANCELLED:
        require_live(incident)
    if incident.postmortem.started or (incident.over and postmortem_owed(incident, runbook)):
        raise AlreadyDone(f"The post-mortem of {incident.name} has already started.")
    started = incident.replace(postmortem=incident.postmortem.replace(started=True))
    return started.logged(at, command.by, Kind.POSTMORTEM, "The post-mortem is started", announce=True)
