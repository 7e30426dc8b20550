"""What alerts would do, told by the functions that do it."""

import pytest

from incidents.domain.alerting.alert import Alert, grouped
from incidents.domain.alerting.config import MaintenanceWindow, Route
from incidents.domain.config.model import RunbookConfig
from incidents.domain.preview.alerts import Preview, preview
from incidents.domain.preview.effect import Outcome
from incidents.domain.preview.joining import Running
from tests.support.incidents import RUNBOOK, T0, at

SERVICE = RUNBOOK.services[0].name
OPEN = Running(name="INC-42")
WINDOW = MaintenanceWindow(since=at(-5), until=at(60), service=SERVICE, reason="upgrade")


def fired(**labels: str) -> Alert:
    return Alert(name="A", labels=labels, summary="Slow", started_at=T0, fingerprint="f1", source="grafana")


def seen(
    alert: Alert,
    runbook: RunbookConfig = RUNBOOK,
    running: Running | None = None,
    windows: tuple[MaintenanceWindow, ...] = (),
) -> Preview:
    [(key, group)] = grouped((alert,), runbook.intake).items()
    return preview(key, group, runbook, T0, running=running, windows=windows)


def test_10_a_known_service_opens_and_says_what_decides() -> None:
    found = seen(fired(service=SERVICE, severity="critical", pod="web-1"))
    assert (found.outcome, found.workflow_id) == (Outcome.OPEN, f"incident-{SERVICE}:production")
    assert found.summary == f"Opens a P0 of {SERVICE} in production: Slow"
    assert found.identity == {"service": SERVICE, "environment": "production"}
    assert found.pages == f"on_call ({RUNBOOK.contacts['on_call'].name})"
    [alert] = found.alerts
    assert (alert.fingerprint, alert.severity, alert.severity_reason) == ("f1", "P0", 'severity="critical"')
    assert alert.route == ("No routes in runbook.yaml",)


def test_97_an_unknown_service_is_triaged_and_says_which_there_are() -> None:
    found = seen(fired(service="nosuch"))
    assert found.outcome is Outcome.TRIAGE
    assert "runbook.yaml has no service 'nosuch'" in found.summary
    assert SERVICE in found.summary


@pytest.mark.parametrize("planned", [True, False])
def test_15_within_a_window_it_waits_and_pages_nobody(planned: bool) -> None:
    runbook = RUNBOOK.replace(maintenance=(WINDOW,)) if planned else RUNBOOK
    found = seen(fired(service=SERVICE, severity="critical"), runbook, windows=() if planned else (WINDOW,))
    assert found.outcome is Outcome.WAIT
    assert "(upgrade), then opens a P0" in found.summary
    assert found.pages.startswith("nobody is paged within the maintenance window")


def test_5_the_end_of_an_alert_of_no_incident_is_ignored() -> None:
    found = seen(fired(service=SERVICE).replace(ended_at=at(1)))
    assert (found.outcome, found.pages) == (Outcome.IGNORED, "nobody")


def test_what_is_open_is_joined() -> None:
    alert = fired(service=SERVICE, severity="warning")
    found = seen(alert, running=OPEN)
    assert (found.outcome, found.summary) == (Outcome.JOIN, "Joins INC-42")
    assert found.pages == "only if they are worse than the incident"
    ended = seen(alert.replace(ended_at=at(1)), running=OPEN)
    assert (ended.summary, ended.pages) == ("Ends its alert in INC-42", "nobody")
    merged = seen(alert, running=OPEN.replace(merged=True))
    assert merged.summary == "Joins the incident that INC-42 was merged into"


def test_what_is_over_is_reopened_and_paged_anew() -> None:
    alert = fired(service=SERVICE, severity="critical")
    found = seen(alert, running=OPEN.replace(over=True))
    assert found.outcome is Outcome.REOPEN
    assert found.summary.startswith("Reopens INC-42, which is over, unless it only repeats a firing")
    assert found.pages == f"on_call ({RUNBOOK.contacts['on_call'].name})"


def test_15_what_would_reopen_waits_for_the_end_of_a_window() -> None:
    found = seen(fired(service=SERVICE, severity="critical"), running=OPEN.replace(over=True), windows=(WINDOW,))
    assert found.outcome is Outcome.WAIT
    assert found.summary.endswith("(upgrade), then reopens INC-42 if the alert still fires")
    assert found.pages.startswith("nobody is paged within the maintenance window")


def test_111_a_route_decides_and_is_named() -> None:
    route = Route(name="all", service=SERVICE, severity="P1", on_call="cto")
    runbook = RUNBOOK.replace(intake=RUNBOOK.intake.replace(routes=(route,)))
    found = seen(fired(service="nosuch", severity="low"), runbook)
    assert (found.outcome, found.pages.partition(" ")[0]) == (Outcome.OPEN, "cto")
    assert found.alerts[0].severity_reason == "route all"
    assert found.alerts[0].route == (f"Route all: every alert → service {SERVICE}, severity P1, on-call cto",)


def test_11_an_unknown_severity_is_said_to_be_a_guess() -> None:
    assert seen(fired(service=SERVICE)).alerts[0].severity_reason == "no severity; to be confirmed"
    odd = seen(fired(service=SERVICE, severity="odd")).alerts[0]
    assert (odd.severity, odd.severity_reason) == ("P1", 'severity="odd" is unknown; to be confirmed')


def test_a_severity_that_pages_nobody_says_so() -> None:
    quiet = next(name for name, policy in RUNBOOK.severities.items() if not policy.page)
    assert seen(fired(service=SERVICE, severity=quiet)).pages == "nobody"
