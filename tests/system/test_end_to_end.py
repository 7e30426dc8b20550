"""One incident with real processes for server, sandbox and worker, through the real programs."""

import subprocess
import time
from typing import Any

import pytest

from sandbox.demo.stage import alertmanager_payload
from sandbox.temporal_server import stop
from tests.system.conftest import Stage

pytestmark = pytest.mark.timeout(300)

ALERT: dict[str, Any] = {"title": "Evaluations fail", "service": "flag-evaluation", "severity": "critical"}


def test_an_alert_lives_to_its_postmortem(stage: Stage, worker: subprocess.Popen[str]) -> None:
    stage.recorded()
    stage.sandbox.deploy("eu", "v2.15.0-bad")
    started = stage.start(ALERT)
    number = started["number"]
    assert (number, started["created"], started["workflow_id"]) == (1, True, "incident-flag-evaluation:production")
    stage.until(number, lambda i: bool(i.rollback.clusters) and "update/1/slack" in i.ledger.fulfilled)
    stage.incident("ack", "1", "--by", "ann")
    stage.incident("approve", "1", "--by", "ann")
    stage.until(number, lambda i: i.status == "monitoring")
    assert stage.sandbox.state()["product"]["eu"]["version"] == "v2.14.0"
    stage.start(ALERT | {"status": "resolved"})
    stage.incident("resolve", "1", "--by", "ann")
    stage.until(number, lambda i: "evidence/1" in i.ledger.fulfilled and "page-resolve/0" in i.ledger.fulfilled)

    sent = [(row["vendor"], row["operation"]) for row in stage.sandbox.ledger()]
    for effect in (
        ("pagerduty", "event.trigger"),
        ("slack", "conversations.create"),
        ("zoom", "meeting.create"),
        ("statuspage", "incident.create"),
        ("sendgrid", "mail.send"),
    ):
        assert effect in sent
    assert sent.count(("slack", "conversations.create")) == 1
    assert sent.count(("statuspage", "incident.create")) == 1
    assert stage.incident("evidence", "verify", "1")["sound"] is True
    kept = {part["name"]: part for part in stage.incident("evidence", "list", "1")}
    assert kept["before-rollback-eu-001-1/logs.jsonl"]["bytes"] > 0, "the bad state, before it went away"
    assert kept["resolution-1/chat.jsonl"]["bytes"] > 0
    timeline = (stage.home / "evidence" / "INC-1" / "resolution-1" / "timeline.txt").read_text("utf-8")
    assert "ann [acknowledged] Acknowledged by ann" in timeline
    assert kept["resolution-1/record.json"]["gap"] == ""
    (stage.home / "evidence" / "INC-1" / "resolution-1" / "logs.jsonl").write_text("nothing happened", "utf-8")
    said = stage.run("-m", "incidents.cli.main", "evidence", "verify", "1", fails=True)
    assert "resolution-1/logs.jsonl was changed" in said.stderr
    deadline = time.monotonic() + 20
    while not (stage.home / "evidence" / "INC-1" / "postmortem-1.md").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    draft = (stage.home / "evidence" / "INC-1" / "postmortem-1.md").read_text(encoding="utf-8")
    assert "Acknowledged by ann" in draft
    assert stage.incident("postmortem", "show", "1")["stage"] == "owed"
    assert stop(worker) == 0, "SIGTERM drains and exits 0"


def test_a_killed_worker_loses_nothing_and_repeats_nothing(stage: Stage) -> None:
    """SIGKILL in mid-rollback; commands are given meanwhile; another worker goes on."""
    first = stage.worker()
    stage.recorded()
    stage.sandbox.deploy("eu", "v2.15.0-bad")
    assert stage.start(ALERT)["number"] == 1
    stage.until(1, lambda i: bool(i.rollback.clusters) and "update/1/slack" in i.ledger.fulfilled)
    stage.incident("approve", "1", "--by", "ann")
    stage.until(1, lambda i: any("is being deployed" in entry.text for entry in i.timeline))
    first.kill()
    first.wait()
    queued = stage.incident("ack", "1", "--by", "bob", "--timeout", "1")
    assert queued["queued"] is True

    second = stage.worker()
    incident = stage.until(1, lambda i: i.status == "monitoring" and bool(i.acknowledged_by), seconds=60)
    assert incident.acknowledged_by == "bob"
    rows = [row for row in stage.sandbox.ledger("ops_portal") if row["operation"].startswith("deployment.")]
    assert len(rows) == 1, "one redeployment"
    triggers = [row for row in stage.sandbox.ledger("pagerduty") if row["operation"] == "event.trigger"]
    keys = [row["payload"]["dedup_key"] for row in triggers]
    assert len(keys) == len(set(keys)), "nobody was paged twice"
    assert stop(second) == 0


def test_an_alert_is_durable_while_no_worker_runs(stage: Stage) -> None:
    started = stage.start(alertmanager_payload_now())
    assert started["created"] is True
    assert started["number"] is None
    again = stage.start(alertmanager_payload_now())
    assert again["created"] is False
    assert again["run_id"] == started["run_id"]
    worker = stage.worker()
    deadline = time.monotonic() + 20
    while not any(row["number"] == 1 for row in stage.incident("list")):
        assert time.monotonic() < deadline
    incident = stage.until(1, lambda i: "update/1/status_page" in i.ledger.fulfilled)
    assert [alert.times for alert in incident.alerting.alerts] == [2]
    assert stop(worker) == 0


def alertmanager_payload_now() -> dict[str, Any]:
    from datetime import UTC, datetime

    return alertmanager_payload(datetime(2026, 11, 23, tzinfo=UTC), ended=False)
