"""Alerts: which shapes are understood, and which incident they belong to."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.client.alert_sources.payload import MalformedAlert
from incidents.client.alert_sources.registry import parse_alerts
from incidents.domain.alerting.alert import Alert, correlation_key, grouped, severity_of
from incidents.domain.config.model import Intake
from incidents.domain.core.severity import Severity
from tests.support.incidents import RUNBOOK, T0

INTAKE = RUNBOOK.intake
WEBHOOK: dict[str, Any] = {
    "version": "4",
    "status": "firing",
    "receiver": "x",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Errors", "service": "checkout", "severity": "critical", "instance": "web-1"},
            "annotations": {"summary": "Error ratio is 0.31"},
            "startsAt": "2026-11-23T06:42:07.568Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "ecf2",
        },
        {
            "status": "resolved",
            "labels": {"alertname": "Errors", "service": "checkout", "severity": "critical", "instance": "web-2"},
            "startsAt": "2022-04-25T14:35:19.490146+05:30",
            "endsAt": "2026-11-23T07:42:07Z",
            "fingerprint": "94a9",
        },
    ],
}


def labelled(**labels: str) -> Alert:
    return Alert(name="A", labels=labels, started_at=T0, fingerprint="f")


def test_alertmanagers_webhook() -> None:
    first, second = parse_alerts(WEBHOOK, T0)
    assert (first.title, first.firing, first.fingerprint) == ("Error ratio is 0.31", True, "ecf2")
    assert not second.firing
    assert first.started_at.isoformat() == "2026-11-23T06:42:07.568000+00:00"
    assert correlation_key(first, INTAKE) == correlation_key(second, INTAKE) == "checkout:production"


def test_the_simple_form_needs_a_title_only() -> None:
    [alert] = parse_alerts({"title": "It is slow"}, T0)
    assert (alert.title, alert.started_at, alert.firing) == ("It is slow", T0, True)
    [ended] = parse_alerts({"title": "It is slow", "status": "resolved"}, T0)
    assert ended.ended_at == T0
    assert ended.fingerprint == alert.fingerprint


def test_10_volatile_labels_do_not_split_an_incident() -> None:
    pods = [labelled(service="api", environment="prod", pod=f"api-{n}") for n in range(5)]
    assert list(grouped(pods, INTAKE)) == ["api:prod"]


def test_alerts_without_any_identity_are_told_apart_by_name() -> None:
    disk, cpu = (Alert(name=name, started_at=T0, fingerprint=name) for name in ("Disk", "Cpu"))
    assert list(grouped([disk, cpu], INTAKE)) == ["Disk:production", "Cpu:production"]


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_no_two_identities_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    keys = [
        correlation_key(labelled(service=service or "s", environment=environment or "production"), INTAKE)
        for service, environment in (one, other)
    ]
    same = tuple(x or d for x, d in zip(one, ("s", "production"), strict=True)) == tuple(
        x or d for x, d in zip(other, ("s", "production"), strict=True)
    )
    assert (keys[0] == keys[1]) is same
    assert all(len(key) < 256 for key in keys)


@pytest.mark.parametrize(
    ("label", "severity", "triage"),
    [
        ("critical", "P0", False),
        ("P0", "P0", False),
        (" Warning ", "P2", False),
        ("catastrophic", "P1", True),
        ("", "P1", True),
    ],
)
def test_11_an_unknown_severity_errs_high_but_never_guesses_p0(label: str, severity: Severity, triage: bool) -> None:
    assert severity_of(labelled(severity=label), RUNBOOK) == (severity, triage)
    assert severity_of(labelled(), RUNBOOK.replace(intake=Intake(unknown_severity="P2"))) == ("P2", True)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ([], "JSON object"),
        ("alert", "JSON object"),
        ({}, "title"),
        ({"version": "4", "alerts": []}, "empty"),
        ({"version": "3", "alerts": WEBHOOK["alerts"]}, "version"),
        ({"version": "4", "alerts": [{"status": "firing", "labels": {}}]}, "alerts.0.startsAt"),
        ({"version": "4", "alerts": [WEBHOOK["alerts"][0] | {"status": "odd"}]}, "status"),
        ({"version": "4", "alerts": [WEBHOOK["alerts"][1] | {"endsAt": "soon"}]}, "ended_at"),
        ({"title": "x", "started_at": "yesterday"}, "started_at"),
        ({"title": ""}, "title"),
    ],
)
def test_12_a_malformed_payload_is_refused_in_one_line(payload: Any, why: str) -> None:
    with pytest.raises(MalformedAlert) as refused:
        parse_alerts(payload, T0)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["version", "alerts", "status", "labels", "startsAt", "endsAt", "title", "started_at"])


@given(JSON | st.dictionaries(FIELDS, JSON | st.just("4"), max_size=6))
def test_12_no_json_breaks_the_intake(payload: Any) -> None:
    with contextlib.suppress(MalformedAlert):
        assert all(alert.title and correlation_key(alert, INTAKE) for alert in parse_alerts(payload, T0))
