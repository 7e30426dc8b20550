from __future__ import annotations

from typing import Any

import httpx
import pytest

from sandbox.server import RunningSandbox

PAYLOAD = {"summary": "P0: flag evaluation down", "source": "eu", "severity": "critical"}


@pytest.fixture
def pager(sandbox: RunningSandbox, http: httpx.Client) -> Pager:
    return Pager(sandbox, http)


class Pager:
    """A caller of both of PagerDuty's APIs."""

    def __init__(self, sandbox: RunningSandbox, http: httpx.Client) -> None:
        self.env, self.http = sandbox.environment(), http
        self.headers = {"Authorization": f"Token token={self.env['PAGERDUTY_API_KEY']}"}
        self.acting = self.headers | {"From": self.env["PAGERDUTY_FROM"]}

    def event(self, action: str, key: str | None = "inc-1", **changes: Any) -> httpx.Response:
        body = {"routing_key": self.env["PAGERDUTY_ROUTING_KEY"], "event_action": action, "payload": PAYLOAD} | changes
        return self.http.post("/pagerduty-events/v2/enqueue", json=body | ({"dedup_key": key} if key else {}))

    def incidents(self, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.http.get("/pagerduty/incidents", headers=self.headers, params=query).json()[
            "incidents"
        ]
        return rows

    def put(self, incident: str, status: str) -> httpx.Response:
        body = {"incidents": [{"id": incident, "type": "incident_reference", "status": status}]}
        return self.http.put("/pagerduty/incidents", headers=self.acting, json=body)


def test_one_key_pages_once_while_the_alert_is_open(sandbox: RunningSandbox, pager: Pager) -> None:
    first = pager.event("trigger")
    assert (first.status_code, first.json()["dedup_key"], first.json()["status"]) == (202, "inc-1", "success")
    pager.event("trigger")
    assert len(pager.incidents()) == 1
    assert [row["operation"] for row in sandbox.ledger("pagerduty")] == ["event.trigger"]
    assert pager.incidents()[0]["triggers"] == 2


def test_after_resolve_a_trigger_opens_a_new_alert(pager: Pager) -> None:
    pager.event("trigger")
    pager.event("acknowledge")
    assert [row["status"] for row in pager.incidents()] == ["acknowledged"]
    pager.event("resolve")
    pager.event("trigger")
    assert [row["status"] for row in pager.incidents(incident_key="inc-1")] == ["resolved", "triggered"]
    assert [row["status"] for row in pager.incidents(**{"statuses[]": "triggered"})] == ["triggered"]


def test_an_ack_without_an_open_alert_is_dropped_silently(sandbox: RunningSandbox, pager: Pager) -> None:
    assert pager.event("acknowledge").status_code == 202
    assert pager.event("resolve").status_code == 202
    assert (pager.incidents(), sandbox.ledger("pagerduty")) == ([], [])


def test_without_a_key_every_trigger_is_a_new_alert(pager: Pager) -> None:
    keys = {pager.event("trigger", key=None).json()["dedup_key"] for _ in range(2)}
    assert len(keys) == len(pager.incidents()) == 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"routing_key": "wrong"}, "routing_key"),
        ({"event_action": "explode"}, "event_action"),
        ({"event_action": "resolve", "dedup_key": ""}, "dedup_key"),
        ({"dedup_key": "k" * 256}, "dedup_key"),
        ({"payload": None}, "payload"),
        ({"payload": {**PAYLOAD, "severity": "P0"}}, "payload.severity"),
        ({"payload": {**PAYLOAD, "summary": "s" * 1025}}, "payload.summary"),
        ({"payload": {**PAYLOAD, "source": ""}}, "payload.source"),
    ],
)
def test_a_wrong_event_is_refused(pager: Pager, changes: dict[str, Any], error: str) -> None:
    reply = pager.event("trigger", key=None, **changes)
    assert reply.status_code == 400
    assert reply.json()["status"] == "invalid event"
    assert f"'{error}'" in reply.json()["errors"][0]


def test_a_late_ack_reopens_and_a_second_resolve_is_error_1001(pager: Pager) -> None:
    pager.event("trigger")
    incident = pager.incidents()[0]["id"]
    assert pager.put(incident, "resolved").status_code == 200
    again = pager.put(incident, "resolved")
    assert (again.status_code, again.json()["error"]["code"]) == (400, 1001)
    assert pager.put(incident, "acknowledged").json()["incidents"][0]["status"] == "acknowledged"
    assert [step["by"] for step in pager.incidents()[0]["log"]][1:] == [pager.env["PAGERDUTY_FROM"]] * 2


def test_notes_are_added_and_never_deduplicated(pager: Pager) -> None:
    pager.event("trigger")
    path = f"/pagerduty/incidents/{pager.incidents()[0]['id']}/notes"
    for _ in range(2):
        assert pager.http.post(path, headers=pager.acting, json={"note": {"content": "on it"}}).status_code == 200
    notes = pager.http.get(path, headers=pager.headers).json()["notes"]
    assert [note["content"] for note in notes] == ["on it", "on it"]
    assert pager.http.post(path, headers=pager.acting, json={"note": {}}).status_code == 400


def test_the_rest_api_wants_key_and_from(pager: Pager) -> None:
    pager.event("trigger")
    incident = pager.incidents()[0]["id"]
    wrong = {"Authorization": "Token token=wrong"}
    assert pager.http.get("/pagerduty/incidents", headers=wrong).status_code == 401
    pager.acting = pager.headers
    refused = pager.put(incident, "acknowledged")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 1008)
    unknown = pager.http.get("/pagerduty/incidents/nosuch", headers=pager.headers)
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, 2100)


def test_the_on_call_are_told_by_level(pager: Pager) -> None:
    rows = pager.http.get("/pagerduty/oncalls", headers=pager.headers).json()["oncalls"]
    assert [(row["escalation_level"], row["user"]["email"]) for row in rows] == [
        (1, "oncall@featuresignals.com"),
        (2, "ops-lead@featuresignals.com"),
        (3, "em@featuresignals.com"),
    ]
