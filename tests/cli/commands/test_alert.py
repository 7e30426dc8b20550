"""`incident alert test`: what a payload would do, without sending it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Incidental, Stage, point_at, refused

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "alerts"
ALARM = str(FIXTURES / "cloudwatch" / "built_sns_alarm.json")
ROUTED = """
  routes:
    - {name: others, source: grafana, on_call: cto}
    - {name: checkout, source: cloudwatch, labels: {alertname: {regex: checkout-.*}}, service: dashboard, severity: P1}
"""


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = Path("runbook.yaml").read_text(encoding="utf-8")
    [line] = [line for line in text.splitlines() if line.startswith("  routes: []")]
    path = tmp_path / "runbook.yaml"
    path.write_text(text.replace(line, ROUTED.strip("\n")), encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_FILE", str(path))


def test_111_it_says_what_would_happen_and_why(routed: None, on_stage: Incidental) -> None:
    said = on_stage("alert", "test", ALARM, "--source", "cloudwatch")
    assert (said.status, said.err) == (0, "")
    head, incident, pages, alert, fingerprint, severity, *routes = said.out.splitlines()
    assert head == "OPEN: Opens a P1 of dashboard in production: checkout-5xx"
    assert incident == "  incident: incident-dashboard:production (from service=dashboard, environment=production)"
    assert pages == "  pages: on_call (On-call engineer)"
    assert alert == "  alert: checkout-5xx (cloudwatch, firing)"
    assert fingerprint.startswith("    fingerprint: ")
    assert severity == "    severity: P1 (route checkout)"
    assert routes == [
        '    Route others skipped: source is "cloudwatch", not "grafana"',
        '    Route checkout: source "cloudwatch", alertname="checkout-5xx" → service dashboard, severity P1',
    ]


def test_what_is_open_is_joined_and_nothing_is_sent(on_stage: Incidental, stage: Stage, tmp_path: Path) -> None:
    opened = stage.open("critical", key="webhooks:production")
    path = tmp_path / "alert.json"
    path.write_text(json.dumps({"title": "Slow", "service": "webhooks", "severity": "critical"}), encoding="utf-8")
    before = opened.state().alerting
    found = on_stage("alert", "test", str(path), "--json").document
    [result] = found["results"]
    assert (found["asked"], result["outcome"]) == (True, "join")
    assert (result["workflow_id"], result["summary"]) == (opened.id, f"Joins INC-{opened.number}")
    assert opened.state().alerting == before


def test_without_temporal_it_says_what_it_does_not_know(on_stage: Incidental) -> None:
    said = on_stage("alert", "test", ALARM, "--offline")
    assert said.status == 0
    assert said.out.startswith("TRIAGE: ")
    assert said.out.endswith("Open incidents and started windows are unknown: --offline\n")
    assert on_stage("alert", "test", ALARM, "--offline", "--json").document["asked"] is False


def test_while_temporal_is_away_it_says_so(on_stage: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.app.connection.TIMEOUT", timedelta(seconds=0.3))
    point_at(monkeypatch, "127.0.0.1:1")
    said = on_stage("alert", "test", ALARM)
    assert said.status == 0
    assert said.out.endswith("are unknown: Temporal at 127.0.0.1:1 does not answer\n")


def test_an_event_that_is_about_no_alert_is_ignored(on_stage: Incidental) -> None:
    path = str(FIXTURES / "pagerduty" / "zulip_annotated_v3.json")
    assert on_stage("alert", "test", path).out == "Ignored: the payload is about no alert\n"


def test_12_what_is_no_alert_is_refused_in_one_line(on_stage: Incidental, tmp_path: Path) -> None:
    path = tmp_path / "alert.json"
    path.write_text("{}", encoding="utf-8")
    assert "alert_transition" in refused(on_stage("alert", "test", str(path), "--source", "datadog"))
    assert "No such file" in refused(on_stage("alert", "test", "/nowhere/alert.json"))
    said = on_stage("alert", "test", str(path), "--source", "a/b")
    assert (said.status, said.out) == (2, "")
