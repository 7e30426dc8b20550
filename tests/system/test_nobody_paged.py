"""91: worker, gateway and starter say in one line each that nobody can be paged."""

import signal
import subprocess
import sys
import time

import pytest

from sandbox.temporal_server import free_port
from tests.system.conftest import Stage

pytestmark = pytest.mark.timeout(120)
LINE = "NOBODY CAN BE PAGED for P0, P1, P2: no pager for on_call. Set PAGERDUTY_ROUTING_KEY or NTFY_URL on the worker."


def test_91_every_process_says_it(stage: Stage) -> None:
    for name in ("PAGERDUTY_ROUTING_KEY", "PAGERDUTY_ROUTING_KEYS", "NTFY_URL", "NTFY_TOPICS"):
        stage.environment.pop(name, None)
    stage.worker()
    assert LINE in (stage.home / "worker-0.log").read_text(encoding="utf-8").splitlines()
    words = ("--title", "Evaluations fail", "--service", "flag-evaluation", "--severity", "P0", "--by", "ann")
    assert stage.run("starter.py", *words).stderr.splitlines() == [LINE]
    assert LINE in gateway_log(stage).splitlines()


def gateway_log(stage: Stage) -> str:
    """Start the gateway, end it once it listens, and return what it wrote."""
    log = stage.home / "gateway.log"
    with log.open("w", encoding="utf-8") as out:
        words = [sys.executable, "-m", "incidents.gateway.main", "--port", str(free_port())]
        process = subprocess.Popen(words, env=stage.environment, stderr=out, text=True)
    try:
        deadline = time.monotonic() + 40
        while "Gateway listening" not in (said := log.read_text(encoding="utf-8")):
            assert process.poll() is None, said
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    return said
