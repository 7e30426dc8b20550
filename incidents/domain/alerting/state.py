"""What an incident remembers of its alerts and their silences."""

from typing import Self

from pydantic import AwareDatetime

from incidents.cutting import cut
from incidents.domain.alerting.alert import Alert, region_of
from incidents.domain.alerting.config import AlertApi, MaintenanceWindow
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity

MOST_ALERTS = 200
"""Different alerts that an incident remembers one by one. One of a greater storm only reopens, unless it is graver."""
_TITLE = 200
"""Characters of an alert's title."""
_LABELS = 2000
"""Characters of labels that are kept of one alert: workflow payloads hold facts, not dumps."""


class AlertState(Frozen):
    """An alert of this incident, and how often it was sent.

    `labels` are kept while they are few (see `of`). `claimed_start`: as `Alert`'s, of the firing that counts.
    `source`: which monitoring sent it last. `severity`: the worst that it stated, None if the runbook knows none of
    them. `judged`: a responder declared the incident's severity after it had fired. `refired`: when it lately fired
    again after its end. `region`: as the alert names it. `own`: it was sent to this incident itself. `merged_from`:
    workflow ids of the merged incidents that it came from.
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
    source: str = "monitoring"
    severity: Severity | None = None
    judged: bool = False
    refired: tuple[AwareDatetime, ...] = ()
    region: str = ""
    own: bool = True
    merged_from: tuple[str, ...] = ()

    @classmethod
    def of(cls, alert: Alert, *, labelled: bool, severity: Severity | None = None) -> Self:
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
            source=alert.source,
            severity=severity,
            region=region_of(alert),
        )


class Silence(Frozen):
    """A silence that we created in the alert source: it sends nothing of that alert until then, not even its end."""

    id: str
    fingerprint: str
    until: AwareDatetime
    api: AlertApi = AlertApi.ALERTMANAGER


class Waiting(Frozen):
    """The incident waits for the end of a maintenance window, and why that is planned.

    `reopens`: it was over when `alerts` (fingerprints) fired within the window; only they can reopen it.
    """

    until: AwareDatetime
    reason: str
    reopens: bool = False
    alerts: tuple[str, ...] = ()


class AlertingState(Frozen):
    """Alerts of the incident, the silences that we created, and how often the silenced ones were checked.

    `all_ended_at`: since when none fires; `quiet_until`: how long none may fire before that counts, None once it does.
    `flapping`: one fired so often that its firings and ends are no longer announced.
    `forgotten`: the worst severity that an alert stated which was one too many to be remembered; `forgotten_judged`:
    that as it was when a responder last declared the severity.
    `unknown_service`: what is wrong with the alert's service, until a responder names one that the runbook knows.
    `route`: the name of the route of the alert that opened it.
    `waiting`: it is within a maintenance window, and not opened yet. `windows`: those that responders started.
    """

    alerts: tuple[AlertState, ...] = ()
    silences: tuple[Silence, ...] = ()
    checks: int = 0
    checked_at: AwareDatetime | None = None
    all_ended_at: AwareDatetime | None = None
    quiet_until: AwareDatetime | None = None
    flapping: bool = False
    forgotten: Severity | None = None
    forgotten_judged: Severity | None = None
    unknown_service: str = ""
    route: str = ""
    waiting: Waiting | None = None
    windows: tuple[MaintenanceWindow, ...] = ()

    @property
    def firing(self) -> tuple[AlertState, ...]:
        """The alerts that have not ended."""
        return tuple(alert for alert in self.alerts if alert.ended_at is None)

    def judged(self) -> Self:
        """Return the state after a responder declared the severity, knowing all these alerts."""
        alerts = tuple(alert.replace(judged=True) for alert in self.alerts)
        return self.replace(alerts=alerts, forgotten_judged=self.forgotten)
