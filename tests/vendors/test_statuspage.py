"""Statuspage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from incidents.vendors.errors import (
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.statuspage import StatuspageClient, StatusUpdate


@pytest.fixture
def statuspage(script: Any) -> StatuspageClient:
    return StatuspageClient("sp-secret", "page1", transport=script.transport)


def row(incident_id: str = "i1", key: str = "inc-1", update_key: str = "inc-1/2") -> dict[str, Any]:
    update = {"id": "u2", "status": "monitoring", "body": "better", "created_at": "2026-05-01T12:00:00.123Z"}
    return {
        "id": incident_id,
        "name": "Evaluation is down",
        "status": "monitoring",
        "impact": "major",
        "shortlink": "https://stspg.io/x",
        "metadata": {"incident_runbook": {"key": key, "update_key": update_key}},
        "incident_updates": [update],
    }


def test_create(statuspage: StatuspageClient, script: Any) -> None:
    script.answer(201, row())
    made = statuspage.create_incident(
        "N" * 300,
        "investigating",
        "b" * 30_000,
        key="inc-1",
        impact="major",
        components={"c1": "major_outage"},
        deliver_notifications=False,
    )
    assert (made.id, made.url, made.key, made.update_key) == ("i1", "https://stspg.io/x", "inc-1", "inc-1/2")
    moment = datetime(2026, 5, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    assert made.updates == (StatusUpdate("u2", "monitoring", "better", moment),)
    assert (script.last.method, script.last.path) == ("POST", "/v1/pages/page1/incidents")
    assert script.last.headers["authorization"] == "OAuth sp-secret"
    assert script.last.json["incident"] == {
        "name": "N" * 254 + "…",
        "status": "investigating",
        "body": "b" * 24_999 + "…",
        "impact_override": "major",
        "components": {"c1": "major_outage"},
        "component_ids": ["c1"],
        "deliver_notifications": False,
        "metadata": {"incident_runbook": {"key": "inc-1", "update_key": "inc-1"}},
    }


def test_update_leaves_its_key_in_the_same_request(statuspage: StatuspageClient, script: Any) -> None:
    script.answer(200, row())
    statuspage.update_incident("i1", "monitoring", "better", key="inc-1", update_key="inc-1/2")
    assert (script.last.method, script.last.path) == ("PATCH", "/v1/pages/page1/incidents/i1")
    assert script.last.json["incident"] == {
        "status": "monitoring",
        "body": "better",
        "deliver_notifications": True,
        "metadata": {"incident_runbook": {"key": "inc-1", "update_key": "inc-1/2"}},
    }


def test_get(statuspage: StatuspageClient, script: Any) -> None:
    bare = {"id": "i1", "name": "n", "status": "resolved", "metadata": None, "incident_updates": None}
    script.answer(200, bare)
    found = statuspage.get_incident("i1")
    assert (found.key, found.updates, found.url) == ("", (), "")


def test_find_among_the_unresolved(statuspage: StatuspageClient, script: Any) -> None:
    script.answer(200, [row("i0", "other"), row("i1")])
    found = statuspage.find_incident("inc-1")
    assert found is not None
    assert found.id == "i1"
    assert [asked.path for asked in script.asked] == ["/v1/pages/page1/incidents/unresolved"]


def test_find_pages_on_to_the_resolved(statuspage: StatuspageClient, script: Any) -> None:
    script.answer(200, [row("i0", "other")]).answer(200, [row("i0", "other")] * 100).answer(200, [row("i1")])
    found = statuspage.find_incident("inc-1")
    assert found is not None
    assert found.id == "i1"
    paths = [(asked.path.rpartition("/")[2], asked.query["page"]) for asked in script.asked]
    assert paths == [("unresolved", ["1"]), ("incidents", ["1"]), ("incidents", ["2"])]


def test_find_none(statuspage: StatuspageClient, script: Any) -> None:
    script.answer(200, [])
    assert statuspage.find_incident("inc-1") is None
    assert len(script.asked) == 2


@pytest.mark.parametrize("status", [420, 429])
def test_too_many_requests(statuspage: StatuspageClient, script: Any, status: int) -> None:
    script.answer(status, {"error": "Too many requests"})
    with pytest.raises(VendorRateLimited):
        statuspage.get_incident("i1")


def test_refusals(statuspage: StatuspageClient, script: Any) -> None:
    script.answer(401, {"error": "Could not authenticate sp-secret"}).answer(422, {"error": ["Name can't be blank"]})
    with pytest.raises(VendorUnauthorized) as unauthorized:
        statuspage.get_incident("i1")
    assert "sp-secret" not in str(unauthorized.value)
    with pytest.raises(VendorRejected, match="Name can't be blank"):
        statuspage.create_incident("", "investigating", "b", key="k")


def test_a_lost_reply_may_be_done(statuspage: StatuspageClient, script: Any) -> None:
    script.fail(httpx.ReadTimeout("slow"))
    with pytest.raises(VendorUnavailable) as caught:
        statuspage.update_incident("i1", "monitoring", "b", key="k", update_key="k/2")
    assert caught.value.maybe_done


@pytest.mark.parametrize("base_url", ["http://x.example", "http://x.example/", "http://x.example/v1/"])
def test_base_urls(script: Any, base_url: str) -> None:
    script.answer(200, row())
    StatuspageClient("k", "p", base_url, transport=script.transport).get_incident("i/1")
    assert script.last.path == "/v1/pages/p/incidents/i/1"
