"""The gateway as a process: it says which doors are open, takes an alert, and ends when it is told to."""

import signal
import subprocess
import sys
import time

import httpx
import pytest

from sandbox.temporal_server import free_port
from tests.system.conftest import Stage

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
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        said = log.read_text(encoding="utf-8")
        assert "/alerts: on" in said
        assert "Traceback" not in said
    finally:
        process.kill()
        process.wait()
