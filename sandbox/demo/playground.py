"""A live P0 for you: it waits, and the demo plays Prometheus only."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from sandbox.demo.stage import REGION, Demo
from sandbox.demo.summary import summary

_EVERY = 1.0
"""Seconds between two looks at the product."""


@dataclass(frozen=True)
class Addresses:
    """Where to look. `gateway`: the program's own pages, if they are open."""

    temporal_ui: str
    sandbox: str
    gateway: str


async def leave_to_you(demo: Demo, env: Path, places: Addresses) -> None:
    """Say how to respond, then print what people do, until cancelled."""
    demo.console.print(Text("\n".join(instructions(demo.number, env, places))), soft_wrap=True)
    demo.wait_for("Waiting for you; Ctrl-C stops everything")
    demo.skip_timeline()
    others = [asyncio.create_task(play_prometheus(demo)), asyncio.create_task(say_the_end(demo))]
    try:
        await asyncio.gather(*others)
    finally:
        for task in others:
            task.cancel()


def instructions(number: int, env: Path, places: Addresses) -> list[str]:
    """Return what to paste, and what to try."""
    pages = f"{places.gateway}/incidents/{number}" if places.gateway else "`make play` opens them"
    clickable = ", with buttons" if places.gateway else ""
    return [
        "",
        f"INC-{number} is yours: nobody has acknowledged it. In another terminal, anywhere:",
        "",
        f"  . {env}",
        "",
        f"  incident watch {number}            the incident, live",
        f"  incident ack {number}              acknowledge; the escalation stops",
        f'  incident assess {number} "Half of all evaluations in Europe fail." --customers ACME',
        f"  incident approve {number}          the rollback that is offered",
        f'  incident resolve {number} "Back to normal."',
        "",
        f"Slack, pager, mail{clickable}: {places.sandbox}/",
        f"Pages for the phone: {pages}",
        f"Temporal: {places.temporal_ui}",
        "Ctrl-C stops everything.",
        "",
    ]


async def play_prometheus(demo: Demo) -> None:
    """Fire while the region fails, and report the end once it answers again; without end."""
    firing = True
    while True:
        await asyncio.sleep(_EVERY)
        state = await asyncio.to_thread(demo.sandbox.state)
        if (failing := bool(state["product"][REGION]["bad"])) is not firing:
            firing = failing
            demo.say(f"{REGION} {'fails: Prometheus fires again' if failing else 'answers: the alert ends'}.")
            await demo.alert(ended=not failing)


async def say_the_end(demo: Demo) -> None:
    """Print the summary as soon as the incident is resolved."""
    await demo.until("you", lambda incident: incident.resolved_at is not None, seconds=math.inf)
    demo.console.print(summary(demo))
