"""The same incident for each way in, step by step, and its timeline in a form that can be compared."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Protocol

from incidents.domain.core.status import Status
from incidents.domain.core.timeline import SYSTEM, Entry, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.people.config import DirectoryEntry
from tests.gateway.slack.test_slack import by_number, found
from tests.support.environment import RUNBOOK as CALM
from tests.support.environment import World
from tests.support.fake_activities import an_offer

CARLA, ANN = "carla", "ann"
PEOPLE = {CARLA: DirectoryEntry(aliases=("On-call engineer",)), ANN: DirectoryEntry(email="ann@example.com")}
RUNBOOK = CALM.replace(
    people=CALM.people.replace(directory=PEOPLE), chat=CALM.chat.replace(summary_every=timedelta(milliseconds=100))
)
"""Carla is on call and acknowledges; Ann takes command and does the rest."""
TITLE, SERVICE, SEVERITY = "Evaluations fail", "flag-evaluation", "P0"
IMPACT, CUSTOMER = "Half of all evaluations fail.", "Acme"
LOWER, WHY_LOWER = "P1", "one region only"
NOTE = "The cache is empty."
UPDATE = "We deploy the previous release."
RESTORED = "No errors since noon."
RESOLVED = "Evaluations have recovered."
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|\b(?:\d+[hms] ?)+\b(?=\))")
"""An instant, and the span of time at the end of brackets: `(was due in 29m 55s)`."""


class Way(Protocol):
    """A way in. Each method does one step by it, and nothing else than what a person does there."""

    async def open(self) -> None:
        """Open the incident, or let an alert open it."""

    async def acknowledge(self) -> None:
        """Acknowledge the page, as Carla."""

    async def take_command(self) -> None:
        """Take command, as Ann, and so is every further step."""

    async def assess(self) -> None:
        """Record impact and customer."""

    async def declare_severity(self) -> None:
        """Lower the severity, with a reason."""

    async def note(self) -> None:
        """Write a note for responders."""

    async def update(self) -> None:
        """Publish a status update."""

    async def approve(self) -> None:
        """Approve the rollback that is offered."""

    async def confirm(self) -> None:
        """Record that the customer confirms the recovery."""

    async def resolve(self) -> None:
        """Resolve the incident. If an alert opened it, the alert ends before."""


async def play(way: Way, world: World) -> Incident:
    """Play the incident by one way, and return it as it stands at the end.

    After each step, what is due at once is done before the next one, as a person would see it.
    """
    world.activities.offers = (an_offer(await world.now()),)
    await way.open()
    await found(world, 1)
    await by_number(world, 1)
    await world.settled()
    steps = (way.acknowledge, way.take_command, way.assess, way.declare_severity, way.note, way.update, way.approve)
    for step in (*steps, way.confirm, way.resolve):
        await step()
        await world.settled()
    incident = await world.incident()
    assert incident.status is Status.RESOLVED
    return incident


def written(incident: Incident) -> str:
    """Return the timeline as text that can be compared.

    Aside are: who or what opened the incident, times and spans of time, and what only an alert has (`of_the_alert`).
    What the system does between two acts of people it does side by side: those lines are sorted.
    """
    lines: list[str] = []
    aside: list[str] = []
    for entry in incident.timeline:
        if entry.kind is Kind.ALERT:
            continue
        if entry.actor == SYSTEM:
            aside.append(f"    {_line(entry, SYSTEM)}")
        else:
            lines += [*sorted(aside), _line(entry, "opener" if entry.kind is Kind.OPENED else entry.actor)]
            aside = []
    return "\n".join([*lines, *sorted(aside), ""])


def _line(entry: Entry, actor: str) -> str:
    """An entry with all that people notice of it: also whether it is announced, whom it mentions, what is to decide."""
    text = _TIME.sub("TIME", entry.text)
    marks = [
        *(["announced"] if entry.announce else []),
        *(f"@{name}" for name in entry.mentions),
        *([f"decides {entry.decision}"] if entry.decision else []),
    ]
    return f"{actor}: {entry.kind}: {text}" + (f" [{', '.join(marks)}]" if marks else "")


def of_the_alert(incident: Incident) -> list[str]:
    """Return what the timeline says of the alert itself, which an incident that a person opened does not have."""
    return [entry.text for entry in incident.timeline if entry.kind is Kind.ALERT]
