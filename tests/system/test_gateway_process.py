"""The gateway as a process: it says what is on, takes an alert, shows pages, and ends when it is told to."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from sandbox.server import running_sandbox
from sandbox.temporal_server import free_port, free_ports, running_temporal, stop, wait_for_port
from tests.system.conftest import Stage, stage_environment

pytestmark = pytest.mark.timeout(120)
ALERT = {"title": "Slow", "service": "dashboard", "severity": "warning"}


def test_the_gateway_runs_and_ends(stage: Stage) -> None:
    stage.worker()
    port, log = free_port(), stage.home / "gateway.log"
    environment = stage.environment | {"GATEWAY_TOKEN": "t"}
    with log.open("w", encoding="utf-8") as out:
        words = [sys.executable, "-m", "incidents.gateway.main", "--port", str(port)]
        process = subprocess.Popen(words, env=environment, stdout=out, stderr=out, text=True)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 40
        while True:
            try:
                assert httpx.get(f"{url}/healthz", trust_env=False).text == "ok\n"
                break
            except httpx.ConnectError:
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.1)
        answer = httpx.post(
            f"{url}/alerts", json=ALERT, headers={"Authorization": "Bearer t"}, trust_env=False, timeout=20
        )
        assert answer.status_code == 202
        assert answer.json()[0]["created"] is True
        page = httpx.get(f"{url}/", trust_env=False, timeout=20)
        assert "<h1>Open incidents</h1>" in page.text
        assert httpx.get(f"{url}/static/style.css", trust_env=False).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        said = log.read_text(encoding="utf-8")
        assert "/alerts: on" in said
        assert "web pages: only from this machine" in said
        assert "Traceback" not in said
    finally:
        process.kill()
        process.wait()


def test_13_it_starts_without_temporal_and_sends_what_it_kept(tmp_path: Path) -> None:
    """Temporal is away before the gateway starts, comes, and gets the alert; PagerDuty got it at once."""
    port, temporal_port = free_ports(2)
    with running_sandbox() as sandbox:
        environment = stage_environment(f"127.0.0.1:{temporal_port}", sandbox, tmp_path)
        environment |= {"GATEWAY_TOKEN": "t", "ALERT_SPOOL": str(tmp_path / "spool")}
        words = [sys.executable, "-m", "incidents.gateway.main", "--port", str(port)]
        with (tmp_path / "gateway.log").open("w", encoding="utf-8") as out:
            gateway = subprocess.Popen(words, env=environment, stdout=out, stderr=out, text=True)
        try:
            wait_for_port(port, gateway)
            url, token = f"http://127.0.0.1:{port}", {"Authorization": "Bearer t"}
            answer = httpx.post(f"{url}/alerts", json=ALERT, headers=token, trust_env=False, timeout=40)
            assert answer.status_code == 202, answer.text
            [kept] = answer.json()
            assert kept["detail"].endswith("on-call was paged directly")
            assert httpx.get(f"{url}/healthz", trust_env=False, timeout=20).status_code == 503
            assert httpx.get(f"{url}/livez", trust_env=False, timeout=20).text == "ok\n"
            assert [page["incident_key"] for page in sandbox.state()["pagerduty"]] == [kept["workflow_id"]]
            with running_temporal(tmp_path / "temporal.db", port=temporal_port) as _:
                stage = Stage(sandbox, environment, tmp_path)
                stage.worker()
                incident = stage.until(1, lambda incident: incident.ledger.settled("page/0/P2"))
                stop(stage.workers[0])
            assert incident.workflow_id == kept["workflow_id"]
            assert [page["incident_key"] for page in sandbox.state()["pagerduty"]] == [kept["workflow_id"]]
        finally:
            stop(gateway)
