"""What a responder's command does: the new incident, or the reason why not."""

from datetime import datetime
from functools import singledispatch

from incidents.domain.apply_result import step_keys
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.instants import fault, not_used, written
from incidents.domain.core.public_text import PublicText
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident import commands
from incidents.domain.incident.checklist import Step, StepStatus
from incidents.domain.incident.commands import Command, Publication
from incidents.domain.incident.corrections import corrected
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import (
    attend,
    cancel,
    change_severity,
    heard,
    monitor,
    reopen,
    resolve,
)
from incidents.domain.incident.parts import (
    Confirmation,
    Status,
    Unfulfilled,
    UpdateKind,
)
from incidents.domain.paging.commands import (
    assign,
    escalate,
    hold,
    make_private,
)
from incidents.domain.postmortem.incident_obligations import postmortem_owed
from incidents.domain.rollback.commands import (
    approve_rollback,
    decline_rollback,
    flag_release,
    judge_rollback,
    request_rollback,
)
from incidents.domain.updates.publishing import next_due, publish


def apply_command(incident: Incident, command: Command, runbook: RunbookConfig, at: datetime) -> Incident:
    """Return the incident after the command.

    Raises:
        CommandRejected: the runbook refuses it; the message says why and what to do.
        AlreadyDone: it, or another command with the same effect, came before.
    """
    if command.id and command.id in incident.handled:
        raise AlreadyDone("This command was received before.")
    if incident.closed:
        raise CommandRejected(
            f"{incident.name} is closed for good. A new alert, or `starter.py`, opens a new incident."
        )
    incident = heard(_apply(command, incident, runbook, at), at, command.by)
    return incident.replace(handled=commands.remembered(incident.handled, command))


@singledispatch
def _apply(command: Command, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    raise CommandRejected(f"The runbook knows no command {type(command).__name__}.")


def _live(incident: Incident) -> None:
    if incident.status == Status.RESOLVED:
        when = f" at {incident.resolved_at:%H:%M} UTC" if incident.resolved_at else ""
        raise CommandRejected(f"{incident.name} was resolved by {incident.resolved_by}{when}. Reopen it first.")
    if incident.status == Status.CANCELLED:
        raise CommandRejected(f"{incident.name} was cancelled as no incident. Open a new one.")


@_apply.register
def _acknowledge(command: commands.Acknowledge, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    if incident.attended:
        by, since = incident.acknowledged_by, incident.acknowledged_at
        raise AlreadyDone(f"{incident.name} was acknowledged by {by}{f' at {since:%H:%M} UTC' if since else ''}.")
    if command.at is not None and (why := fault(command.at, at)):
        raise CommandRejected(f"It cannot have been acknowledged at {written(command.at)}: that is {why}.")
    happened = min(max(command.at or at, incident.started_at), at)
    incident = attend(incident, at, command.by, happened)
    if command.claimed_at is None:
        return incident
    text = not_used("Time of the acknowledgement", command.claimed_at, happened)
    return incident.logged(at, SYSTEM, Kind.ACKNOWLEDGED, text)


@_apply.register
def _assess(command: commands.Assess, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    PublicText.screened(command.impact, runbook)
    PublicText.screened(command.title or "", runbook)
    extent = "complete outage" if command.complete_outage else "partial"
    who = f"; customers: {', '.join(command.customers)}" if command.customers else ""
    what = f"; services: {', '.join(command.services)}" if command.services else ""
    detail = f"{extent}: {command.impact}"
    incident = incident.replace(assessment=command).with_step(Step.ASSESS, StepStatus.DONE, at, command.by, detail)
    return incident.logged(at, command.by, Kind.ASSESSED, f"Blast radius: {detail}{who}{what}", announce=True)


@_apply.register
def _declare(command: commands.DeclareSeverity, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    same = command.severity == incident.severity
    if same and not incident.needs_triage:
        raise CommandRejected(f"{incident.name} is {incident.severity} already: nothing was changed.")
    detail = f"{command.severity}, by {command.by}"
    incident = incident.replace(needs_triage=False).with_step(Step.SEVERITY, StepStatus.DONE, at, command.by, detail)
    if same:
        return incident.logged(at, command.by, Kind.SEVERITY, f"Severity {command.severity} confirmed", announce=True)
    return change_severity(incident, runbook, at, command.by, command.severity, command.reason)


@_apply.register
def _post_update(command: commands.PostUpdate, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    words = PublicText.screened(command.text, runbook)
    if command.when is Publication.NOW:
        incident = publish(incident, runbook, at, UpdateKind.MANUAL, words, by=command.by, anchor=at)
        return incident.replace(draft=PublicText(), draft_at=None, hold=None)
    if next_due(incident, runbook) is None:
        raise CommandRejected(
            f"A {incident.severity} has no scheduled updates: publish this one now, or when it is resolved."
        )
    if command.when is Publication.NEXT:
        return incident.replace(next_words=words).logged(
            at, command.by, Kind.UPDATE, f"Words for the next update: {command.text}"
        )
    return incident.replace(draft=words, draft_at=at).logged(
        at, command.by, Kind.UPDATE, f"Draft of the next update: {command.text}"
    )


@_apply.register
def _hold(command: commands.HoldUpdate, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    return hold(command, incident, runbook, at)


@_apply.register
def _escalate(command: commands.Escalate, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    return escalate(command, incident, runbook, at)


@_apply.register
def _role(command: commands.AssignRole, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    return assign(command, incident, at)


@_apply.register
def _private(command: commands.MakePrivate, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    return make_private(command, incident, at)


@_apply.register
def _note(command: commands.AddNote, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    return incident.logged(at, command.by, Kind.NOTE, command.text, announce=True)


@_apply.register
def _settle(command: commands.SettleStep, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    if command.how == "skip" and not command.reason:
        raise CommandRejected("Skipping needs a reason: the post-mortem will ask for it.")
    automatic = {step.value: keys for step, keys in step_keys(incident, runbook).items()}
    if command.step in (Step.ACKNOWLEDGE.value, Step.ASSESS.value, Step.SEVERITY.value):
        return _settle_by_hand(command, incident, at)
    keys = automatic.get(command.step, (command.step,))
    failed = [obligation.key for obligation in incident.failures if obligation.key in keys]
    if not failed:
        raise CommandRejected(f"{command.step} did not fail: there is nothing to {command.how}. See `incident show`.")
    incident = incident.replace(
        failures=tuple(obligation for obligation in incident.failures if obligation.key not in failed)
    )
    if command.how == "skip":
        skips = tuple(Unfulfilled(key=key, reason=command.reason, at=at) for key in failed)
        incident = incident.replace(skips=(*incident.skips, *skips))
    if command.how == "done":
        incident = incident.replace(fulfilled=(*incident.fulfilled, *failed))
    status = {"retry": StepStatus.PENDING, "skip": StepStatus.SKIPPED, "done": StepStatus.DONE}[command.how]
    words = {"retry": "tried again", "skip": f"skipped: {command.reason}", "done": "done by hand"}[command.how]
    if command.step in automatic:
        incident = incident.with_step(Step(command.step), status, at, command.by, words if status != "pending" else "")
    return incident.logged(at, command.by, Kind.CHECKLIST, f"{command.step}: {words}", announce=True)


def _settle_by_hand(command: commands.SettleStep, incident: Incident, at: datetime) -> Incident:
    step = Step(command.step)
    if command.how != "skip":
        raise CommandRejected(f"Step {step} is done by its own command: `incident {_COMMAND_OF[step]}`.")
    if incident.step(step).status is StepStatus.DONE:
        raise CommandRejected(f"Step {step} is done already.")
    incident = incident.with_step(step, StepStatus.SKIPPED, at, command.by, command.reason)
    return incident.logged(at, command.by, Kind.CHECKLIST, f"{step}: skipped: {command.reason}", announce=True)


_COMMAND_OF = {Step.ACKNOWLEDGE: "ack", Step.ASSESS: "assess", Step.SEVERITY: "severity"}


@_apply.register
def _request(command: commands.RequestRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    return request_rollback(command, incident, runbook, at)


@_apply.register
def _approve(command: commands.ApproveRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    return approve_rollback(command, incident, runbook, at)


@_apply.register
def _decline(command: commands.DeclineRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    return decline_rollback(command, incident, runbook, at)


@_apply.register
def _judge(command: commands.JudgeRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    return judge_rollback(command, incident, runbook, at)


@_apply.register
def _flag(command: commands.FlagRelease, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    return flag_release(command, incident, runbook, at)


@_apply.register
def _confirm(command: commands.ConfirmRecovery, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    if incident.status == Status.CANCELLED:
        _live(incident)
    confirmation = Confirmation(
        at=at, by=command.by, customer=command.customer, restored=command.restored, note=command.note
    )
    who = command.customer or command.by
    answer = "service is restored" if command.restored else "service is NOT restored"
    note = f" ({command.note})" if command.note else ""
    incident = incident.replace(confirmations=(*incident.confirmations, confirmation))
    return incident.logged(at, command.by, Kind.CONFIRMATION, f"{who}: {answer}{note}", announce=True)


@_apply.register
def _monitor(command: commands.Monitor, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    _live(incident)
    if incident.status == Status.MONITORING:
        raise AlreadyDone(f"{incident.name} is being watched already.")
    words = PublicText.screened(command.text or "The problem is mitigated, and we are watching the recovery.", runbook)
    return monitor(incident, runbook, at, command.by, words)


@_apply.register
def _resolve(command: commands.Resolve, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    if incident.status == Status.RESOLVED:
        when = f" at {incident.resolved_at:%H:%M} UTC" if incident.resolved_at else ""
        raise AlreadyDone(f"{incident.name} was already resolved by {incident.resolved_by}{when}.")
    _live(incident)
    if incident.firing and runbook.policy(incident.severity).confirm_resolution and not command.force:
        names = ", ".join(alert.title for alert in incident.firing[:3])
        raise CommandRejected(
            f"Still firing: {names}. To resolve a {incident.severity} anyway, use --force with --reason."
        )
    words = PublicText.screened(command.text or "Service is back to normal.", runbook)
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


@_apply.register
def _reopen(command: commands.Reopen, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    if incident.status == Status.CANCELLED:
        _live(incident)
    if incident.status != Status.RESOLVED:
        raise CommandRejected(f"{incident.name} is {incident.status}: only a resolved incident can be reopened.")
    if incident.postmortem_published:
        raise CommandRejected(f"The post-mortem of {incident.name} is published: open a new incident and link it.")
    return reopen(incident, runbook, at, command.by, command.reason, attended=True)


@_apply.register
def _cancel(command: commands.Cancel, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    if incident.status == Status.CANCELLED:
        raise AlreadyDone(f"{incident.name} was cancelled already.")
    _live(incident)
    if any(state.status.under_way for state in incident.rollbacks):
        raise CommandRejected("A rollback is under way: wait for its verdict, then cancel.")
    return cancel(incident, runbook, at, command.by, command.reason)


@_apply.register
def _start_postmortem(
    command: commands.StartPostmortem, incident: Incident, runbook: RunbookConfig, at: datetime
) -> Incident:
    if incident.status == Status.CANCELLED:
        _live(incident)
    if incident.postmortem_started or (incident.over and postmortem_owed(incident, runbook)):
        raise AlreadyDone(f"The post-mortem of {incident.name} is started already.")
    started = incident.replace(postmortem_started=True)
    return started.logged(at, command.by, Kind.POSTMORTEM, "The post-mortem is started", announce=True)


@_apply.register
def _correct(command: commands.CorrectTime, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    return corrected(incident, command, at)
