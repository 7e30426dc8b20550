"""Stuck workflows: when a workflow counts as stuck, and what operators read and type then.

`at` is when the runs were read, aware UTC. Nothing here asks Temporal; `incidents/app/liveness` does.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from pydantic import AwareDatetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.text.escaping import mail_header
from incidents.domain.core.text.public_text import InternalMessage
from incidents.domain.core.text.untrusted import without_addresses
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.obligation import Obligation
from incidents.domain.obligation_spec import RetryLimit
from incidents.domain.operators.unpause import unpause_command
from incidents.domain.registry import retry_for, spec_of

FAILURES = 3
"""Failed attempts of a workflow task: one may be a killed worker, and two a worker killed twice."""
WAITS_FOR = timedelta(seconds=60)
"""How long a workflow task may wait: six of its time-outs."""
GRACE = timedelta(seconds=60)
"""What an obligation may take beyond the time for which its failing activity is retried."""
_LONGEST = 300


class Reason(StrEnum):
    """Why a workflow counts as stuck."""

    FAILING = "failing"
    WAITING = "waiting"
    OVERDUE = "overdue"
    PAUSED = "paused"


class PendingTask(Frozen):
    """A workflow task that is not completed. `since`: when its first attempt was scheduled."""

    attempt: int
    since: AwareDatetime


class PausedActivity(Frozen):
    """A pending activity that an operator paused at Temporal. `kind`: the name of its type, in words."""

    activity_id: str
    kind: str
    since: AwareDatetime


class RunReading(Frozen):
    """What Temporal's own record says of an open run; no worker is needed to read it.

    `history`: its number of events. `idle`: no activity and no child workflow is pending. `paused`: the oldest first.
    `failing`: the types of the pending activities whose last attempt failed.
    """

    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    number: int | None = None
    task: PendingTask | None = None
    history: int = 0
    idle: bool = False
    paused: tuple[PausedActivity, ...] = ()
    failing: tuple[str, ...] = ()


class Standstill(Frozen):
    """A stuck run. `number`: the incident's, unset for other workflows. `failure`: the last one's first line.

    `paused`: the kind of its activity that an operator paused longest ago. `unpause`: the command that continues it.
    """

    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    number: int | None
    reason: Reason
    since: AwareDatetime
    attempt: int = 0
    failure: str = ""
    obligation: str = ""
    paused: str = ""
    unpause: str = ""

    @property
    def name(self) -> str:
        """Return what people call it: `INC-42`, or the workflow id of what is no incident."""
        return f"INC-{self.number}" if self.number is not None else self.workflow_id

    @property
    def typed(self) -> str:
        """Return what the command line takes for it."""
        return f"{self.number}" if self.number is not None else self.workflow_id


class Look(Frozen):
    """What the last query of an incident's agenda showed.

    `owed`: for each obligation, by key, the time from which it counts. Many are due since the incident was opened but
    come up hours later, so one that the looks before did not show counts from the look that showed it.
    """

    at: AwareDatetime
    history: int
    owed: dict[str, AwareDatetime] = {}
    check_at: AwareDatetime | None = None


def stuck_task(run: RunReading, at: datetime) -> Standstill | None:
    """Return that the run's workflow task keeps failing, or has waited for too long; None if it does neither."""
    if run.task is None:
        return None
    if run.task.attempt > FAILURES:
        return _stuck(run, Reason.FAILING, run.task.since)
    if at - run.task.since > WAITS_FOR:
        return _stuck(run, Reason.WAITING, run.task.since)
    return None


def stuck_obligation(
    run: RunReading, owed: list[Obligation], last: Look, runbook: RunbookConfig, at: datetime
) -> Standstill | None:
    """Return the obligation that has been due for longer than it can take, if there is one.

    `last` is the look that holds these obligations. If nothing is pending, no one works on what is due, and its
    due time counts; else it may have come up late, and what counts is since when the looks have seen it.
    """
    for obligation in owed:
        limit = longest(obligation, runbook)
        if limit is not None and at - (obligation.due if run.idle else last.owed[obligation.key]) > limit:
            return _stuck(run, Reason.OVERDUE, obligation.due).replace(obligation=obligation.summary)
    return None


def held_by_operator(run: RunReading) -> Standstill | None:
    """Return that an operator has paused activities of the run; None if not. It is no fault: nobody is notified."""
    return _stuck(run, Reason.PAUSED, run.paused[0].since) if run.paused else None


def longest(obligation: Obligation, runbook: RunbookConfig) -> timedelta | None:
    """Return how long an obligation may be due; None for a rollback, whose own workflow is watched instead."""
    spec = spec_of(obligation)
    if spec.has_own_deadline:
        return None
    # The number is retried forever; but an incident without one has no channel either.
    forever = spec.retry_for is RetryLimit.FOREVER
    return (runbook.retry_for.others if forever else retry_for(obligation, runbook)) + GRACE


def look_at(run: RunReading, owed: list[Obligation], last: Look | None, runbook: RunbookConfig, at: datetime) -> Look:
    """Return what is to be remembered of a query's answer. `last`: the look before it."""
    before = last.owed if last else {}
    since = {obligation.key: max(before.get(obligation.key, at), obligation.due) for obligation in owed}
    limits = [
        since[obligation.key] + limit for obligation in owed if (limit := longest(obligation, runbook)) is not None
    ]
    return Look(at=at, history=run.history, owed=since, check_at=min(limits, default=None))


def wants_look(run: RunReading, last: Look | None, at: datetime) -> bool:
    """Tell whether to query the agenda: it can only have changed with the history, or run out at `check_at`.

    Queries cost a replay and can harm a run whose worker is killed at that moment, so none is made in vain, and at most
    one per incident and minute.
    """
    if run.task is not None:
        return False
    if last is None:
        return True
    if at - last.at < GRACE:
        return False
    return run.history != last.history or (last.check_at is not None and at > last.check_at)


def first_line(failure: str) -> str:
    """Return a failure's first line, without addresses: it goes to logs and into the history."""
    line = next(iter(failure.strip().splitlines()), "")
    return without_addresses(line)[:_LONGEST]


def what_happened(stuck: Standstill) -> str:
    """Say in one sentence what is wrong."""
    since = f"since {stuck.since:%Y-%m-%d %H:%M} UTC"
    match stuck.reason:
        case Reason.FAILING:
            return f"Its workflow task has failed {stuck.attempt - 1} times {since}"
        case Reason.WAITING:
            return f"Its workflow task has waited {since} and no worker completed it"
        case Reason.OVERDUE:
            return f"Overdue {since}: {stuck.obligation}"
        case Reason.PAUSED:
            return f"Its activity `{stuck.paused}` has been held by an operator {since}"
        case _:
            assert_never(stuck.reason)


def remedy(stuck: Standstill) -> str:
    """Say in one line what to do about it."""
    match stuck.reason:
        case Reason.FAILING:
            return f"Deploy a worker that has the fix, then `incident reset {stuck.typed}`."
        case Reason.WAITING:
            return f"Check that workers run on task queue {stuck.task_queue} and are not overloaded."
        case Reason.OVERDUE if stuck.paused:
            return (
                f"An operator paused its activity `{stuck.paused}`. Do it by hand, or continue it: `{stuck.unpause}`."
            )
        case Reason.OVERDUE:
            return f"Do it by hand (`incident show {stuck.typed}`), then restart the workers."
        case Reason.PAUSED:
            return f"To continue it: `{stuck.unpause}`."
        case _:
            assert_never(stuck.reason)


def log_line(stuck: Standstill) -> str:
    """Return the one line of the log."""
    because = f" ({stuck.failure})" if stuck.failure else ""
    return f"{stuck.name} is stuck. {what_happened(stuck)}{because}. {remedy(stuck)}"


def operators_text(stuck: Standstill) -> InternalMessage:
    """Return what operators read: what happened, what was not lost, what to type next."""
    lines = [
        f"{stuck.name} ({stuck.workflow_type}) is stuck. {what_happened(stuck)}.",
        *([f"Last failure: {stuck.failure}"] if stuck.failure else []),
        "",
        "Nothing recorded is lost: Temporal keeps its history, and every alert and command that arrives meanwhile.",
        "Until it is fixed it may not page, escalate or publish updates: do that manually.",
        "",
        "What to do:",
        f"  {remedy(stuck)}",
        "  `incident stuck` lists what is stuck now; it works without a worker.",
    ]
    return InternalMessage(subject=mail_header(f"Operators: {stuck.name} is stuck"), body="\n".join(lines) + "\n")


def how_long(stuck: Standstill, at: datetime) -> str:
    """Say for how long it has been stuck."""
    return in_words(at - stuck.since)


def _stuck(run: RunReading, reason: Reason, since: datetime) -> Standstill:
    paused = next(iter(run.paused), None)
    return Standstill(
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        workflow_type=run.workflow_type,
        task_queue=run.task_queue,
        number=run.number,
        reason=reason,
        since=since,
        attempt=run.task.attempt if run.task else 0,
        paused=paused.kind if paused else "",
        unpause=unpause_command(run.workflow_id, paused.activity_id) if paused else "",
    )
