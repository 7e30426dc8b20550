"""`ObligationSpec`: everything the program knows about one kind of obligation, in one place.

Each capability's `obligations.py` holds its specs beside the functions that derive them; `registry.py` collects them.
`agenda.py`, `build_request.py` and `apply_result.py` only dispatch over the registry.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind

Derive = Callable[[Incident, RunbookConfig], Iterator[Obligation]]
BuildRequest = Callable[[Obligation, Incident, RunbookConfig, datetime], ActivityRequest | ActivityResult]
ApplyDue = Callable[[Incident, Obligation, RunbookConfig, datetime], Incident]
ApplyResult = Callable[[Incident, Obligation, ActivityResult, RunbookConfig, datetime], Incident]
ApplyUndone = Callable[[Incident, Obligation, str, RunbookConfig, datetime], Incident]


class Phase(StrEnum):
    """Where an incident is in its life, as far as that decides which obligations can exist at all."""

    BACKFILLED = "backfilled"
    LIVE = "live"
    OVER = "over"
    CLOSED = "closed"


def phase_of(incident: Incident) -> Phase:
    """Return the phase. A backfilled incident has one of its own until it closes; nobody is paged for it."""
    if incident.closed:
        return Phase.CLOSED
    if incident.backfilled:
        return Phase.BACKFILLED
    return Phase.OVER if incident.over else Phase.LIVE


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
    """Which limit of runbook.yaml's `patience` a failing activity is retried for."""

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


def always_current(incident: Incident, obligation: Obligation) -> bool:
    """Tell that a result is never too late. The default of `ObligationSpec.is_current`."""
    return True


@dataclass(frozen=True)
class ObligationSpec:
    """One kind of obligation. It is fulfilled in exactly one of three ways.

    Fulfilled by: `build_request`, an activity; `workflow_step`, more than one activity or another workflow;
    `apply_due`, a change of the incident's own state when it is due.
    `owed`: what derives it; or `owed_after`, if that depends on what else is owed.

    Its result: `timeline` is the kind of its timeline entries. `silent`: success is not worth an entry, nor failure an
    announcement. `announce`: success is posted in the channel. `apply_result` is what else success changes, after the
    entry. `shares_resources`: the result's resources become the incident's. `is_current`: false for a result that
    comes after the incident has moved to another channel.

    Its failure: `apply_failure` and `apply_skip` are what else failing or being skipped changes, before the entry;
    `logs_undone`: there is an entry at all. `repeats`: a failure is not kept, because it is asked again anyway.

    Its time: `retry_for`; `withdrawable`: cancelled in mid-attempt when no longer owed; `has_own_deadline`: another
    workflow watches how long it takes. `housekeeping`: keeps records and the channel current, not among "up next".
    """

    kind: ObligationKind
    owed: tuple[Owed, ...]
    build_request: BuildRequest | None = None
    owed_after: OwedAfter | None = None
    workflow_step: WorkflowStep | None = None
    apply_due: ApplyDue | None = None
    timeline: Kind = Kind.CHECKLIST
    silent: bool = False
    announce: bool = False
    apply_result: ApplyResult = keep_result
    shares_resources: bool = True
    is_current: Callable[[Incident, Obligation], bool] = always_current
    apply_failure: ApplyUndone = keep_undone
    apply_skip: ApplyUndone = keep_undone
    logs_undone: bool = True
    repeats: bool = False
    retry_for: RetryLimit = RetryLimit.OTHERS
    withdrawable: bool = False
    has_own_deadline: bool = False
    housekeeping: bool = False
