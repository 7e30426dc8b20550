"""111: routes of runbook.yaml decide, by source and labels, what an alert is taken as, and say why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from incidents.domain import apply_event as events
from incidents.domain.activity_requests import SendPage
from incidents.domain.alerting.alert import Alert, grouped, severity_of
from incidents.domain.alerting.config import MaintenanceWindow, Pattern, Route
from incidents.domain.alerting.maintenance import covers
from incidents.domain.alerting.routing import explain_route, mismatch, route_of
from incidents.domain.build_request import request
from incidents.domain.config.communication import Rung
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.references import dangling
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident, opening_from
from incidents.domain.paging.on_call import ladder_of, on_call_of
from tests.support.incidents import RUNBOOK, T0, at, obligation

EVALUATION, DASHBOARD = RUNBOOK.services[0].name, RUNBOOK.services[1].name
PAYMENTS = Route(
    name="payments",
    source="grafana",
    labels={"team": "payments", "alertname": Pattern(regex="Checkout.*")},
    service=EVALUATION,
    severity="P0",
)
REST = Route(name="rest of grafana", source=Pattern(regex="graf.*"), on_call="cto", escalation={"P2": ()})


def with_routes(*routes: Route) -> RunbookConfig:
    return RUNBOOK.replace(intake=RUNBOOK.intake.replace(routes=routes))


RUNBOOK_WITH = with_routes(PAYMENTS, REST)
INTAKE = RUNBOOK_WITH.intake


def fired(source: str = "Grafana", **labels: str) -> Alert:
    name = labels.get("alertname", "A")
    return Alert(name=name, labels=labels, started_at=T0, fingerprint=name, source=source)


def arrived(alert: Alert, runbook: RunbookConfig = RUNBOOK_WITH) -> tuple[str, Alert]:
    [(key, (routed,))] = grouped((alert,), runbook.intake).items()
    return key, routed


def opened_by(alert: Alert, runbook: RunbookConfig = RUNBOOK_WITH) -> Incident:
    key, routed = arrived(alert, runbook)
    opening = opening_from((routed,), key, runbook)
    incident = open_incident(opening, runbook, T0, workflow_id=f"incident-{key}", first_run_id="r")
    return events.alert_fired(incident, (routed,), runbook, T0)


@pytest.mark.parametrize(
    ("source", "labels", "route"),
    [
        ("Grafana", {"team": "payments", "alertname": "CheckoutSlow"}, "payments"),
        ("grafana", {"team": "payments", "alertname": "Checkout"}, "payments"),
        ("grafana", {"team": "payments", "alertname": "A Checkout"}, "rest of grafana"),
        ("grafana", {"team": "Payments", "alertname": "Checkout"}, "rest of grafana"),
        ("GRAFT", {}, "rest of grafana"),
        ("signoz", {"team": "payments", "alertname": "Checkout"}, ""),
    ],
)
def test_111_the_first_route_that_matches_counts(source: str, labels: dict[str, str], route: str) -> None:
    assert route_of(source, labels, INTAKE) == route


def test_111_its_service_and_severity_stand_in_place_of_the_labels() -> None:
    alert = fired(team="payments", alertname="CheckoutSlow", service="grafana-made-this-up", severity="low")
    key, routed = arrived(alert)
    assert key == f"{EVALUATION}:production"
    assert severity_of(routed, RUNBOOK_WITH) == ("P0", False)
    assert routed.labels == alert.labels, "silences match the labels that the source knows"
    incident = opened_by(alert)
    assert (incident.service, incident.severity, incident.needs_triage) == (EVALUATION, "P0", False)
    assert not incident.alerting.unknown_service


def test_111_without_a_route_nothing_changes() -> None:
    alert = fired("signoz", service=DASHBOARD, severity="warning")
    assert arrived(alert) == arrived(alert, RUNBOOK) == (f"{DASHBOARD}:production", alert)
    assert severity_of(alert, RUNBOOK_WITH) == ("P2", False)


def test_111_the_end_of_an_alert_finds_the_same_incident() -> None:
    alert = fired(team="payments", alertname="CheckoutSlow")
    assert arrived(alert)[0] == arrived(alert.replace(ended_at=at(3)))[0]


def test_111_a_service_of_a_route_counts_also_if_alerts_are_not_grouped_by_it() -> None:
    runbook = RUNBOOK.replace(intake=INTAKE.replace(correlate_by=("team",)))
    incident = opened_by(fired(team="payments", alertname="Checkout"), runbook)
    assert (incident.key, incident.service) == ("payments", EVALUATION)


def test_111_its_on_call_is_paged_and_its_ladder_is_climbed() -> None:
    incident = opened_by(fired(service=DASHBOARD, severity="warning"))
    assert on_call_of(incident, RUNBOOK_WITH) == "cto"
    assert ladder_of(incident, RUNBOOK_WITH) == ()
    worse = incident.replace(severity="P0")
    assert ladder_of(worse, RUNBOOK_WITH) == RUNBOOK.policy("P0").escalation
    page = request(obligation(incident, "page"), incident, RUNBOOK_WITH, T0)
    assert isinstance(page, SendPage)
    assert page.to == "cto"


def test_111_a_route_comes_before_its_service() -> None:
    ladder = (Rung(contact="cto"),)
    own = RUNBOOK.services[0].replace(on_call="engineering_manager", escalation={"P0": ladder})
    runbook = RUNBOOK_WITH.replace(services=(own, *RUNBOOK.services[1:]))
    routed = opened_by(fired(team="payments", alertname="Checkout"), runbook)
    assert on_call_of(routed, runbook) == "engineering_manager", "the route names nobody"
    assert ladder_of(routed, runbook) == ladder
    other = opened_by(fired(service=EVALUATION, severity="critical"), runbook)
    assert on_call_of(other, runbook) == "cto"


def test_111_a_window_of_its_service_covers_it() -> None:
    window = MaintenanceWindow(since=at(-5), until=at(60), service=EVALUATION, reason="upgrade")
    runbook = RUNBOOK_WITH.replace(maintenance=(window,))
    incident = opened_by(fired(team="payments", alertname="Checkout"), runbook)
    assert covers(window, incident.service, "production", "", at(0))
    assert incident.alerting.waiting is not None


def test_111_an_incident_keeps_its_route_though_its_runbook_has_lost_it() -> None:
    incident = opened_by(fired(service=DASHBOARD, severity="warning"))
    assert on_call_of(incident, RUNBOOK) == RUNBOOK.people.on_call


def test_111_it_says_what_decided() -> None:
    labels = {"team": "payments", "alertname": "Disk"}
    assert list(explain_route("Grafana", labels, INTAKE)) == [
        'Route payments skipped: alertname is "Disk", not /Checkout.*/',
        'Route rest of grafana: source "Grafana" → on-call cto, a ladder of its own for P2',
    ]
    assert list(explain_route("Grafana", {"team": "payments", "alertname": "Checkout"}, INTAKE)) == [
        f'Route payments: source "Grafana", team="payments", alertname="Checkout" → service {EVALUATION}, severity P0'
    ]
    assert list(explain_route("json", {}, INTAKE))[-1] == "No route matches: the alert's own labels count"
    assert list(explain_route("json", {}, RUNBOOK.intake)) == ["No routes in runbook.yaml"]
    assert mismatch(PAYMENTS, "json", {}) == 'source is "json", not "grafana"'
    assert mismatch(PAYMENTS, "grafana", {}) == 'team is missing, not "payments"'


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_111_what_is_said_is_one_line_whatever_the_alert_holds(source: str, labels: dict[str, str]) -> None:
    for line in explain_route(source, labels | {"team": source, "alertname": source}, INTAKE):
        assert "\n" not in line
        assert len(line) < 400


@pytest.mark.parametrize(
    ("route", "why"),
    [
        ({"name": "a"}, "a route sets"),
        ({"name": "", "service": "x"}, "name"),
        ({"name": "a", "service": "x", "source": {"regex": "("}}, "not a regular expression"),
    ],
)
def test_111_a_route_that_can_do_nothing_is_refused(route: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Route.model_validate(route)


def test_111_names_that_refer_to_nothing_are_found() -> None:
    wrong = Route(
        name="payments",
        service="nosuch",
        severity="P9",
        on_call="nobody",
        escalation={"P8": (Rung(contact="none"),)},
    )
    found = dict(dangling(with_routes(PAYMENTS, wrong)))
    place = ("intake", "routes", 1)
    assert set(found) == {
        (*place, "service"),
        (*place, "name"),
        (*place, "severity"),
        (*place, "on_call"),
        (*place, "escalation", "P8"),
        (*place, "escalation", "P8", 0, "contact"),
    }
