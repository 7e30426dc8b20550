"""What alerts would do if they came now, and why: derived by the same functions, and nothing is done."""

from collections.abc import Sequence
from datetime import datetime

from incidents.domain.alerting.alert import Alert, identity, severity_of
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.alerting.routing import explain_route
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.opening import opening_from
from incidents.domain.preview.effect import Effect, Outcome
from incidents.domain.preview.joining import Running, preview_end, preview_joining
from incidents.domain.preview.opening import preview_opening

_IGNORED = Effect(outcome=Outcome.IGNORED, summary="The alert has ended, and no incident is open", pages="nobody")
_LONGEST = 60
"""Characters of a label's value in a reason."""


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
    running: Running | None = None,
) -> Preview:
    """Return what alerts of one correlation key would do.

    Args:
        key: Their correlation key.
        alerts: The alerts, with their routes (`grouped`).
        runbook: The runbook in use.
        at: Now, aware UTC.
        windows: Maintenance windows that responders have started.
        running: The incident whose workflow of that key runs; None: there is none.
    """
    firing = tuple(alert for alert in alerts if alert.firing)
    workflow_id = f"incident-{key}"
    if firing:
        opening = opening_from(firing, key, runbook).replace(maintenance=windows)
        effect = (
            preview_opening(opening, runbook, at, workflow_id)
            if running is None
            else preview_joining(running, opening, runbook, at, workflow_id)
        )
    else:
        effect = _IGNORED if running is None else preview_end(running)
    return Preview(
        outcome=effect.outcome,
        workflow_id=workflow_id,
        identity=identity(alerts[0], runbook.intake),
        summary=effect.summary,
        pages=effect.pages,
        alerts=tuple(_previewed(alert, runbook) for alert in alerts),
    )


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
