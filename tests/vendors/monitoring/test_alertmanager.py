"""Alertmanager."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.vendors.errors import VendorUnavailable
from incidents.vendors.monitoring.alertmanager import AlertmanagerClient

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
END = START + timedelta(hours=1)
EPOCH = 1777636800


@pytest.fixture
def alertmanager(script: Any) -> AlertmanagerClient:
    return AlertmanagerClient("http://am.example", transport=script.transport)


def silence(state: str = "active", comment: str = "incident 1 [inc-1]") -> dict[str, Any]:
    span = {"startsAt": "2026-05-01T12:00:00.000Z", "endsAt": "2026-05-01T13:00:00.000Z"}
    return {"id": "s1", "status": {"state": state}, "comment": comment, "createdBy": "bot", "matchers": [], **span}


def test_create_silence(alertmanager: AlertmanagerClient, script: Any) -> None:
    script.answer(200, {"silenceID": "s1"})
    labels = {"service": "eval", "region": "eu|us"}
    assert alertmanager.create_silence(labels, START, END, "bot", "incident 1 [inc-1]") == "s1"
    assert (script.last.method, script.last.path) == ("POST", "/api/v2/silences")
    assert script.last.json == {
        "matchers": [
            {"name": "service", "value": "eval", "isRegex": False, "isEqual": True},
            {"name": "region", "value": "eu|us", "isRegex": False, "isEqual": True},
        ],
        "startsAt": "2026-05-01T12:00:00+00:00",
        "endsAt": "2026-05-01T13:00:00+00:00",
        "createdBy": "bot",
        "comment": "incident 1 [inc-1]",
    }


def test_find_silence(alertmanager: AlertmanagerClient, script: Any) -> None:
    script.answer(200, [silence("expired"), silence("active", "other"), silence()])
    found = alertmanager.find_silence("[inc-1]")
    assert found is not None
    assert (found.state, found.comment, found.ends_at) == ("active", "incident 1 [inc-1]", END)
    assert script.last.query == {"active": ["true"], "pending": ["true"], "expired": ["false"]}
    assert alertmanager.find_silence("[inc-2]") is None


def test_expire_silence(alertmanager: AlertmanagerClient, script: Any) -> None:
    script.answer(200).answer(404).answer(500, '"silence already expired"').answer(200, silence("expired"))
    for _ in range(3):
        alertmanager.expire_silence("s1")
    first = script.asked[0]
    assert (first.method, first.path) == ("DELETE", "/api/v2/silence/s1")
    assert (script.last.method, script.last.path) == ("GET", "/api/v2/silence/s1")


def test_expire_silence_fails(alertmanager: AlertmanagerClient, script: Any) -> None:
    script.answer(500, "").answer(200, silence("active")).answer(503, "")
    for _ in range(2):
        with pytest.raises(VendorUnavailable):
            alertmanager.expire_silence("s1")
