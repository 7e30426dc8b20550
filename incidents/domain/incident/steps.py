"""The checklist steps: which obligations each consists of, and how responders settle one that failed."""

from datetime import datetime

from incidents.domain.chat.channel import channel_key, war_room_key
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.ledger import Unfulfilled
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.checklist import Step, StepStatus, combine_statuses
from incidents.domain.incident.commands import SettleStep
from incidents.domain.incident.incident import Incident
from incidents.domain.investigation.keys import investigation_key
from incidents.domain.obligation import Source
from incidents.domain.updates.publishing import delivery_key, has_ticket
from incidents.domain.updates.state import StatusUpdate, UpdateKind


def update_steps(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Bring the automatic checklist steps up to date with the obligations that they consist of."""
    for step, keys in step_keys(incident, runbook).items():
        status = combine_statuses([incident.standing(key) for key in keys])
        if status is StepStatus.PENDING:
            continue
        why = [
            obligation.described
            for obligation in (*incident.ledger.failures, *incident.ledger.skips)
            if obligation.key in keys
        ]
        incident = incident.with_step(step, status, at, SYSTEM, "; ".join(dict.fromkeys(why)))
    return incident


def _delivered(incident: Incident, first: StatusUpdate, channel: Channel) -> str:
    """Return the key of the first update's delivery, or of the newest one's if the first never went out there."""
    key = delivery_key(first.sequence, channel)
    if incident.standing(key) is not StepStatus.PENDING:
        return key
    newest = [update for update in incident.updates.published if channel in update.channels][-1]
    return delivery_key(newest.sequence, channel)


def _first_update(incident: Incident) -> StatusUpdate | None:
    """Return the first update; of a service that was unknown at first, the one after it was named."""
    published = incident.updates.published
    initial = (update for update in reversed(published) if update.kind is UpdateKind.INITIAL)
    return next(initial, published[0] if published else None)


def step_keys(incident: Incident, runbook: RunbookConfig) -> dict[Step, tuple[str, ...]]:
    """Return the obligations that each automatic checklist step consists of."""
    policy, channel = runbook.policy(incident.severity), channel_key(incident)
    first = _first_update(incident)
    told_by = tuple(_delivered(incident, first, channel) for channel in first.channels) if first else ()
    ticket = ("ticket",) if has_ticket(incident, runbook) else ()
    communicated = {} if incident.alerting.unknown_service else {Step.COMMUNICATE: told_by or ticket or ("number",)}
    return {
        Step.CHANNEL: (channel, war_room_key()) if policy.war_room else (channel,),
        **communicated,
        Step.INVESTIGATE: tuple(investigation_key(incident, source) for source in Source),
    }


def settle_step(command: SettleStep, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Retry a failed step or obligation, skip it with a reason, or record that it was done by hand."""
    if command.how == "skip" and not command.reason:
        raise CommandRejected("Skipping needs a reason: the post-mortem will ask for it.")
    automatic = {step.value: keys for step, keys in step_keys(incident, runbook).items()}
    if command.step in (Step.ACKNOWLEDGE.value, Step.ASSESS.value, Step.SEVERITY.value):
        return _settle_by_hand(command, incident, at)
    keys = automatic.get(command.step, (command.step,))
    undone = (
        *(failure.key for failure in incident.ledger.failures),
        *(postponed.key for postponed in incident.ledger.postponed),
    )
    failed = [key for key in undone if key in keys]
    if not failed:
        ago = " (or so long ago that it is in the archive)" if incident.evidence.archive.chunks else ""
        raise CommandRejected(
            f"{command.step} did not fail{ago}: there is nothing to {command.how}. See `incident show`."
        )
    incident = incident.replace(
        ledger=incident.ledger.replace(
            failures=tuple(obligation for obligation in incident.ledger.failures if obligation.key not in failed),
            postponed=tuple(obligation for obligation in incident.ledger.postponed if obligation.key not in failed),
        )
    )
    if command.how == "skip":
        skips = tuple(Unfulfilled(key=key, reason=command.reason, at=at) for key in failed)
        incident = incident.with_skips(*skips)
    if command.how == "done":
        incident = incident.with_fulfilled(*failed)
    status = {"retry": StepStatus.PENDING, "skip": StepStatus.SKIPPED, "done": StepStatus.DONE}[command.how]
    words = {"retry": "tried again", "skip": f"skipped: {command.reason}", "done": "done by hand"}[command.how]
    if command.step in automatic:
        incident = incident.with_step(Step(command.step), status, at, command.by, words if status != "pending" else "")
    return incident.logged(at, command.by, Kind.CHECKLIST, f"{command.step}: {words}", announce=True)


def _settle_by_hand(command: SettleStep, incident: Incident, at: datetime) -> Incident:
    step = Step(command.step)
    if command.how != "skip":
        raise CommandRejected(f"Step {step} has its own command: `incident {_COMMAND_OF[step]}`.")
    if incident.step(step).status is StepStatus.DONE:
        raise CommandRejected(f"Step {step} is already done.")
    incident = incident.with_step(step, StepStatus.SKIPPED, at, command.by, command.reason)
    return incident.logged(at, command.by, Kind.CHECKLIST, f"{step}: skipped: {command.reason}", announce=True)


_COMMAND_OF = {Step.ACKNOWLEDGE: "ack", Step.ASSESS: "assess", Step.SEVERITY: "severity"}
