"""What a responder's command does: the new incident, or the reason why not."""

from datetime import datetime
from typing import TypeGuard, assert_never, get_args

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command, remembered
from incidents.domain.drill.commands import review_drill
from incidents.domain.incident import commands as c
from incidents.domain.incident import resolution, response
from incidents.domain.incident.corrections import correct_time
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import record_response, require_live
from incidents.domain.incident.steps import settle_step
from incidents.domain.incident.visibility import require_access
from incidents.domain.merging.commands import merge, unmerge
from incidents.domain.paging.commands import assign, escalate, hold, make_private
from incidents.domain.rollback import commands as rollback
from incidents.domain.updates.commands import post_update

IncidentCommand = c.ResponseCommand | rollback.RollbackCommand | c.RecoveryCommand
"""Every command of an incident. Each is handled below; mypy rejects one that is forgotten."""
COMMANDS: tuple[type[Command], ...] = get_args(IncidentCommand)


def _is_incident_command(command: Command) -> TypeGuard[IncidentCommand]:
    return isinstance(command, COMMANDS)


def apply_command(incident: Incident, command: Command, runbook: RunbookConfig, at: datetime) -> Incident:
    """Return the incident after the command.

    Raises:
        CommandRejected: the runbook refuses it; the message says why and what to do.
        PrivateIncident: its sender may not see the incident.
        AlreadyDone: it, or another command with the same effect, came before.
    """
    require_access(incident, command, runbook)
    if command.id and command.id in incident.handled:
        raise AlreadyDone("This command was already received.")
    if incident.closed:
        raise CommandRejected(f"{incident.name} is closed. A new alert, or `starter.py`, opens a new incident.")
    if not _is_incident_command(command):
        raise CommandRejected(f"{type(command).__name__} is not an incident command.")
    incident = record_response(_apply(command, incident, runbook, at), at, command.by)
    return incident.replace(handled=remembered(incident.handled, command))


def _apply(command: IncidentCommand, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    if isinstance(command, c.ResponseCommand):
        return _respond(command, incident, runbook, at)
    if isinstance(command, rollback.RollbackCommand):
        return _roll_back(command, incident, runbook, at)
    return _recover(command, incident, runbook, at)


def _respond(command: c.ResponseCommand, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    if not isinstance(command, c.MakePrivate | c.AddNote | c.SettleStep):  # these also serve an incident that is over
        require_live(incident)
    match command:
        case c.Acknowledge():
            return response.apply_acknowledgement(command, incident, runbook, at)
        case c.Assess():
            return response.apply_assessment(command, incident, runbook, at)
        case c.DeclareSeverity():
            return response.apply_severity(command, incident, runbook, at)
        case c.PostUpdate():
            return post_update(command, incident, runbook, at)
        case c.HoldUpdate():
            return hold(command, incident, runbook, at)
        case c.Escalate():
            return escalate(command, incident, runbook, at)
        case c.AssignRole():
            return assign(command, incident, runbook, at)
        case c.MakePrivate():
            return make_private(command, incident, at)
        case c.AddNote():
            return response.apply_note(command, incident, runbook, at)
        case c.SettleStep():
            return settle_step(command, incident, runbook, at)
        case _:
            assert_never(command)


def _roll_back(command: rollback.RollbackCommand, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    match command:
        case rollback.RequestRollback():
            require_live(incident)
            return rollback.request_rollback(command, incident, runbook, at)
        case rollback.ApproveRollback():
            require_live(incident)
            return rollback.approve_rollback(command, incident, runbook, at)
        case rollback.DeclineRollback():
            return rollback.decline_rollback(command, incident, runbook, at)
        case rollback.JudgeRollback():
            return rollback.judge_rollback(command, incident, runbook, at)
        case rollback.FlagRelease():
            return rollback.flag_release(command, incident, runbook, at)
        case _:
            assert_never(command)


def _recover(command: c.RecoveryCommand, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    match command:
        case c.ConfirmRecovery():
            return resolution.apply_confirmation(command, incident, runbook, at)
        case c.Monitor():
            return resolution.apply_monitoring(command, incident, runbook, at)
        case c.Resolve():
            return resolution.apply_resolution(command, incident, runbook, at)
        case c.Reopen():
            return resolution.apply_reopening(command, incident, runbook, at)
        case c.Cancel():
            return resolution.apply_cancellation(command, incident, runbook, at)
        case c.Merge():
            require_live(incident)
            return merge(command, incident, runbook, at)
        case c.Unmerge():
            return unmerge(command, incident, runbook, at)
        case c.StartPostmortem():
            return resolution.start_postmortem(command, incident, runbook, at)
        case c.ReviewDrill():
            return review_drill(command, incident, at)
        case c.CorrectTime():
            return correct_time(incident, command, at)
        case _:
            assert_never(command)
