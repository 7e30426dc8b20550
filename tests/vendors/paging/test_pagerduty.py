"""PagerDuty: events and schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from incidents.vendors.errors import (
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.paging.pagerduty import (
    PagerDutyClient,
    PagerDutyEvents,
    bounded_key,
)

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
ACCEPTED = {"status": "success", "message": "Event processed", "dedup_key": "inc-1/page"}


@pytest.fixture
def events(script: Any) -> PagerDutyEvents:
    return PagerDutyEvents(ROUTING_KEY, transport=script.transport)


@pytest.fixture
def pagerduty(script: Any) -> PagerDutyClient:
    return PagerDutyClient("pd-secret", transport=script.transport)


def test_trigger(events: PagerDutyEvents, script: Any) -> None:
    script.answer(202, ACCEPTED)
    links = {"Status": "https://status.example"}
    key = events.send_event(
        "trigger",
        "inc-1/page",
        summary="s" * 2000,
        source="eval",
        severity="error",
        custom_details={"region": "eu"},
        links=links,
    )
    assert key == "inc-1/page"
    assert (script.last.method, script.last.path) == ("POST", "/v2/enqueue")
    assert "authorization" not in script.last.headers
    assert script.last.json == {
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": "inc-1/page",
        "client": "incident-runbook",
        "links": [{"href": "https://status.example", "text": "Status"}],
        "payload": {
            "summary": "s" * 1023 + "…",
            "source": "eval",
            "severity": "error",
            "custom_details": {"region": "eu"},
        },
    }


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_acknowledge_and_resolve(events: PagerDutyEvents, script: Any, action: Any) -> None:
    script.answer(202, ACCEPTED)
    events.send_event(action, "inc-1/page")
    assert script.last.json == {"routing_key": ROUTING_KEY, "event_action": action, "dedup_key": "inc-1/page"}


@pytest.mark.parametrize("tail", ["", "/", "/v2", "/v2/", "/v2/enqueue"])
def test_base_urls(script: Any, tail: str) -> None:
    script.answer(202, ACCEPTED)
    PagerDutyEvents(ROUTING_KEY, "http://x.example/pd" + tail, transport=script.transport).send_event("resolve", "k")
    assert script.last.path == "/pd/v2/enqueue"


def test_long_keys_stay_apart() -> None:
    one, two = (bounded_key("k" * 300 + tail) for tail in "ab")
    assert len(one) == len(two) == 255
    assert one != two
    assert bounded_key("k" * 255) == "k" * 255


def test_a_refused_event_tells_why_and_not_the_key(events: PagerDutyEvents, script: Any) -> None:
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": [f"bad {ROUTING_KEY}"]}
    script.answer(400, body)
    with pytest.raises(VendorRejected, match=r"Event object is invalid; bad \*\*\*"):
        events.send_event("trigger", "k", summary="s")


def test_trouble(events: PagerDutyEvents, script: Any) -> None:
    script.answer(500, "").fail(httpx.ConnectError("refused")).answer(429, None)
    with pytest.raises(VendorUnavailable) as caught:
        events.send_event("trigger", "k", summary="s")
    assert caught.value.maybe_done
    with pytest.raises(VendorUnavailable) as caught:
        events.send_event("trigger", "k", summary="s")
    assert not caught.value.maybe_done
    with pytest.raises(VendorRateLimited):
        events.send_event("trigger", "k", summary="s")


def on_call(user: str, level: int, schedule: str | None = "S1") -> dict[str, Any]:
    return {
        "user": {"id": user, "summary": user.title(), "email": f"{user}@x.example"},
        "schedule": {"id": schedule} if schedule else None,
        "escalation_level": level,
        "start": "2026-05-01T12:00:00Z" if schedule else None,
        "end": None,
    }


def test_on_calls(pagerduty: PagerDutyClient, script: Any) -> None:
    script.answer(200, {"oncalls": [on_call("second", 2), on_call("first", 1)], "more": True})
    script.answer(200, {"oncalls": [on_call("second", 3)], "more": False})
    found = pagerduty.on_calls(["S1", "S2"])
    assert [(entry.user_id, entry.level, entry.email) for entry in found] == [
        ("first", 1, "first@x.example"),
        ("second", 2, "second@x.example"),
    ]
    assert found[0].start == datetime(2026, 5, 1, 12, tzinfo=UTC)
    first, second = script.asked
    assert first.headers["authorization"] == "Token token=pd-secret"
    assert first.headers["accept"] == "application/vnd.pagerduty+json;version=2"
    assert first.query["schedule_ids[]"] == ["S1", "S2"]
    assert first.query["include[]"] == ["users"]
    assert second.query["offset"] == ["100"]


def test_on_calls_of_no_schedule_asks_nobody(pagerduty: PagerDutyClient, script: Any) -> None:
    assert pagerduty.on_calls([]) == ()
    assert script.asked == []


def test_rest_errors(pagerduty: PagerDutyClient, script: Any) -> None:
    script.answer(401, {"error": {"code": 2006, "message": "bad pd-secret"}})
    script.answer(429, {"error": {"code": 2020, "message": "Rate Limit Exceeded"}}, {"ratelimit-reset": "17"})
    with pytest.raises(VendorUnauthorized) as unauthorized:
        pagerduty.on_calls(["S1"])
    assert "pd-secret" not in str(unauthorized.value)
    with pytest.raises(VendorRateLimited) as limited:
        pagerduty.on_calls(["S1"])
    assert (limited.value.code, limited.value.retry_after) == ("2020", timedelta(seconds=17))
