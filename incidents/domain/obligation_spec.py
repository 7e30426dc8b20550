"""`ObligationSpec`: everything the program knows about one kind of obligation, in one place.

Each capability's `obligations.py` holds its specs beside the functions that derive them; `registry.py` collects them.
`agenda.py`, `build_request.py` and `apply_result.py` only dispatch over the registry.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, Result
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.postponing import Postpones
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind

Derive = Callable[[Incident, RunbookConfig], Iterator[Obligation]]
BuildRequest = Callable[[Obligation, Incident, RunbookConfig, datetime], ActivityRequest[Result] | Result]
ApplyDue = Callable[[Incident, Obligation, RunbookConfig, datetime], Incident]
ApplyResult = Callable[[Incident, Obligation, Result, RunbookConfig, datetime], Incident]
ApplyBegun = Callable[[Incident, Obligation, RunbookConfig], Incident]
SpentKeys = Callable[[Incident], Iterator[Key]]
ApplyUndone = Callable[[Incident, Obligation, str, RunbookConfig, datetime], Incident]


class Phase(StrEnum):
    """Where an incident is in its life, as far as that decides which obligations can exist at all."""

    BACKFILLED = "backfilled"
    WAITING = "waiting"
    LIVE = "live"
    OVER = "over"
    CLOSED = "closed"


def phase_of(incident: Incident) -> Phase:
    """Return the phase. A backfilled incident has one of its own until it closes; nobody is paged for it.

    An incident waiting for the end of a maintenance window has only the check at that time.
    """
    if incident.closed:
        return Phase.CLOSED
    if incident.backfilled:
        return Phase.BACKFILLED
    if incident.over:
        return Phase.OVER
    return Phase.WAITING if incident.alerting.waiting is not None else Phase.LIVE


LIVE = frozenset({Phase.LIVE})
OVER = frozenset({Phase.OVER})
LIVE_OR_OVER = LIVE | OVER


@dataclass(frozen=True)
class Owed:
    """A function that derives obligations, of one kind or of several that are derived together (a spec group).

    `survives`: derived on its own when the agenda as a whole cannot be (an error of ours). What ends an incident or
    follows its end does not: what is not known to be done must not end it.
    """

    derive: Derive
    phases: frozenset[Phase]
    survives: bool = True


@dataclass(frozen=True)
class OwedAfter:
    """A function that derives obligations from those that all `Owed` functions yielded. Otherwise as `Owed`."""

    derive: Callable[[Incident, RunbookConfig, list[Obligation]], Iterator[Obligation]]
    phases: frozenset[Phase]
    survives: bool = True


class RetryLimit(StrEnum):
    """Which limit of runbook.yaml's `retry_for` a failing activity is retried for."""

    PAGE = "page"
    REACH = "reach"
    PUBLISH = "publish"
    OTHERS = "others"
    FOREVER = "forever"


class WorkflowStep(StrEnum):
    """What fulfils an obligation that is more than one activity; `workflows/children.py` holds the steps."""

    START_ROLLBACK = "start_rollback"
    SIGNAL_ROLLBACK = "signal_rollback"
    PRESERVE_EVIDENCE = "preserve_evidence"
    START_POSTMORTEM = "start_postmortem"
    WITHDRAW_POSTMORTEM = "withdraw_postmortem"
    SEND_MERGE_MESSAGE = "send_merge_message"
    SEND_SURGE_MESSAGE = "send_surge_message"


def keep_begun(incident: Incident, obligation: Obligation, runbook: RunbookConfig) -> Incident:
    """Change nothing beyond what every attempt changes. The default of `ObligationSpec.apply_begun`."""
    return incident


def keep_result(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Change nothing beyond what every result changes. The default of `ObligationSpec.apply_result`."""
    return incident


def keep_undone(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Change nothing beyond what every failure or skip changes. The default of `apply_failure` and `apply_skip`."""
    return incident


def none_spent(incident: Incident) -> Iterator[Key]:
    """Yield nothing: every key is kept. The default of `ObligationSpec.spent`, for kinds that people cause."""
    yield from ()


def spent_instants(kind: str) -> SpentKeys:
    """Return what yields all keys of that kind but the newest, for keys whose part is an instant which never goes back.

    The newest one may still be owed; ISO instants of one time zone sort as text.
    """

    def spent(incident: Incident) -> Iterator[Key]:
        yield from sorted(key for key in incident.ledger.keys if key.kind == kind)[:-1]

    return spent


def always_current(incident: Incident, obligation: Obligation) -> bool:
    """Tell that a result is never too late. The default of `ObligationSpec.is_current`."""
    return True


@dataclass(frozen=True)
class ObligationSpec(Generic[Result]):
    """One kind of obligation, and what its requests return. It is fulfilled in exactly one of three ways.

    Fulfilled by: `build_request`, an activity; `workflow_step`, more than one activity or another workflow;
    `apply_due`, a change of the incident's own state when it is due.
    `owed`: what derives it; or `owed_after`, if that depends on what else is owed.

    Its attempt: `apply_begun` is what else beginning it changes.

    Its result: `timeline` is the kind of its timeline entries. `silent`: success is not worth an entry, nor failure an
    announcement. `announce`: success is posted in the channel. `apply_result` is what else success changes, after the
    entry. `shares_resources`: the result's resources become the incident's. `is_current`: false for a result that
    comes after the incident has moved to another channel.

    Its failure: `apply_failure` and `apply_skip` are what else failing or being skipped changes, before the entry;
    `logs_undone`: there is an entry at all. `repeats`: a failure is not kept, because it is asked again anyway.
    `postpones`: a failure is tried again later, and why.

    Its end: `spent` yields keys that can never be owed again and that no rule looks at: they move to the archive. For
    kinds of which an incident owes more the longer it lasts.

    Its time: `retry_for`; `withdrawable`: cancelled in mid-attempt when no longer owed; `has_own_deadline`: another
    workflow watches how long it takes. `housekeeping`: keeps records and the channel current, not among "up next".
    """

    kind: ObligationKind
    owed: tuple[Owed, ...]
    build_request: BuildRequest[Result] | None = None
    owed_after: OwedAfter | None = None
    workflow_step: WorkflowStep | None = None
    apply_due: ApplyDue | None = None
    apply_begun: ApplyBegun = keep_begun
    timeline: Kind = Kind.CHECKLIST
    silent: bool = False
    announce: bool = False
    apply_result: ApplyResult[Result] = keep_result
    shares_resources: bool = True
    is_current: Callable[[Incident, Obligation], bool] = always_current
    apply_failure: ApplyUndone = keep_undone
    apply_skip: ApplyUndone = keep_undone
    logs_undone: bool = True
    repeats: bool = False
    postpones: Postpones | None = None
    spent: SpentKeys = none_spent
    retry_for: RetryLimit = RetryLimit.OTHERS
    withdrawable: bool = False
    has_own_deadline: bool = False
    housekeeping: bool = False
