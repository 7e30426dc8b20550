"""The processes of a run: Temporal, the vendors, the gateway and two workers; started, killed, stopped, continued."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml

from sandbox.temporal_server import command, free_ports
from tests.chaos.lifecycle.postgresql import PostgreSql
from tests.chaos.lifecycle.process import Process

TOKEN = "chaos"
"""The gateway's, which opens nothing but this run's."""
WORKERS = ("worker-1", "worker-2")


@dataclass
class Site:
    """All processes of a run, by name, and the environment that points our programs at them.

    `release`: a folder in which another release is installed, whose workers and gateway run in place of this one's.
    `postgresql`: Temporal is its own server on PostgreSQL, in place of the development server.
    """

    home: Path
    worker_module: str = "incidents.app.worker"
    extra: Mapping[str, str] = field(default_factory=dict)
    release: Path | None = None
    postgresql: bool = False
    processes: dict[str, Process] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    address: str = ""
    sandbox_url: str = ""
    gateway_url: str = ""

    async def start(self) -> None:
        """Start everything, in the order in which one needs the other."""
        await asyncio.to_thread(self.home.mkdir, parents=True, exist_ok=True)
        temporal, sandbox, front, gateway = free_ports(4)
        self.gateway_url = f"http://127.0.0.1:{gateway}"
        self._add_sandbox(sandbox)
        await self._started("sandbox")
        self._add(
            "vendors", [sys.executable, "-m", "tests.chaos.lifecycle.front", str(front), str(sandbox)], port=front
        )
        await self._started("vendors")
        await (self._start_on_postgresql() if self.postgresql else self._start_temporal(temporal))
        self.environment = await self._environment(f"http://127.0.0.1:{front}")
        self._add_programs(gateway)
        await self._started("gateway", *WORKERS)

    async def start_sandbox(self) -> None:
        """Start the vendors alone, for a program that is not ours."""
        await asyncio.to_thread(self.home.mkdir, parents=True, exist_ok=True)
        self._add_sandbox(*free_ports(1))
        await self._started("sandbox")

    async def upgrade(self) -> None:
        """End the other release's workers and gateway, and start this one's in their place."""
        port = self.processes["gateway"].port
        for name in (*WORKERS, "gateway"):
            await self.processes[name].end()
        self.release = None
        self._add_programs(port)
        await self._started("gateway", *WORKERS)

    def end(self) -> None:
        """End all that were started; nothing of a run is left behind."""
        for process in self.processes.values():
            process.kill()

    async def _start_temporal(self, port: int) -> None:
        self._add("temporal", command(self.home / "temporal.db", port, None), port=port)
        await self._started("temporal")
        self.address = f"127.0.0.1:{port}"

    async def _start_on_postgresql(self) -> None:
        database = PostgreSql(self.home)
        self.processes["postgresql"] = await asyncio.to_thread(database.prepare)
        await self._started("postgresql")
        await asyncio.to_thread(database.make_schemas)
        self.processes["temporal"] = database.temporal()
        await self._started("temporal")
        await asyncio.to_thread(database.make_namespace)
        self.address = database.address

    async def _started(self, *names: str) -> None:
        for name in names:
            self.processes[name].start()
        for name in names:
            await self.processes[name].ready()

    def _add_sandbox(self, port: int) -> None:
        words = [sys.executable, "-m", "sandbox", "--port", str(port), "--deploy-seconds", "2"]
        self._add("sandbox", words, port=port)
        self.sandbox_url = f"http://127.0.0.1:{port}"

    def _add_programs(self, port: int) -> None:
        self._add("gateway", [sys.executable, "-m", "incidents.gateway.main", "--port", str(port)], port=port)
        for name in WORKERS:
            self._add(name, [sys.executable, "-m", self.worker_module], said="ready on task queue")
        if self.release is not None:
            for name in (*WORKERS, "gateway"):
                process = self.processes[name]
                process.folder = self.release
                runbook = write_runbook(self.release, self.release / "runbook.demo.yaml")
                process.environment = {**process.environment, "RUNBOOK_FILE": str(runbook)}

    def _add(self, name: str, words: list[str], *, port: int = 0, said: str = "") -> None:
        environment = self.environment or {**os.environ, **self.extra}
        started = self.processes[name].started if name in self.processes else 0
        self.processes[name] = Process(name, words, environment, self.home, port, said, started=started)

    async def _environment(self, vendors: str) -> dict[str, str]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            text = (await http.get(f"{vendors}/_control/environment")).text
        return {
            **os.environ,
            **dict(line.split("=", 1) for line in text.splitlines()),
            "TEMPORAL_ADDRESS": self.address,
            "RUNBOOK_FILE": str(write_runbook(self.home)),
            "EVIDENCE_URL": (self.home / "evidence").absolute().as_uri(),
            "ALERT_SPOOL": str(self.home / "spool"),
            "GATEWAY_TOKEN": TOKEN,
            **self.extra,
        }


def write_runbook(home: Path, demo: Path = Path("sandbox/runbook.demo.yaml")) -> Path:
    """Write the demo's runbook with timers of seconds, and without what depends on how long the incident lasts.

    Updates come every few seconds. Whatever else a slower run would owe and a faster one would not is due at once or
    not within the run, so that two runs owe the same. No retry ends within the run: every fault passes.
    """
    runbook = yaml.safe_load(demo.read_text(encoding="utf-8"))
    policy = runbook["severities"]["P0"]
    policy["updates"] |= {"every": "10s", "remind_before": "1s"}
    policy |= {"acknowledge_within": "2s", "war_room_within": "2h", "commander_within": "2h", "stability_window": "2s"}
    for rung in policy["escalation"]:
        rung["after"] = "1s" if rung["contact"] == "ceo" else rung.get("after", "0s")
    policy["escalation"] = [rung | {"unless": "resolved"} for rung in policy["escalation"]]
    runbook["updates"]["nudge_after"] = 1000
    runbook["intake"] |= {"self_resolve_within": "0s", "surge": {"per_minute": 0}}
    runbook["investigation"]["blast_radius"]["confirm_every"] = "2h"
    runbook["rollback"] |= {"approve_within": "2h", "give_up_after": "20m", "evidence_budget": "120s"}
    # A process that stands still for thirteen seconds must leave enough samples in a full window.
    runbook["rollback"] |= {"window": "16s", "min_samples": 2}
    runbook["retry_for"] = {"page": "1h", "reach": "1h", "publish": "4h", "others": "1h"}
    path = home / "runbook.yaml"
    path.write_text(yaml.safe_dump(runbook, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
