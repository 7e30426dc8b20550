"""`make chaos-alertmanager`: the same alerts and the same deaths, Alertmanager beside this program.

python -m tests.chaos.alertmanager [--alerts 20] [--markdown] [--save directory]

Both get each alert once, from a sender that does not send it again, and post to the same stand-in of Slack by
`chat.postMessage`. What is counted is the message that names the alert: Alertmanager's own, our incident's first one.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
import yaml
from rich.console import Console
from temporalio.runtime import Runtime, TelemetryConfig

from sandbox.state import Credentials
from sandbox.temporal_server import free_port
from tests.chaos.lifecycle.process import Process
from tests.chaos.lifecycle.processes import TOKEN, Site
from tests.chaos.lifecycle.report import as_markdown, as_table
from tests.support.servers.alertmanager import PROGRAM, alertmanager_command

GROUP_WAIT = 3.0
"""Seconds that Alertmanager waits for more of a group before it tells; 30 by default."""
PATIENCE = 300.0
"""Seconds for all to be told. Generous: Slack takes one message a second per channel, and the machine may be busy."""
SILENCE = 30.0
"""Seconds without a new message after which no more will come: more than the longest pause between two attempts."""
COLUMNS = ("death", "program", "alerts", "notified", "notified twice", "never notified")


class Death(StrEnum):
    """What dies, and when."""

    SENDER = "killed once the alert is accepted, before anyone is notified"
    RECEIVER = "the vendor acts, and its reply is lost"


@dataclass(frozen=True)
class Told:
    """How often each of the alerts was told."""

    times: Counter[str]
    alerts: int

    @property
    def cells(self) -> list[str]:
        """The figures of a row."""
        told = sum(count > 0 for count in self.times.values())
        twice = sum(count > 1 for count in self.times.values())
        return [str(self.alerts), str(told), str(twice), str(self.alerts - told)]

    @property
    def each_once(self) -> bool:
        """Tell whether every alert was told exactly once."""
        return sorted(self.times.values()) == [1] * self.alerts


def names(count: int) -> list[str]:
    """Return the names of so many alerts, none a part of another's."""
    return [f"Deliveries{number:03d}Fail" for number in range(1, count + 1)]


def labels(name: str) -> dict[str, str]:
    """Return the labels of an alert: one incident each."""
    return {"alertname": name, "service": "webhooks", "environment": name.lower(), "severity": "warning"}


def told(rows: Iterable[dict[str, Any]], count: int) -> Told:
    """Return how often each alert was told in Slack."""
    posted = [row["payload"] for row in rows if row["operation"] == "chat.postMessage"]
    texts = [f"{payload.get('text')} {payload.get('attachments')}" for payload in posted]
    return Told(Counter({name: sum(name in text for text in texts) for name in names(count)}), count)


async def alertmanager(death: Death, count: int, home: Path) -> Told:
    """Send the alerts to Alertmanager, let it or its receiver die, and return what was told."""
    site = Site(home)
    try:
        await site.start_sandbox()
        address = f"127.0.0.1:{(port := free_port())}"
        words = await asyncio.to_thread(alertmanager_command, home, _config(site.sandbox_url), address)
        process = site.processes["alertmanager"] = Process("alertmanager", words, os.environ, home, port)
        process.start()
        await process.ready()
        await _prepare(death, site, count)
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        body = [{"labels": labels(name), "annotations": {"summary": name}, "endsAt": until} for name in names(count)]
        await _accepted(f"http://{address}/api/v2/alerts", [body], {})
        await _die(death, [process])
        return await _settled(site, count)
    finally:
        site.end()


async def incident_runbook(death: Death, count: int, home: Path) -> Told:
    """Send the alerts to our gateway, let every process of ours or the receiver die, and return what was told."""
    site = Site(home)
    try:
        await site.start()
        await _prepare(death, site, count)
        now = datetime.now(UTC).isoformat()
        bodies = [{"status": "firing", "alerts": [_webhook_alert(name, now)], "version": "4"} for name in names(count)]
        headers = {"Authorization": f"Bearer {TOKEN}"}
        await _accepted(f"{site.gateway_url}/alerts/alertmanager", bodies, headers)
        await _die(death, [process for name, process in site.processes.items() if name != "sandbox"])
        return await _settled(site, count)
    finally:
        site.end()


def _webhook_alert(name: str, now: str) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": labels(name),
        "annotations": {"summary": name},
        "startsAt": now,
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": name,
    }


def _config(sandbox_url: str) -> str:
    slack = {
        "api_url": f"{sandbox_url}/slack/api/chat.postMessage",
        "channel": "#incidents",
        "http_config": {"authorization": {"credentials": Credentials().slack_bot_token}},
        "title": "{{ .GroupLabels.alertname }}",
    }
    config = {
        "route": {"receiver": "slack", "group_by": ["alertname"], "group_wait": f"{GROUP_WAIT:.0f}s"},
        "receivers": [{"name": "slack", "slack_configs": [slack]}],
    }
    return yaml.safe_dump(config)


async def _prepare(death: Death, site: Site, count: int) -> None:
    if death is Death.RECEIVER:
        order = {"vendor": "slack", "kind": "lost_reply", "match": "chat.postMessage", "times": count}
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            (await http.post(f"{site.sandbox_url}/_control/faults", json=order)).raise_for_status()


async def _accepted(url: str, bodies: list[Any], headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as http:
        for answer in await asyncio.gather(*(http.post(url, json=body) for body in bodies)):
            answer.raise_for_status()


async def _die(death: Death, processes: list[Process]) -> None:
    """Kill them all at once, and start them again; nothing if it is the receiver that dies."""
    if death is Death.SENDER:
        for process in processes:
            process.kill()
        for process in processes:
            process.start()
        for process in processes:
            await process.ready()


async def _settled(site: Site, count: int) -> Told:
    """Return what was told once no more comes."""
    began = changed = time.monotonic()
    result = Told(Counter(), count)
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        while (now := time.monotonic()) - changed < SILENCE + GROUP_WAIT and now - began < PATIENCE:
            rows = (await http.get(f"{site.sandbox_url}/_control/ledger", params={"vendor": "slack"})).json()
            if (latest := told(rows, count)).times != result.times:
                result, changed = latest, now
            await asyncio.sleep(0.5)
    return result


PROGRAMS: dict[str, Callable[[Death, int, Path], Awaitable[Told]]] = {
    "Alertmanager": alertmanager,
    "incident runbook": incident_runbook,
}


async def compare(count: int, home: Path, console: Console) -> dict[tuple[Death, str], Told]:
    """Let each program die each death, one after the other."""
    found = {}
    for death in Death:
        for program, run in PROGRAMS.items():
            console.print(f"{program}: {death} ...", highlight=False)
            found[death, program] = await run(death, count, home / f"{program.split()[0]}-{death.name}".lower())
    return found


def main() -> int:
    """Run, print the table, and tell by the exit status whether this program told every alert once."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.alertmanager", description=__doc__)
    parser.add_argument("--alerts", type=int, default=20, help="how many alerts (20)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--save", type=Path, help="keep logs and databases in this directory")
    args = parser.parse_args()
    if PROGRAM is None:
        parser.error("Alertmanager is not installed; on Debian: apt-get install prometheus-alertmanager")
    logging.disable(logging.ERROR)
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(compare(args.alerts, args.save or Path(folder), Console(stderr=True)))
    rows = [[death, program, *result.cells] for (death, program), result in found.items()]
    if args.markdown:
        print(as_markdown(COLUMNS, rows))
    else:
        Console().print(as_table("Alerts told", COLUMNS, rows))
    return 0 if all(result.each_once for (_, program), result in found.items() if program != "Alertmanager") else 1


if __name__ == "__main__":
    sys.exit(main())
