"""The real Prometheus (Debian's). Where it is not installed, its tests are skipped; `.ci/run` installs it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.servers.prometheus_program import running_program

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None, reason="Prometheus is not installed")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian's package: prometheus)")


@dataclass(frozen=True)
class Prometheus:
    """One that runs at `url`."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, trust_env=False).json()
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The value of the only series; None if there is none."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def alerts(self) -> dict[str, str]:
        """Each alert that is active, with its state."""
        answer = httpx.get(f"{self.url}/api/v1/alerts", trust_env=False).json()
        return {alert["labels"]["alertname"]: alert["state"] for alert in answer["data"]["alerts"]}

    def names(self) -> set[str]:
        """The names of all metrics that it has scraped."""
        return set(httpx.get(f"{self.url}/api/v1/label/__name__/values", trust_env=False).json()["data"])

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until that is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not after {seconds} s; alerts: {self.alerts()}"
            time.sleep(0.2)


@contextmanager
def running_prometheus(home: Path, config: Mapping[str, Any]) -> Iterator[Prometheus]:
    """Run it with a configuration and its data in `home`."""
    assert PROMETHEUS is not None
    home.mkdir(exist_ok=True)
    (home / "prometheus.yml").write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
    words = [PROMETHEUS, f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data"]
    with running_program(lambda address: [*words, f"--web.listen-address={address}"], home) as url:
        yield Prometheus(url)
