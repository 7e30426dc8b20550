"""Worker and gateway watch for outages, and say when they start that nobody would be notified."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.temporal_server import free_port, stop
from tests.system.conftest import Stage

pytestmark = pytest.mark.timeout(120)
LINE = "Outages are only logged: this process has neither e-mail nor Slack configured"


def test_109_every_process_watches_and_says_that_nobody_is_notified(stage: Stage) -> None:
    for name in ("SENDGRID_API_KEY", "SMTP_URL", "SLACK_BOT_TOKEN"):
        stage.environment.pop(name, None)
    until_logged(stage.home / "worker-0.log", stage.worker())
    log = stage.home / "gateway.log"
    with log.open("w", encoding="utf-8") as out:
        words = [sys.executable, "-m", "incidents.gateway.main", "--port", str(free_port())]
        gateway = subprocess.Popen(words, env=stage.environment, stderr=out, text=True)
    try:
        until_logged(log, gateway)
    finally:
        stop(gateway)


def until_logged(log: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a process has written the line."""
    while LINE not in (said := log.read_text(encoding="utf-8")):
        assert process.poll() is None, said
        time.sleep(0.05)
