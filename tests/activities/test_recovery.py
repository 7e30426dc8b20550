"""Deployments, health, investigation and evidence against the sandbox's product."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.hands import Hands
from runbook.effects import FindRollback, PreserveRecord, QueryLogs, QueryMetrics, Redeploy, VerifyRegion
from runbook.policy import Region, Rollback
from runbook.verification import Probe, Verdict
from sandbox.server import RunningSandbox
from tests.activities.conftest import perform
from tests.runbook.incidents import RUNBOOK

RULES = Rollback(
    probe_interval=timedelta(milliseconds=5),
    give_up_after=timedelta(milliseconds=300),
    healthy_probes=3,
    latency_baseline_ms=100,
)


def region(sandbox: RunningSandbox, name: str = "eu") -> Region:
    return Region(name=name, url=f"{sandbox.url}/product/{name}", cluster=f"{name}-001")


def look(hands: Hands, clusters: tuple[str, ...] = ("eu-001", "us-001")) -> Any:
    asked = FindRollback(key="k", clusters=clusters, alerted_at=datetime.now(UTC), rules=RUNBOOK.rollback)
    return perform(hands.deployments.find_rollback, asked)


def test_the_suspect_and_the_last_known_good_are_found(hands: Hands, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    eu, us = look(hands).offers
    assert eu.possible
    assert (eu.suspect.version, eu.candidate.version) == ("v9-bad", "v2.14.0")
    assert not us.possible
    assert "not within 2h" in us.reason


def test_a_cluster_that_the_portal_does_not_know(hands: Hands) -> None:
    [offer] = look(hands, ("mars-001",)).offers
    assert offer.reason == "the portal knows no cluster mars-001"


def test_a_redeployment_is_made_once_and_never_by_the_portals_rollback(hands: Hands, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    suspect = look(hands).offers[0].suspect
    wanted = Redeploy(
        key="k",
        cluster="eu-001",
        version="v2.14.0",
        services=("server",),
        suspect_id=suspect.id,
        suspect_started_at=suspect.started_at,
    )
    sandbox.fault("ops_portal", "lost_reply", "POST /ops/api/v1/deployments")
    with pytest.raises(ApplicationError):
        perform(hands.deployments.redeploy, wanted)
    perform(hands.deployments.redeploy, wanted, attempt=2)
    made = [row["operation"] for row in sandbox.ledger("ops_portal") if row["payload"].get("version") == "v2.14.0"]
    assert made == ["deployment.create"]
    assert sandbox.state()["product"]["eu"]["version"] == "v2.14.0"


def test_a_good_version_is_healthy(hands: Hands, sandbox: RunningSandbox) -> None:
    verdict = perform(hands.health.verify_region, VerifyRegion(key="k", region=region(sandbox), rules=RULES))
    assert verdict.verdict is Verdict.HEALTHY
    assert verdict.probes == 3


def test_a_bad_version_is_unhealthy(hands: Hands, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    verdict = perform(
        hands.health.verify_region,
        VerifyRegion(key="k", region=region(sandbox), rules=RULES.but(give_up_after=timedelta(seconds=1.5))),
    )
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "http_500" in verdict.detail


def test_55_refused_probe_credentials_are_neither_pass_nor_fail(
    hands: Hands, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unittest.mock import Mock

    from settings import load_settings
    from wiring import make_hands

    monkeypatch.setenv("PROBE_API_KEY", "fs_srv_wrong")
    blind = make_hands(load_settings(), Mock())
    verdict = perform(blind.health.verify_region, VerifyRegion(key="k", region=region(sandbox), rules=RULES))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert "credentials_refused" in verdict.detail


def test_after_a_workers_death_the_window_goes_on(hands: Hands, sandbox: RunningSandbox) -> None:
    now = datetime.now(UTC)
    seen = [Probe(at=now, healthy=True, elapsed_ms=4.0).model_dump(mode="json") for _ in range(2)]
    wanted = VerifyRegion(key="k", region=region(sandbox), rules=RULES)
    verdict = perform(hands.health.verify_region, wanted, attempt=2, heartbeat_details=seen)
    assert verdict.probes == 3, "two were seen before, one was made now"


def test_every_look_is_heartbeated(hands: Hands, sandbox: RunningSandbox) -> None:
    beats: list[int] = []
    env = ActivityEnvironment()
    env.on_heartbeat = lambda *details: beats.append(len(details))
    env.run(hands.health.verify_region, VerifyRegion(key="k", region=region(sandbox), rules=RULES))
    assert beats == [1, 2, 3]


def test_a_region_that_is_not_there_is_unhealthy(hands: Hands) -> None:
    nowhere = Region(name="eu", url="http://127.0.0.1:1", cluster="eu-001")
    verdict = perform(hands.health.verify_region, VerifyRegion(key="k", region=nowhere, rules=RULES))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "connect" in verdict.detail


def test_the_metrics_brief_names_what_fails_and_goes_on(hands: Hands, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    now = datetime.now(UTC)
    asked = QueryMetrics(
        key="k",
        service="flag-evaluation",
        regions=(region(sandbox), region(sandbox, "us")),
        since=now - timedelta(minutes=30),
        until=now,
        queries=RUNBOOK.investigation.metrics,
    )
    detail = perform(hands.investigation.query_metrics, asked).detail
    assert "eu: health http_500" in detail
    assert "us: healthy" in detail
    assert "error ratio: eu 0.8, us 0" in detail
    sandbox.fault("prometheus", "status", status=503, times=None)
    partial = perform(hands.investigation.query_metrics, asked).detail
    assert "us: healthy" in partial
    assert "error ratio: not known" in partial


def test_the_log_brief(hands: Hands, idle: Hands, sandbox: RunningSandbox) -> None:
    now = datetime.now(UTC)
    asked = QueryLogs(
        key="k", service="x", regions=(), since=now - timedelta(minutes=5), until=now, log_service="featuresignals-api"
    )
    assert perform(hands.investigation.query_logs, asked).detail == "no error logged"
    sandbox.deploy("eu", "v9-bad")
    later = asked.but(until=datetime.now(UTC) + timedelta(seconds=30))
    assert "x " in perform(hands.investigation.query_logs, later).detail


def test_the_record_is_written_with_a_manifest_that_proves_it(hands: Hands, tmp_path: Path) -> None:
    record = PreserveRecord(key="run-7/evidence/1", folder="INC-7", files={"a.json": "{}", "b.txt": "bé"})
    for attempt in (1, 2):
        outcome = perform(hands.evidence.preserve_record, record, attempt)
    assert outcome.resources.evidence_url == f"{tmp_path.as_uri()}/INC-7"
    [manifest] = (tmp_path / "INC-7").glob("manifest-*.json")
    files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    assert [file["name"] for file in files] == ["a.json", "b.txt"]
    for file in files:
        data = (tmp_path / "INC-7" / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert file["bytes"] == len(data)
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert digest[:12] in outcome.detail
