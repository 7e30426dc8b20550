"""Merge one incident into another (behaviour 65): its alerts follow, its timers stop, its number stays; and undo."""

from datetime import datetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.commands import Merge, Unmerge
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import reopen
from incidents.domain.merging.forwarding import send, shared_state
from incidents.domain.merging.state import MergedInto, MergeMessage, MergeMessageKind
from incidents.domain.updates.publishing import publish, used_channels
from incidents.domain.updates.state import UpdateKind


def merge(command: Merge, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Merge this incident into another: it ends here, and what it knows goes there.

    Raises:
        CommandRejected: it has no number yet, the other one is itself, over, or was merged into this one, only one of
            the two is a drill, or a rollback is in progress.
        AlreadyDone: it was merged into that one before.
    """
    into = incident.merging.into
    if into is not None and into.workflow_id == command.workflow_id:
        raise AlreadyDone(f"{incident.name} is already merged into INC-{into.number}.")
    if into is not None:
        raise CommandRejected(
            f"{incident.name} was merged into INC-{into.number}. Undo that first: `incident unmerge`."
        )
    if incident.number is None:
        raise CommandRejected(f"{incident.name} has no number yet. Try again in a moment.")
    if command.workflow_id == incident.workflow_id:
        raise CommandRejected(f"{incident.name} cannot be merged into itself.")
    if command.workflow_id in incident.merging.absorbed:
        raise CommandRejected(f"INC-{command.into} was merged into {incident.name}: the merge would be a circle.")
    _require_fitting_target(command, incident)
    if any(state.status.under_way for state in incident.rollback.clusters):
        raise CommandRejected("A rollback is running: wait for its verdict, then merge.")
    return _merged(command, incident, runbook, at)


def _require_fitting_target(command: Merge, incident: Incident) -> None:
    """Raise `CommandRejected` if the client found a target that cannot go on with this incident."""
    target = f"INC-{command.into}"
    if command.target_drill is not None and command.target_drill != incident.drill:
        kinds = ("a drill", "a real incident")
        own, other = kinds if incident.drill else reversed(kinds)
        raise CommandRejected(f"{incident.name} is {own} and {target} is {other}: they cannot be merged.")
    if command.target_status == Status.RESOLVED:
        raise CommandRejected(f"{target} is resolved: reopen it first, then merge.")
    if command.target_status == Status.CANCELLED:
        raise CommandRejected(f"{target} was cancelled or merged: merge into an open incident.")


def _merged(command: Merge, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    into = MergedInto(number=command.into, workflow_id=command.workflow_id, by=command.by, at=at)
    incident = send(_ended(incident, into, at), _message(incident, command.by, at), command.workflow_id)
    why = f": {command.reason}" if command.reason else ""
    text = f"Merged into INC-{command.into}{why}. Continue there; undo with `incident unmerge {incident.number}`."
    incident = incident.logged(at, command.by, Kind.CANCELLED, text, announce=True)
    channels = used_channels(incident)
    if not channels:
        return incident
    words = PublicText.filled(runbook.templates.texts.merged, INCIDENT_ID=f"INC-{command.into}")
    return publish(incident, runbook, at, UpdateKind.FINAL, words, by=command.by, channels=channels)


def _ended(incident: Incident, into: MergedInto, at: datetime) -> Incident:
    return incident.replace(
        status=Status.CANCELLED,
        monitoring_since=None,
        resolve_intent=None,
        episodes=(*incident.episodes[:-1], incident.episode.replace(until=at)),
        updates=incident.updates.replace(draft=PublicText(), next_words=PublicText(), hold=None),
        merging=incident.merging.replace(into=into),
    )


def _message(incident: Incident, by: str, at: datetime) -> MergeMessage:
    """Return everything that the target needs to go on with this incident."""
    return MergeMessage(
        kind=MergeMessageKind.ABSORBED,
        workflow_id=incident.workflow_id,
        number=incident.number,
        title="" if incident.private else incident.title,
        severity=incident.severity,
        drill=incident.drill,
        started_at=incident.started_at,
        merged_at=at,
        by=by,
        states=tuple(shared_state(state, incident) for state in incident.alerting.firing),
        absorbed=incident.merging.absorbed,
    )


def unmerge(command: Unmerge, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Undo a merge: this incident is live again, and the other one is notified.

    Raises:
        CommandRejected: it was not merged.
    """
    into = incident.merging.into
    if into is None:
        raise CommandRejected(f"{incident.name} was not merged into another incident.")
    reason = command.reason or f"the merge into INC-{into.number} was undone"
    return undo_merge(incident, reason, runbook, at, by=command.by, attended=True)


def undo_merge(
    incident: Incident, reason: str, runbook: RunbookConfig, at: datetime, *, by: str, attended: bool
) -> Incident:
    """Reopen a merged incident, and notify the one that it was merged into.

    Args:
        incident: The merged incident.
        reason: Why it is reopened.
        runbook: Its runbook.
        at: Workflow time, aware UTC.
        by: Who undoes the merge.
        attended: A person does, and so has acknowledged it.
    """
    into = incident.merging.into
    if into is None:
        return incident
    message = MergeMessage(
        kind=MergeMessageKind.SEPARATED,
        workflow_id=incident.workflow_id,
        number=incident.number,
        by=by,
        absorbed=incident.merging.absorbed,
    )
    incident = send(incident, message, into.workflow_id)
    incident = incident.replace(merging=incident.merging.replace(into=None))
    return reopen(incident, runbook, at, by, reason, attended=attended)
