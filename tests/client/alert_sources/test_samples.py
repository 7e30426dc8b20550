"""Every payload of `tests/fixtures/alerts`, as its source sends it, becomes the alerts that are listed here."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from incidents.client.alert_sources.generic_json import json_schema
from incidents.client.alert_sources.names import SourceName
from incidents.client.alert_sources.payload import MalformedAlert
from incidents.client.alert_sources.registry import parse_alerts, recognized
from incidents.domain import apply_event as events
from incidents.domain.alerting.alert import Alert, correlation_key
from tests.client.alert_sources.expected import EXPECTED
from tests.support.incidents import RUNBOOK, T0, at, opened

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "alerts"


def payload(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def read(name: str) -> tuple[Alert, ...]:
    """The sample as it comes in at the path of its source."""
    return parse_alerts(payload(name), T0, name.partition("/")[0])


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_becomes_its_alerts(name: str) -> None:
    found = read(name)
    assert [(alert.title, alert.firing, alert.link) for alert in found] == [
        (one.title, one.firing, one.link) for one in EXPECTED[name]
    ]
    for alert, one in zip(found, EXPECTED[name], strict=True):
        assert one.labels.items() <= alert.labels.items()
        assert alert.source == name.partition("/")[0]


def test_every_sample_is_a_test_and_every_source_has_one() -> None:
    files = {str(path.relative_to(FIXTURES).with_suffix("")) for path in FIXTURES.rglob("*.json")}
    assert files == set(EXPECTED)
    assert {name.partition("/")[0] for name in files} == set(SourceName)


ALIKE = {"signoz/docs_firing"}
"""Samples that look like another source's: the path must say whose they are."""


@pytest.mark.parametrize("name", sorted(EXPECTED.keys() - ALIKE))
def test_a_sample_is_recognized_without_a_path(name: str) -> None:
    assert recognized(payload(name), None) == name.partition("/")[0]


BEGINNING_AND_END = [
    ("cloudwatch/built_sns_alarm", "cloudwatch/built_sns_ok"),
    ("datadog/built_triggered", "datadog/built_recovered"),
    ("json/built_firing", "json/built_resolved"),
    ("sentry/built_event_alert_triggered", "sentry/built_issue_resolved"),
    ("sentry/built_metric_alert_critical", "sentry/built_metric_alert_resolved"),
]


@pytest.mark.parametrize(("beginning", "end"), BEGINNING_AND_END)
def test_10_an_alert_and_its_end_have_one_fingerprint_and_one_incident(beginning: str, end: str) -> None:
    [fired], [ended] = read(beginning), read(end)
    assert fired.fingerprint == ended.fingerprint
    assert correlation_key(fired, RUNBOOK.intake) == correlation_key(ended, RUNBOOK.intake)
    incident = events.alert_fired(opened(), (fired,), RUNBOOK, at(1))
    assert fired.fingerprint in {alert.fingerprint for alert in incident.alerting.firing}
    incident = events.alert_resolved(incident, (ended,), RUNBOOK, at(2))
    assert fired.fingerprint not in {alert.fingerprint for alert in incident.alerting.firing}


def test_a_repetition_without_a_start_is_no_news() -> None:
    [fired], [repeated] = read("datadog/built_triggered"), read("datadog/built_renotify")
    incident = events.alert_fired(opened(), (fired,), RUNBOOK, at(1))
    before = len(incident.timeline)
    incident = events.alert_fired(incident, (repeated,), RUNBOOK, at(30))
    assert len(incident.timeline) == before
    assert next(a for a in incident.alerting.alerts if a.fingerprint == fired.fingerprint).times == 2


def test_only_what_says_something_of_an_alert_is_read_of_pagerduty() -> None:
    types = json.loads((FIXTURES.parent / "pagerduty_event_data_types.json").read_text(encoding="utf-8"))
    envelope = payload("pagerduty/docs_incident_priority_updated")["event"]
    assert len(types) > 5
    for name, data in types.items():
        event = envelope | {"event_type": f"{name.replace('_', '.', 1)}.changed", "data": data}
        assert parse_alerts({"event": event}, T0, "pagerduty") == ()


def test_a_page_of_ours_opens_no_incident() -> None:
    sent = payload("pagerduty/zulip_triggered_v3")
    assert parse_alerts(sent, T0, "pagerduty")
    sent["event"]["data"]["incident_key"] = "incident-flag-evaluation:production/page/0"
    assert parse_alerts(sent, T0, "pagerduty") == ()


def test_a_changed_priority_is_no_new_firing() -> None:
    sent = payload("pagerduty/zulip_triggered_v3")
    [fired] = parse_alerts(sent, T0, "pagerduty")
    sent["event"] |= {"event_type": "incident.priority_updated", "occurred_at": "2021-06-04T13:59:00Z"}
    [changed] = parse_alerts(sent, T0, "pagerduty")
    assert changed.fingerprint == fired.fingerprint
    incident = events.alert_fired(opened(), (fired,), RUNBOOK, at(1))
    assert len(events.alert_fired(incident, (changed,), RUNBOOK, at(2)).timeline) == len(incident.timeline)


def test_a_sender_with_a_template_may_send_our_own_json_to_the_path_of_its_name() -> None:
    [alert] = parse_alerts(payload("json/built_firing"), T0, "datadog")
    assert (alert.title, alert.source) == ("Evaluations fail", "datadog")


def test_another_name_is_kept_and_the_payload_says_what_it_is() -> None:
    first, _ = parse_alerts(payload("alertmanager/firing_group_of_2"), T0, "prod-alertmanager")
    assert first.source == "prod-alertmanager"


@pytest.mark.parametrize(
    ("source", "sent", "why"),
    [
        ("grafana", {"alerts": [], "version": "4"}, "empty"),
        ("grafana", {"alerts": [], "version": "1"}, "empty"),
        ("grafana", {"alerts": [], "orgId": 1, "version": "2"}, "version 1"),
        ("datadog", {}, "alert_transition"),
        ("sentry", {}, "action"),
        ("cloudevents", {}, "specversion"),
        ("cloudevents", {"specversion": "0.3", "id": "1", "source": "s", "type": "t"}, "version 1"),
        ("pagerduty", {}, "event"),
        ("pagerduty", {"event": {"event_type": "incident.triggered"}}, "occurred_at"),
        ("cloudwatch", {}, "AlarmName"),
        ("cloudwatch", {"TopicArn": "t", "Type": "SubscriptionConfirmation", "Message": "m"}, "subscription"),
        ("cloudwatch", {"TopicArn": "t", "Type": "Notification", "Message": "Hello"}, "not an alarm"),
        ("cloudwatch", {"TopicArn": "t", "Type": "Notification", "Message": "{}"}, "AlarmName"),
        ("json", {}, "title"),
        ("json", {"title": "x", "status": "odd"}, "status"),
    ],
)
def test_12_what_a_source_does_not_send_is_refused_with_the_reason(source: str, sent: Any, why: str) -> None:
    with pytest.raises(MalformedAlert, match=why):
        parse_alerts(sent, T0, source)


def test_the_schema_of_our_own_json_is_published() -> None:
    path = Path(__file__).resolve().parents[3] / "docs" / "alert-schema.json"
    schema = json.dumps(json_schema(), indent=2) + "\n"
    if os.environ.get("WRITE_DOCS") == "1":
        path.write_text(schema, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == schema, "run `make schema`"


def test_what_the_schema_allows_is_an_alert() -> None:
    for name in ("json/built_firing", "json/built_resolved"):
        assert set(payload(name)) <= set(json_schema()["properties"])
    assert json_schema()["required"] == ["title"]
