"""Silences against the real Alertmanager (Debian's): skipped where it is not installed; `.ci/run` installs it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from incidents.vendors.monitoring.alertmanager import AlertmanagerClient
from sandbox.temporal_server import free_port

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Alertmanager is not installed")

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
EU = {"alertname": 'Evaluation "Errors"', "service": "flag-evaluation", "region": "eu"}
US = EU | {"region": "us"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("alertmanager")
    (home / "config.yml").write_text(CONFIG, encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    assert PROGRAM is not None
    words = [PROGRAM, f"--config.file={home}/config.yml", f"--storage.path={home}/data"]
    words += [f"--web.listen-address={address}", "--cluster.listen-address="]
    with (home / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"http://{address}/-/ready", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, (home / "log").read_text(encoding="utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)


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
