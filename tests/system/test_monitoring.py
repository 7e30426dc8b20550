"""A real Prometheus scrapes a worker and a gateway: what it finds, and which of our alerts fire."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import yaml

from incidents import metrics
from sandbox.temporal_server import free_ports, stop
from tests.house.test_monitoring import RULES, used
from tests.support.servers.prometheus import Prometheus, needs_prometheus, running_prometheus
from tests.system.conftest import Stage

pytestmark = [pytest.mark.timeout(240), needs_prometheus]
ALERT = {"title": "Evaluations fail", "service": "flag-evaluation", "severity": "P0"}
ONLY_WHEN_IT_HAPPENS = {
    metrics.OBLIGATIONS_FAILING.name,
    metrics.OBLIGATIONS_FAILED.name,
    metrics.TIME_TO_RESOLVE.name,
}
QUIET = {"IncidentRunbookAlive": "firing"}


def impatient_rules() -> dict[str, Any]:
    """The rules, with two seconds in place of the time that each waits."""
    rules: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for rule in rules["groups"][0]["rules"]:
        if "for" in rule:
            rule["for"] = "2s"
    return rules


class Monitored:
    """A worker, a gateway, and the Prometheus that scrapes them."""

    def __init__(self, stage: Stage, gateway_port: int, prometheus: Prometheus) -> None:
        self.stage, self.prometheus = stage, prometheus
        self._gateway = f"http://127.0.0.1:{gateway_port}"

    def post_alert(self) -> None:
        """Have the gateway open an incident."""
        headers = {"authorization": "Bearer token"}
        answer = httpx.post(f"{self._gateway}/alerts/json", json=ALERT, headers=headers, trust_env=False)
        assert answer.status_code == 202, answer.text

    def until_firing(self, *alerts: str) -> None:
        """Wait until these fire."""
        wanted = dict.fromkeys(alerts, "firing")
        self.prometheus.until(lambda: wanted.items() <= self.prometheus.alerts().items(), f"{alerts} fire", 90)

    def until_shown(self, names: set[str]) -> None:
        """Wait until Prometheus has series of these metrics."""
        self.prometheus.until(lambda: not self.missing(names), f"{self.missing(names)} are scraped", 90)

    def missing(self, names: set[str]) -> set[str]:
        """Those of these metrics that Prometheus has no series of. A histogram has three names."""
        shown = self.prometheus.names()
        return {name for name in names if not {name, f"{name}_bucket"} & shown}


@contextmanager
def monitored(stage: Stage) -> Iterator[Monitored]:
    """Start the three; `deploy/prometheus/prometheus.yml` names the jobs alike."""
    worker_port, gateway_port = free_ports(2)
    stage.environment |= {"METRICS_ADDRESS": f"127.0.0.1:{worker_port}", "GATEWAY_TOKEN": "token"}
    home = stage.home / "prometheus"
    home.mkdir()
    (home / "rules.yml").write_text(yaml.safe_dump(impatient_rules()), encoding="utf-8")
    targets = {"incident-worker": worker_port, "incident-gateway": gateway_port}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for job, port in targets.items()
        ],
    }
    stage.worker()
    with (stage.home / "gateway.log").open("w", encoding="utf-8") as log:
        words = [sys.executable, "-m", "incidents.gateway.main", "--port", str(gateway_port)]
        gateway = subprocess.Popen(words, env=stage.environment, stderr=log, text=True)
    try:
        with running_prometheus(home, config) as prometheus:
            prometheus.until(lambda: prometheus.value("sum(up)") == 2, "both are scraped")
            yield Monitored(stage, gateway_port, prometheus)
    finally:
        stop(gateway)


def test_a_sound_run_is_scraped_and_no_alert_fires(stage: Stage) -> None:
    with monitored(stage) as run:
        prometheus = run.prometheus
        run.post_alert()
        stage.until(1, lambda incident: incident.paging.first_paged_at is not None)
        stage.incident("ack", "1", "--by", "ann")
        run.until_shown(used() - ONLY_WHEN_IT_HAPPENS)
        open_p0 = 'max(incidents_open{severity="P0", status="investigating"})'
        prometheus.until(lambda: prometheus.value(open_p0) == 1, "the incident is counted")
        waiting = 'max(incidents_unacknowledged{severity="P0"})'
        prometheus.until(lambda: prometheus.value(waiting) == 0, "it is acknowledged")
        assert prometheus.value("sum(incidents_opened_total)") == 1
        assert prometheus.value("sum(incidents_time_to_page_seconds_count)") == 1
        assert prometheus.value("sum(incidents_time_to_acknowledge_seconds_count)") == 1
        assert prometheus.value('sum(incidents_webhooks_total{source="json", result="accepted"})') == 1
        results = prometheus.query("sum by (result) (incidents_vendor_calls_total)")
        assert [series["metric"]["result"] for series in results] == ["ok"]
        operations = prometheus.query("count by (vendor, operation) (incidents_vendor_calls_total)")
        assert len(operations) > 10
        assert all(re.fullmatch(r"[A-Za-z_.]+", series["metric"]["operation"]) for series in operations)
        prometheus.until(lambda: prometheus.alerts() == QUIET, "no other alert is active", 60)
        stage.incident("resolve", "1", "--by", "ann", "--force", "--reason", "fixed")
        run.until_shown({metrics.TIME_TO_RESOLVE.name})


def test_each_fault_fires_its_alert(stage: Stage) -> None:
    stage.environment["SLACK_BOT_TOKEN"] = "xoxb-wrong"
    stage.sandbox.fault("pagerduty", "status", status=503, times=None)
    with monitored(stage) as run:
        run.post_alert()
        run.until_firing("IncidentVendorUnauthorized", "IncidentUnacknowledged", "IncidentObligationsGivenUp")
        run.until_firing("IncidentObligationsFailing")
        assert run.missing(ONLY_WHEN_IT_HAPPENS) == {metrics.TIME_TO_RESOLVE.name}
        vendors = run.prometheus.query('ALERTS{alertname="IncidentVendorUnauthorized", alertstate="firing"}')
        assert [series["metric"]["vendor"] for series in vendors] == ["slack"]
        assert not {"IncidentWorkerDown", "IncidentNobodyCanBePaged", "IncidentStuck"} & run.prometheus.alerts().keys()
        stage.incident("ack", "1", "--by", "ann")
        gone = lambda: "IncidentUnacknowledged" not in run.prometheus.alerts()  # noqa: E731
        run.prometheus.until(gone, "it is acknowledged")
        stop(stage.workers[0])
        run.until_firing("IncidentWorkerDown")


def test_91_a_worker_without_a_pager_fires_an_alert(stage: Stage) -> None:
    for name in ("PAGERDUTY_ROUTING_KEY", "PAGERDUTY_ROUTING_KEYS", "NTFY_URL", "NTFY_TOPICS"):
        stage.environment.pop(name, None)
    with monitored(stage) as run:
        run.until_firing("IncidentNobodyCanBePaged")
