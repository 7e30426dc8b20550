"""The incident: one frozen value that holds everything known of it."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen
from incidents.domain.core.program_errors import Fault
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.timeline import Entry, Kind
from incidents.domain.evidence.manifest import ManifestRef
from incidents.domain.incident.checklist import Step, StepState, StepStatus
from incidents.domain.incident.commands import Assess, Resolve
from incidents.domain.incident.parts import (
    AlertState,
    Confirmation,
    Correction,
    Episode,
    Flag,
    Hastened,
    Hold,
    Interval,
    OnCall,
    PublicFact,
    Refusal,
    Resources,
    RollbackRequest,
    Silence,
    Status,
    StatusUpdate,
    Unfulfilled,
)
from incidents.domain.rollback.state import RollbackState


class Incident(Frozen):
    """Everything known of an incident. It changes only through `runbook.decisions` and `runbook.facts`.

    `repage_count` counts the times at which the on-call was called anew, the last at `last_paged_at`: each is a page of
    its own, since a pager stays silent about one that was acknowledged or resolved. `heard_at`: the last word of a
    responder;
    `silent`: that was too long ago, and they are called anew.
    `channels` counts the channels it had: one that becomes private moves into a new one. `looks` counts the fresh looks
    at the deployments; `automatic_rollbacks` names the cluster of each rollback that the runbook decided by itself.
    `faults`: errors of this program that kept an obligation from being done. `backfilled`: it was over when it was
    written down here.
    """

    key: str
    workflow_id: str
    first_run_id: str
    number: int | None = None
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
    attended: bool = False
    repage_count: int = 0
    last_paged_at: AwareDatetime | None = None
    heard_at: AwareDatetime | None = None
    silent: bool = False
    on_call: tuple[OnCall, ...] = ()
    silences: tuple[Silence, ...] = ()
    alert_checks: int = 0
    alerts_checked_at: AwareDatetime | None = None
    hastened: tuple[Hastened, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    mitigated_at: AwareDatetime | None = None
    monitoring_since: AwareDatetime | None = None
    stable_since: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    resolved_by: str = ""
    reopened_at: AwareDatetime | None = None
    intervals: tuple[Interval, ...] = ()
    commander: str = ""
    no_commander_since: AwareDatetime | None = None
    communications: str = ""
    scribe: str = ""
    assessment: Assess | None = None
    alerts: tuple[AlertState, ...] = ()
    steps: tuple[StepState, ...]
    updates: tuple[StatusUpdate, ...] = ()
    update_anchor: AwareDatetime | None = None
    next_words: PublicText = PublicText()
    hold: Hold | None = None
    draft: PublicText = PublicText()
    draft_at: AwareDatetime | None = None
    no_news: int = 0
    news: tuple[PublicFact, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    rollbacks: tuple[RollbackState, ...] = ()
    rollback_request: RollbackRequest | None = None
    looks: int = 0
    automatic_rollbacks: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    manifests: tuple[ManifestRef, ...] = ()
    resolve_intent: Resolve | None = None
    postmortem_started: bool = False
    postmortem_published: bool = False
    corrections: tuple[Correction, ...] = ()
    backfilled: bool = False
    resources: Resources = Resources()
    channels: int = 1
    former_channels: tuple[str, ...] = ()
    topics: int = 0
    digests: int = 0
    summaries: int = 0
    summary_at: AwareDatetime | None = None
    fulfilled: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    failures: tuple[Unfulfilled, ...] = ()
    skips: tuple[Unfulfilled, ...] = ()
    handled: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
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
    def firing(self) -> tuple[AlertState, ...]:
        """The alerts that have not ended."""
        return tuple(alert for alert in self.alerts if alert.ended_at is None)

    @property
    def episode(self) -> Episode:
        """The current stretch of severity."""
        return self.episodes[-1]

    @property
    def round(self) -> int:
        """How often it was resolved before: 0 at first, one more with each reopening."""
        return len(self.intervals)

    def who(self, contact: str) -> OnCall | None:
        """Return who that contact was when its schedule was last asked; None if it was not."""
        return next((found for found in reversed(self.on_call) if found.contact == contact), None)

    def rollback(self, cluster: str) -> RollbackState | None:
        """Return where the rollback of that cluster stands; None if none was ever offered."""
        return next((state for state in self.rollbacks if state.offer.cluster == cluster), None)

    def with_rollback(self, state: RollbackState) -> Self:
        """Return the incident with the rollback of that cluster where it now stands."""
        cluster = state.offer.cluster
        others = tuple(state if old.offer.cluster == cluster else old for old in self.rollbacks)
        return self.replace(rollbacks=others if self.rollback(cluster) else (*self.rollbacks, state))

    def step(self, step: Step) -> StepState:
        """Return where that checklist step stands."""
        return next(state for state in self.steps if state.step == step)

    def settled(self, key: str) -> bool:
        """Tell whether the obligation of that key was fulfilled, skipped, or failed for good."""
        return key in self.fulfilled or any(obligation.key == key for obligation in (*self.failures, *self.skips))

    def standing(self, key: str) -> StepStatus:
        """Return where the obligation of that key stands."""
        if key in self.fulfilled:
            return StepStatus.DONE
        if any(obligation.key == key for obligation in self.failures):
            return StepStatus.FAILED
        return StepStatus.SKIPPED if any(obligation.key == key for obligation in self.skips) else StepStatus.PENDING

    def logged(
        self,
        at: datetime,
        actor: str,
        kind: Kind,
        text: str,
        *,
        happened_at: datetime | None = None,
        announce: bool = False,
    ) -> Self:
        """Return the incident with one more timeline entry. An entry never lies before the one above it."""
        last = self.timeline[-1].at if self.timeline else at
        entry = Entry(
            sequence=len(self.timeline) + 1,
            at=max(at, last),
            actor=actor,
            kind=kind,
            text=text,
            happened_at=happened_at,
            announce=announce,
        )
        return self.replace(timeline=(*self.timeline, entry), revision=self.revision + 1)

    def with_step(self, step: Step, status: StepStatus, at: datetime, by: str, detail: str = "") -> Self:
        """Return the incident with that checklist step where it now stands; a step that is done stays done."""
        old_status = self.step(step).status
        if old_status in (StepStatus.DONE, status):
            return self
        state = StepState(step=step, status=status, at=at, by=by, detail=detail)
        return self.replace(steps=tuple(state if old.step == step else old for old in self.steps))
