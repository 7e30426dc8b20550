"""What alerts would do if they came now, and why: derived by the same functions, and nothing is done."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from incidents.domain.alerting.alert import Alert, identity, severity_of
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.alerting.routing import explain_route
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.opening import open_incident, opening_from
from incidents.domain.incident.state import Opening
from incidents.domain.paging.direct_page import NoPageYet, direct_page

_LONGEST = 60
"""Characters of a label's value in a reason."""


class Outcome(StrEnum):
    """What would happen."""

    OPEN = "open"
    TRIAGE = "triage"
    WAIT = "wait"
    JOIN = "join"
    IGNORED = "ignored"


class PreviewedAlert(Frozen):
    """One alert as it is read. `route`: why each route of the runbook matches or does not."""

    title: str
    source: str
    firing: bool
    fingerprint: str
    severity: Severity
    severity_reason: str
    route: tuple[str, ...]


class Preview(Frozen):
    """What the alerts of one incident would do. `identity`: the labels that select it. `summary`, `pages`: in words."""

    outcome: Outcome
    workflow_id: str
    identity: dict[str, str]
    summary: str
    pages: str
    alerts: tuple[PreviewedAlert, ...]


def preview(
    key: str,
    alerts: Sequence[Alert],
    runbook: RunbookConfig,
    at: datetime,
    *,
    windows: tuple[MaintenanceWindow, ...] = (),
    running: str = "",
) -> Preview:
    """Return what alerts of one correlation key would do.

    Args:
        key: Their correlation key.
        alerts: The alerts, with their routes (`grouped`).
        runbook: The runbook in use.
        at: Now, aware UTC.
        windows: Maintenance windows that responders have started.
        running: The incident that they would join, as people call it; "": none is open.
    """
    firing = tuple(alert for alert in alerts if alert.firing)
    workflow_id = f"incident-{key}"
    if running:
        outcome, summary, pages = Outcome.JOIN, _joins(running, firing), "only if they are worse than the incident"
    elif not firing:
        outcome, summary, pages = Outcome.IGNORED, "The alert has ended, and no incident is open", "nobody"
    else:
        opening = opening_from(firing, key, runbook).replace(maintenance=windows)
        outcome, summary = _opens(opening, runbook, at, workflow_id)
        pages = _paged(opening, runbook, at, workflow_id)
    return Preview(
        outcome=outcome,
        workflow_id=workflow_id,
        identity=identity(alerts[0], runbook.intake),
        summary=summary,
        pages=pages,
        alerts=tuple(_previewed(alert, runbook) for alert in alerts),
    )


def _joins(running: str, firing: Sequence[Alert]) -> str:
    return f"Joins {running}" if firing else f"Ends its alert in {running}"


def _opens(opening: Opening, runbook: RunbookConfig, at: datetime, workflow_id: str) -> tuple[Outcome, str]:
    incident = open_incident(opening, runbook, at, workflow_id=workflow_id, first_run_id="")
    what = f"{incident.severity} of {incident.service} in {incident.environment}: {incident.title}"
    if (waiting := incident.alerting.waiting) is not None:
        until = f"{waiting.until:%Y-%m-%d %H:%M} UTC ({waiting.reason})"
        return Outcome.WAIT, f"Waits for the end of the maintenance window until {until}, then opens a {what}"
    if incident.alerting.unknown_service:
        return Outcome.TRIAGE, f"Opens a {what}, for triage. {incident.alerting.unknown_service}"
    return Outcome.OPEN, f"Opens a {what}"


def _paged(opening: Opening, runbook: RunbookConfig, at: datetime, workflow_id: str) -> str:
    try:
        page = direct_page(opening, runbook, workflow_id, at)
    except NoPageYet as error:
        return str(error)
    contact = runbook.contacts.get(page.to) if page is not None else None
    if page is None:
        return "nobody"
    return f"{page.to} ({contact.name})" if contact is not None and contact.name != page.to else page.to or "on-call"


def _previewed(alert: Alert, runbook: RunbookConfig) -> PreviewedAlert:
    severity, reason = _severity(alert, runbook)
    return PreviewedAlert(
        title=one_line(alert.title, 200),
        source=alert.source,
        firing=alert.firing,
        fingerprint=alert.fingerprint,
        severity=severity,
        severity_reason=reason,
        route=tuple(explain_route(alert.source, alert.labels, runbook.intake)),
    )


def _severity(alert: Alert, runbook: RunbookConfig) -> tuple[Severity, str]:
    severity, unknown = severity_of(alert, runbook)
    route, label = runbook.intake.route(alert.route), runbook.intake.severity_label
    if route is not None and route.severity == severity:
        return severity, f"route {route.name}"
    given = one_line(alert.labels.get(label, ""), _LONGEST)
    if unknown:
        return severity, f'{label}="{given}" is unknown; to be confirmed' if given else f"no {label}; to be confirmed"
    return severity, f'{label}="{given}"'
