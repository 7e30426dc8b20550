"""The incident: one frozen value that holds everything known of it."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime

from incidents.domain.alerting.state import AlertingState
from incidents.domain.chat.state import ChatState
from incidents.domain.core.ledger import Owing
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.core.timeline import Entry, Kind
from incidents.domain.customers.state import CustomersState
from incidents.domain.drill.state import DrillState
from incidents.domain.evidence.state import EvidenceState
from incidents.domain.incident.checklist import Step, StepState, StepStatus
from incidents.domain.incident.commands import Assess, Resolve
from incidents.domain.incident.state import (
    Correction,
    EarlierResponse,
    Episode,
    Interval,
    Resources,
    RolesState,
)
from incidents.domain.investigation.state import InvestigationState
from incidents.domain.left_open.state import LeftOpenState
from incidents.domain.merging.state import MergingState
from incidents.domain.operators.state import OperatorsState
from incidents.domain.paging.state import PagingState
from incidents.domain.postmortem.state import PostmortemState
from incidents.domain.rollback.state import RollbacksState, RollbackState
from incidents.domain.surge.state import SurgeState
from incidents.domain.updates.state import UpdatesState


class Incident(Owing):
    """Everything known of an incident. It changes only through `apply_command`, `apply_event` and `apply_result`.

    Its identity and its lifecycle are its own fields; what a capability remembers is that capability's sub-state.
    `recurrence_of`: number of the incident that it repeats. `backfilled`: it was over when it was recorded.
    `handled`: the ids of the commands that were applied. `timeline`: its newest entries; the older ones may have moved
    to the archive (`evidence.archive`, `incidents.domain.archiving`).
    `acknowledged_at`, `acknowledged_by`, `steps` and `roles` are those of the current round: a reopening moves them to
    `earlier_responses`.
    """

    key: str
    workflow_id: str
    first_run_id: str
    number: int | None = None
    recurrence_of: int | None = None
    title: str
    service: str
    environment: str
    source: str
    reporter: str
    drill: bool = False
    private: bool = False
    severity: Severity
    highest_severity: Severity
    needs_triage: bool = False
    episodes: tuple[Episode, ...]
    status: Status = Status.INVESTIGATING
    started_at: AwareDatetime
    opened_at: AwareDatetime
    acknowledged_at: AwareDatetime | None = None
    acknowledged_by: str = ""
    mitigated_at: AwareDatetime | None = None
    monitoring_since: AwareDatetime | None = None
    stable_since: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    resolved_by: str = ""
    reopened_at: AwareDatetime | None = None
    intervals: tuple[Interval, ...] = ()
    assessment: Assess | None = None
    steps: tuple[StepState, ...]
    roles: RolesState = RolesState()
    earlier_responses: tuple[EarlierResponse, ...] = ()
    left_open: LeftOpenState = LeftOpenState()
    merging: MergingState = MergingState()
    surge: SurgeState = SurgeState()
    alerting: AlertingState = AlertingState()
    paging: PagingState = PagingState()
    chat: ChatState = ChatState()
    updates: UpdatesState = UpdatesState()
    rollback: RollbacksState = RollbacksState()
    investigation: InvestigationState = InvestigationState()
    customers: CustomersState = CustomersState()
    evidence: EvidenceState = EvidenceState()
    postmortem: PostmortemState = PostmortemState()
    operators: OperatorsState = OperatorsState()
    exercise: DrillState = DrillState()
    resolve_intent: Resolve | None = None
    corrections: tuple[Correction, ...] = ()
    backfilled: bool = False
    resources: Resources = Resources()
    handled: tuple[str, ...] = ()
    timeline: tuple[Entry, ...] = ()
    revision: int = 0
    closed: bool = False

    @property
    def name(self) -> str:
        """What people call it: `INC-42`, or its key until it has a number."""
        label = f"INC-{self.number}" if self.number is not None else self.key
        return f"[DRILL] {label}" if self.drill else label

    @property
    def over(self) -> bool:
        """Tell whether it is resolved or cancelled."""
        return self.status in (Status.RESOLVED, Status.CANCELLED)

    @property
    def is_false_alarm(self) -> bool:
        """Tell whether it was cancelled, and not merged into another incident."""
        return self.status == Status.CANCELLED and self.merging.into is None

    @property
    def first_acknowledged_at(self) -> datetime | None:
        """When the first round was acknowledged: what every figure counts."""
        return self.earlier_responses[0].acknowledged_at if self.earlier_responses else self.acknowledged_at

    def with_first_acknowledgement(self, at: datetime) -> Self:
        """Return the incident with the time of the first round's acknowledgement corrected."""
        if not self.earlier_responses:
            return self.replace(acknowledged_at=at)
        first, *others = self.earlier_responses
        return self.replace(earlier_responses=(first.replace(acknowledged_at=at), *others))

    @property
    def last_commander(self) -> str:
        """The incident commander, or else the one of the latest round that had one."""
        earlier = (response.roles.commander for response in reversed(self.earlier_responses))
        return self.roles.commander or next((name for name in earlier if name), "")

    @property
    def shown_status(self) -> str:
        """The status as people read it: `resolving` while a resolution waits for a rollback, or `merged`."""
        if self.merging.into is not None:
            return "merged"
        return "resolving" if self.resolve_intent is not None and not self.over else str(self.status)

    @property
    def episode(self) -> Episode:
        """The current stretch of severity."""
        return self.episodes[-1]

    @property
    def times_resolved(self) -> int:
        """How often it was resolved before: 0 at first, one more with each reopening."""
        return len(self.intervals)

    def with_rollback(self, state: RollbackState) -> Self:
        """Return the incident with the rollback of that cluster where it now stands."""
        return self.replace(rollback=self.rollback.with_cluster(state))

    def step(self, step: Step) -> StepState:
        """Return where that checklist step stands."""
        return next(state for state in self.steps if state.step == step)

    def standing(self, key: str) -> StepStatus:
        """Return where the obligation of that key stands."""
        if key in self.ledger.fulfilled:
            return StepStatus.DONE
        if any(obligation.key == key for obligation in self.ledger.failures):
            return StepStatus.FAILED
        skipped = any(obligation.key == key for obligation in self.ledger.skips)
        return StepStatus.SKIPPED if skipped else StepStatus.PENDING

    def entry(self, sequence: int) -> Entry:
        """Return the timeline entry of that number.

        Raises:
            LookupError: it is in the archive; nothing is owed of such an entry.
        """
        for entry in reversed(self.timeline):
            if entry.sequence == sequence:
                return entry
        raise LookupError(f"entry {sequence} of the timeline is in the archive")

    def logged(
        self,
        at: datetime,
        actor: str,
        kind: Kind,
        text: str,
        *,
        happened_at: datetime | None = None,
        announce: bool = False,
        mentions: tuple[str, ...] = (),
        decision: str = "",
    ) -> Self:
        """Return the incident with one more timeline entry. An entry never lies before the one above it."""
        last = self.timeline[-1].at if self.timeline else at
        entry = Entry(
            sequence=self.timeline[-1].sequence + 1 if self.timeline else 1,
            at=max(at, last),
            actor=actor,
            kind=kind,
            text=text,
            happened_at=happened_at,
            announce=announce,
            mentions=mentions,
            decision=decision,
        )
        return self.replace(timeline=(*self.timeline, entry), revision=self.revision + 1)

    def with_step(self, step: Step, status: StepStatus, at: datetime, by: str, detail: str = "") -> Self:
        """Return the incident with that checklist step where it now stands; a step that is done stays done."""
        old_status = self.step(step).status
        if old_status in (StepStatus.DONE, status):
            return self
        state = StepState(step=step, status=status, at=at, by=by, detail=detail)
        return self.replace(steps=tuple(state if old.step == step else old for old in self.steps))
