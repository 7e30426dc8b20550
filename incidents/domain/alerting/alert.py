"""Alerts, normalised: what any monitoring system said, and which incident it belongs to."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from pydantic import AwareDatetime

from incidents.cutting import cut
from incidents.domain.alerting.routing import route_of
from incidents.domain.config.model import Intake, RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import one_line, printable
from incidents.domain.core.time.instants import bounded

_LONGEST_KEY = 200

_MOST_LABELS, _LONGEST_NAME, _LONGEST_VALUE = 200, 200, 2000
"""Labels of an alert, and characters of a label's name and value."""
_LONGEST_TITLE, _LONGEST_DESCRIPTION, _LONGEST_LINK, _LONGEST_SOURCE = 200, 2000, 2000, 100


class Alert(Frozen):
    """One alert of a monitoring system, firing or resolved.

    `claimed_start`, `claimed_end`: what the sender said, where that is out of bounds
    (`incidents.domain.core.time.instants`) and the arrival stands in its place. `exact_labels`: the labels are the
    sender's; if not, they match nothing there. `route`: the name of the runbook's route that it takes; "": none.
    """

    name: str
    labels: dict[str, str] = {}
    summary: str = ""
    description: str = ""
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    fingerprint: str
    link: str = ""
    source: str = "monitoring"
    claimed_start: AwareDatetime | None = None
    claimed_end: AwareDatetime | None = None
    exact_labels: bool = True
    route: str = ""

    @property
    def firing(self) -> bool:
        """Tell whether the alert had not ended when it was sent."""
        return self.ended_at is None

    @property
    def title(self) -> str:
        """What the alert says in one line."""
        said = (text.strip() for text in (self.summary, self.description, self.name))
        return next((text.splitlines()[0] for text in said if text), "alert without a name")


def fingerprint_of(labels: dict[str, str]) -> str:
    """Return the fingerprint of an alert whose sender gave none."""
    text = "\0".join(f"{name}\0{labels[name]}" for name in sorted(labels))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def bounded_alert(alert: Alert, received_at: datetime) -> Alert:
    """Return the alert as any source may send it: with its text and its instants in bounds."""
    return in_bounds(_tidy(alert), received_at)


def _tidy(alert: Alert) -> Alert:
    """Return the alert with its text printable and no longer than needed."""
    few = list(alert.labels.items())[:_MOST_LABELS]
    labels = {one_line(name, _LONGEST_NAME): cut(printable(value), _LONGEST_VALUE) for name, value in few}
    link = printable(alert.link)
    return alert.replace(
        name=one_line(alert.name, _LONGEST_TITLE),
        labels=labels,
        exact_labels=labels == alert.labels,
        summary=cut(printable(alert.summary), _LONGEST_TITLE),
        description=cut(printable(alert.description), _LONGEST_DESCRIPTION),
        fingerprint=one_line(alert.fingerprint, _LONGEST_NAME) or fingerprint_of(labels),
        link=link if len(link) <= _LONGEST_LINK else "",  # half a link leads nowhere
        source=one_line(alert.source, _LONGEST_SOURCE) or "monitoring",
    )


def in_bounds(alert: Alert, at: datetime) -> Alert:
    """Return the alert with its instants in bounds, and with what was claimed if they were not. `at`: its arrival."""
    start = bounded(alert.started_at, at)
    if start != alert.started_at:
        alert = alert.replace(started_at=start, claimed_start=alert.claimed_start or alert.started_at)
    end = alert.ended_at and bounded(alert.ended_at, at)
    if end != alert.ended_at:
        alert = alert.replace(ended_at=end, claimed_end=alert.claimed_end or alert.ended_at)
    return alert


def identity(alert: Alert, intake: Intake) -> dict[str, str]:
    """Return the labels, with their values, that decide which incident the alert belongs to.

    The service of its route stands in place of its label. A label that the alert lacks takes the runbook's default; an
    alert without any of them is identified by its name, so that unrelated alerts do not become one incident.
    """
    labels = routed_labels(alert, intake)
    found = {name: labels.get(name) or intake.defaults.get(name, "") for name in intake.correlate_by}
    if not any(labels.get(name) for name in intake.correlate_by):
        return found | {intake.correlate_by[0]: alert.name}
    return found


def routed_labels(alert: Alert, intake: Intake) -> dict[str, str]:
    """Return the alert's labels with the service of its route in place of its own."""
    route = intake.route(alert.route)
    return alert.labels | {"service": route.service} if route is not None and route.service else alert.labels


def correlation_key(alert: Alert, intake: Intake) -> str:
    """Return the incident's key: the identity's values, in order, as `flag-evaluation:production`.

    Values are percent-encoded, so that no two identities give the same key; one that is too long for a workflow id
    ends in a hash of the whole.
    """
    key = ":".join(quote(value, safe="") for value in identity(alert, intake).values())
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:_LONGEST_KEY]}~{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def severity_of(alert: Alert, runbook: RunbookConfig) -> tuple[Severity, bool]:
    """Return the alert's severity and whether a person must confirm it, because the label is missing or unknown.

    The severity of its route stands in place of the label.
    """
    intake = runbook.intake
    route = intake.route(alert.route)
    if route is not None and route.severity is not None and (routed := runbook.severity_named(route.severity)):
        return routed, False
    label = alert.labels.get(intake.severity_label, "").strip().lower()
    known = {name.lower(): severity for name, severity in intake.severities.items()}
    severity = known.get(label) or runbook.severity_named(label)
    return (severity, False) if severity else (runbook.unknown_severity, True)


def grouped(alerts: Iterable[Alert], intake: Intake) -> dict[str, tuple[Alert, ...]]:
    """Give each alert its route, and sort them by the incident that they belong to, in the order in which they came."""
    groups: dict[str, tuple[Alert, ...]] = {}
    for given in alerts:
        alert = given.replace(route=route_of(given.source, given.labels, intake))
        key = correlation_key(alert, intake)
        groups[key] = (*groups.get(key, ()), alert)
    return groups


def region_of(alert: Alert) -> str:
    """Return the region that the alert names; empty if it names none."""
    return one_line(alert.labels.get("region", ""), _LONGEST_NAME)


def is_private(alert: Alert, intake: Intake) -> bool:
    """Tell whether an alert's label makes its incident a private one."""
    return alert.labels.get(intake.private_label, "").lower() == "true"
