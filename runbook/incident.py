"""The incident: one frozen value that holds everything known of it."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime

from runbook.alert import Alert
from runbook.base import Frozen
from runbook.checklist import Step, StepState, StepStatus
from runbook.commands import Assess, Resolve
from runbook.evidence import ManifestRef
from runbook.policy import Channel
from runbook.rollback_states import RollbackState
from runbook.severity import Severity
from runbook.timeline import Entry, Kind


class Status(StrEnum):
    """The three statuses that customers read, and the withdrawal of a false positive."""

    INVESTIGATING = "investigating"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"


class Opening(Frozen):
    """How an incident starts: from an alert, or by hand."""

    key: str
    title: str
    service: str
    environment: str = "production"
    severity: Severity
    needs_triage: bool = False
    alerted_at: AwareDatetime
    source: str
    reporter: str = "alertmanager"
    drill: bool = False


class AlertState(Frozen):
    """An alert of this incident, and how often it was sent."""

    name: str
    fingerprint: str
    title: str
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    times: int = 1
    link: str = ""

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Remember an alert that came for the first time."""
        return cls(
            name=alert.name,
            fingerprint=alert.fingerprint,
            title=alert.title,
            started_at=alert.started_at,
            ended_at=alert.ended_at,
            link=alert.link,
        )


class Episode(Frozen):
    """A stretch of time that the incident spent at one severity."""

    severity: Severity
    since: AwareDatetime
    until: AwareDatetime | None = None


class Interval(Frozen):
    """From the start, or a reopening, to a resolution."""

    since: AwareDatetime
    until: AwareDatetime
    by: str


class UpdateKind(StrEnum):
    """Why a status update went out."""

    INITIAL = "initial"
    SCHEDULED = "scheduled"
    MANUAL = "manual"
    SEVERITY = "severity"
    STATUS = "status"
    FINAL = "final"


class StatusUpdate(Frozen):
    """What customers were told, once; `channels` are those that it is for. `sequence` never goes back on a channel."""

    sequence: int
    kind: UpdateKind
    at: AwareDatetime
    due: AwareDatetime
    severity: Severity
    status: Status
    text: str
    news: bool
    next_at: AwareDatetime | None
    channels: tuple[Channel, ...]
    by: str


class Unfulfilled(Frozen):
    """A duty that was not done, and why: it failed for good, or it was skipped."""

    key: str
    reason: str
    at: AwareDatetime


class Resources(Frozen):
    """What the incident owns at the vendors. A field that is unset has not been made."""

    channel_id: str | None = None
    channel_name: str | None = None
    summary_ts: str | None = None
    summary_text: str | None = None
    topic: str | None = None
    bridge_url: str | None = None
    status_page_id: str | None = None
    status_page_url: str | None = None
    ticket: int | None = None
    ticket_url: str | None = None
    evidence_url: str | None = None

    def merged(self, newer: "Resources") -> "Resources":
        """Return these with everything that `newer` has."""
        return self.but(**{name: value for name, value in newer if value is not None})


class PublicFact(Frozen):
    """Something that happened, in words that customers may read."""

    at: AwareDatetime
    text: str


class RollbackRequest(Frozen):
    """Somebody asked for a rollback: the deployments are looked at again on their behalf. The request approves."""

    by: str
    cluster: str = ""
    insist: bool = False


class Flag(Frozen):
    """A release that a responder called bad."""

    version: str
    by: str
    reason: str


class Confirmation(Frozen):
    """What a customer, or a responder, said about the recovery."""

    at: AwareDatetime
    by: str
    customer: str
    restored: bool
    note: str


class Incident(Frozen):
    """Everything known of an incident. It changes only through `runbook.decisions` and `runbook.facts`.

    `pagings` counts the times at which the on-call was called anew: each is a page of its own, since a pager stays
    silent about one that was acknowledged or resolved. `looks` counts the fresh looks at the deployments;
    `automatic_rollbacks` names the cluster of each rollback that the runbook decided by itself.
    """

    key: str
    workflow_id: str
    run_key: str
    number: int | None = None
    title: str
    service: str
    environment: str
    source: str
    reporter: str
    drill: bool = False
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
    pagings: int = 0
    mitigated_at: AwareDatetime | None = None
    monitoring_since: AwareDatetime | None = None
    stable_since: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    resolved_by: str = ""
    reopened_at: AwareDatetime | None = None
    intervals: tuple[Interval, ...] = ()
    commander: str = ""
    assessment: Assess | None = None
    alerts: tuple[AlertState, ...] = ()
    steps: tuple[StepState, ...]
    updates: tuple[StatusUpdate, ...] = ()
    update_anchor: AwareDatetime | None = None
    next_words: str = ""
    draft: str = ""
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
    postmortem_published: bool = False
    resources: Resources = Resources()
    topics: int = 0
    summaries: int = 0
    summary_at: AwareDatetime | None = None
    fulfilled: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    failures: tuple[Unfulfilled, ...] = ()
    skips: tuple[Unfulfilled, ...] = ()
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

    def rollback(self, cluster: str) -> RollbackState | None:
        """Return where the rollback of that cluster stands; None if none was ever offered."""
        return next((state for state in self.rollbacks if state.offer.cluster == cluster), None)

    def with_rollback(self, state: RollbackState) -> Self:
        """Return the incident with the rollback of that cluster where it now stands."""
        cluster = state.offer.cluster
        others = tuple(state if old.offer.cluster == cluster else old for old in self.rollbacks)
        return self.but(rollbacks=others if self.rollback(cluster) else (*self.rollbacks, state))

    def step(self, step: Step) -> StepState:
        """Return where that checklist step stands."""
        return next(state for state in self.steps if state.step == step)

    def settled(self, key: str) -> bool:
        """Tell whether the duty of that key needs no more doing: it was fulfilled, skipped, or failed for good."""
        return key in self.fulfilled or any(duty.key == key for duty in (*self.failures, *self.skips))

    def standing(self, key: str) -> StepStatus:
        """Return where the duty of that key stands."""
        if key in self.fulfilled:
            return StepStatus.DONE
        if any(duty.key == key for duty in self.failures):
            return StepStatus.FAILED
        return StepStatus.SKIPPED if any(duty.key == key for duty in self.skips) else StepStatus.PENDING

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
        return self.but(timeline=(*self.timeline, entry), revision=self.revision + 1)

    def with_step(self, step: Step, status: StepStatus, at: datetime, by: str, detail: str = "") -> Self:
        """Return the incident with that checklist step where it now stands; a step that is done stays done."""
        old_status = self.step(step).status
        if old_status in (StepStatus.DONE, status):
            return self
        state = StepState(step=step, status=status, at=at, by=by, detail=detail)
        return self.but(steps=tuple(state if old.step == step else old for old in self.steps))
