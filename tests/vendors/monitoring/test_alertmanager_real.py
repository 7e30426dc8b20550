"""Silences against the real Alertmanager (Debian's): skipped where it is not installed; `.ci/run` installs it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from incidents.vendors.monitoring.alertmanager import AlertmanagerClient
from tests.support.servers.alertmanager import needs_alertmanager, running_alertmanager

pytestmark = needs_alertmanager

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
EU = {"alertname": 'Evaluation "Errors"', "service": "flag-evaluation", "region": "eu"}
US = EU | {"region": "us"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_alertmanager(tmp_path_factory.mktemp("alertmanager"), CONFIG) as url:
        yield url


def states(url: str) -> dict[str, str]:
    rows = httpx.get(f"{url}/api/v2/alerts", trust_env=False).json()
    return {row["labels"]["region"]: row["status"]["state"] for row in rows}


def eventually(url: str, wanted: dict[str, str]) -> None:
    deadline = time.monotonic() + 20
    while states(url) != wanted:
        assert time.monotonic() < deadline, states(url)
        time.sleep(0.1)


def test_exactly_one_alert_is_silenced_still_seen_and_heard_again(url: str) -> None:
    httpx.post(f"{url}/api/v2/alerts", json=[{"labels": EU}, {"labels": US}], trust_env=False).raise_for_status()
    eventually(url, {"eu": "active", "us": "active"})
    client, now = AlertmanagerClient(url), datetime.now(UTC)
    silence = client.create_silence(EU, now, now + timedelta(hours=2), "ann", "INC-7 [run-7/silence/0/f1]")
    eventually(url, {"eu": "suppressed", "us": "active"})
    found = client.find_silence("[run-7/silence/0/f1]")
    assert found is not None
    assert found.id == silence
    assert EU in client.firing(EU["alertname"]), "silenced, and seen to fire all the same"
    assert client.firing("another") == []
    client.expire_silence(silence)
    eventually(url, {"eu": "active", "us": "active"})
    client.expire_silence(silence)  # ended already is as good
    assert client.find_silence("[run-7/silence/0/f1]") is None
