"""What an incident is made of: alerts, episodes, updates, what it owns at the vendors, and who is on it."""

from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime

from incidents.domain.alerting.alert import Alert
from incidents.domain.config.communication import Channel
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.text.untrusted import cut

_TITLE = 200
"""Characters of an alert's title."""
_LABELS = 2000
"""Characters of labels that are kept of one alert: workflow payloads hold facts, not dumps."""


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
    private: bool = False


class AlertState(Frozen):
    """An alert of this incident, and how often it was sent.

    `labels` are kept while they are few (see `of`). `claimed_start`: as `Alert`'s, of the firing that counts.
    """

    name: str
    fingerprint: str
    title: str
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    times: int = 1
    link: str = ""
    labels: dict[str, str] = {}
    claimed_start: AwareDatetime | None = None

    @classmethod
    def of(cls, alert: Alert, *, labelled: bool) -> Self:
        """Remember an alert that came for the first time, with its labels if it is to be silenced by them."""
        short = sum(len(name) + len(value) for name, value in alert.labels.items()) <= _LABELS
        return cls(
            labels=alert.labels if labelled and short and alert.exact_labels else {},
            name=alert.name,
            fingerprint=alert.fingerprint,
            title=cut(alert.title, _TITLE),
            started_at=alert.started_at,
            ended_at=alert.ended_at,
            link=alert.link,
            claimed_start=alert.claimed_start,
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
    text: PublicText
    news: bool
    next_at: AwareDatetime | None
    channels: tuple[Channel, ...]
    by: str


class Unfulfilled(Frozen):
    """An obligation that was not done, and why: it failed for good, or it was skipped."""

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
    digest_ts: str | None = None
    digest_text: str | None = None
    bridge_url: str | None = None
    status_page_id: str | None = None
    status_page_url: str | None = None
    ticket: int | None = None
    ticket_url: str | None = None
    evidence_url: str | None = None

    def merged(self, newer: "Resources") -> "Resources":
        """Return these with everything that `newer` has."""
        return self.replace(**{name: value for name, value in newer if value is not None})


class PublicFact(Frozen):
    """Something that happened, in words that customers may read."""

    at: AwareDatetime
    text: PublicText


class OnCall(Frozen):
    """Who a contact of the runbook is at the moment, by its schedule. Without a name: nobody is on the schedule."""

    contact: str
    at: AwareDatetime
    name: str = ""
    email: str = ""


class Silence(Frozen):
    """A silence that we put into Alertmanager: it keeps that alert to itself until then, also its end."""

    id: str
    fingerprint: str
    until: AwareDatetime


class Correction(Frozen):
    """A time of the incident that was corrected. `which`: started, acknowledged, mitigated or resolved."""

    which: str
    was: AwareDatetime
    now: AwareDatetime
    by: str
    at: AwareDatetime
    reason: str


class Hastened(Frozen):
    """A rung of the ladder that somebody wanted climbed at once. `rung`: as `ladder.rung_key` names it."""

    rung: str
    at: AwareDatetime
    by: str


class Hold(Frozen):
    """The update of that number is held back until then, by a responder."""

    sequence: int
    until: AwareDatetime
    by: str


class Refusal(Frozen):
    """A vendor refused our credentials: nothing goes out there until an operator mends them."""

    vendor: str
    reason: str
    at: AwareDatetime


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
