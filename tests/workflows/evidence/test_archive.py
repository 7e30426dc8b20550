"""An incident that lasts for weeks carries a small state, and its timeline stays complete.

`make test` lets 14 hours pass; `make long` lets 60 days pass, with 10,000 alert signals.
"""

import asyncio
import os
from collections.abc import Callable
from threading import Event

import pytest

from incidents.contracts import ALERT_FIRED, ALERT_RESOLVED, AlertBatch
from incidents.domain.config.model import HISTORY_EVENTS
from incidents.domain.core.timeline import Entry, Kind, entry_hashes
from incidents.domain.evidence.archive import ChunkMissing, archived_entries, faults
from incidents.domain.evidence.audit import Anchor, audit_timeline, timeline_head
from incidents.domain.incident.commands import Acknowledge, AddNote, PostUpdate
from incidents.domain.incident.incident import Incident
from tests.support.environment import World, an_alert

HOURS = int(os.environ.get("HOURS", "14"))
SIGNALS = int(os.environ.get("SIGNALS", "400"))

pytestmark = pytest.mark.timeout(max(120, 5 * HOURS))


def stored(world: World, path: str) -> bytes:
    """Read a chunk as the fake evidence store has it."""
    if path not in world.activities.documents:
        raise ChunkMissing("there is no such file")
    return world.activities.documents[path]


def whole(world: World, incident: Incident) -> tuple[Entry, ...]:
    """The archived entries and those at hand."""
    return (*archived_entries(incident.evidence.archive, lambda path: stored(world, path)), *incident.timeline)


async def storm(world: World, first: int, last: int) -> None:
    """Send these of the signals: of twenty alerts, each of which ends now and then and fires again."""
    now = await world.now()
    for number in range(first, last):
        alert = an_alert(now, name=f"Alert{number % 20}")
        if number // 20 % 5 == 4:
            await world.handle.signal(ALERT_RESOLVED, AlertBatch(alerts=(alert.replace(ended_at=now),)))
        else:
            await world.handle.signal(ALERT_FIRED, AlertBatch(alerts=(alert,)))


def assert_complete(entries: tuple[Entry, ...]) -> None:
    """No entry is missing or doubled, and they are in order."""
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    times = [entry.at for entry in entries]
    assert times == sorted(times)


async def test_79_and_102_an_incident_of_weeks_stays_small_and_its_timeline_complete(world: World) -> None:
    await world.open(history_limit=min(HISTORY_EVENTS, 20 * HOURS))
    await world.tell(Acknowledge(by="ann"))
    largest, runs, steps = 0, set[str | None](), HOURS * 2
    heads = list[Anchor]()
    for step in range(steps):
        await storm(world, SIGNALS * step // steps, SIGNALS * (step + 1) // steps)
        await world.at((step + 1) * 30)
        if step % 6 == 5:
            incident = await world.incident()
            largest = max(largest, len(incident.model_dump_json()))
            heads.append(Anchor(where=f"step {step}", head=timeline_head(incident)))
            runs.add((await world.handle.describe()).run_id)
    incident = await world.incident()
    entries = whole(world, incident)
    print(
        f"{HOURS} hours, {SIGNALS} signals: {incident.updates.count} updates, {len(entries)} entries,"
        f" {len(incident.evidence.archive.chunks)} chunks, at least {len(runs)} runs, largest state {largest} bytes"
    )
    assert len(runs) > 3, "three continue-as-new"
    assert largest < 500_000
    assert incident.updates.count >= HOURS * 2
    assert sum(alert.times for alert in incident.alerting.alerts) > SIGNALS // 2
    assert incident.evidence.archive.chunks
    assert faults(incident.evidence.archive, lambda path: stored(world, path), right_store=True) == []
    audit = audit_timeline(incident, lambda path: stored(world, path), heads, right_store=True)
    assert audit.faults == (), "one hash chain, over continue-as-new and what was archived"
    assert audit.head.sha256 == entry_hashes("", entries)[-1]
    assert_complete(entries)
    published = [entry.text for entry in entries if entry.kind is Kind.UPDATE and ") to " in entry.text]
    assert [int(text.split()[1]) for text in published] == list(range(1, incident.updates.count + 1))


async def test_79_a_store_that_is_away_loses_nothing(world: World) -> None:
    """The incident goes on, carries everything, says so once, and moves it when the store is back."""
    world.activities.final_faults["keep_document"] = "evidence: read-only file system"
    await world.open(history_limit=120)
    await noted(world, 0, 40)
    away = await until(world, lambda incident: bool(incident.evidence.archive.problem))
    assert away.evidence.archive.problem == "evidence: read-only file system"
    assert not away.evidence.archive.chunks
    assert_complete(away.timeline)
    await noted(world, 40, 60)
    del world.activities.final_faults["keep_document"]
    await noted(world, 60, 90)
    back = await until(world, lambda incident: bool(incident.evidence.archive.chunks))
    assert back.evidence.archive.problem == ""
    entries = whole(world, await world.incident())
    assert_complete(entries)
    told = [entry.text for entry in entries]
    assert sum("could not be moved to the evidence store" in text for text in told) == 1
    assert [text[:8] for text in told if text.startswith("note ")] == [f"note {number:03d}" for number in range(90)]


async def test_79_paging_goes_on_while_a_chunk_is_written(world: World) -> None:
    """The store hangs: on-call's page is acknowledged, updates go out, and the run does not end without need."""
    world.activities.hold["keep_document"] = hanging = Event()
    await world.open(history_limit=120)
    await noted(world, 0, 40)
    await started(world, "keep_document")
    await world.tell(Acknowledge(by="ann"), but="notice/")
    await world.tell(PostUpdate(by="ann", text="We are on it."), but="notice/")
    assert world.sent("settle_page")
    assert world.sent("publish_status", "update/2/")
    assert not hanging.is_set(), "all that while the chunk was not written"
    hanging.set()
    await noted(world, 40, 60)
    incident = await until(world, lambda incident: bool(incident.evidence.archive.chunks))
    assert_complete(whole(world, incident))


async def noted(world: World, first: int, last: int) -> None:
    """Write long notes, numbered, ten at a time, and let the incident settle."""
    for number in range(first, last):
        text = f"note {number:03d} {'x' * 4500}"
        await world.handle.signal("add_note", AddNote(by="ann", text=text))
        if number % 10 == 9:
            await world.settled(but="notice/")


async def until(world: World, holds: Callable[[Incident], bool]) -> Incident:
    """Read the incident until that holds."""
    for _ in range(300):
        if holds(incident := await world.incident()):
            return incident
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to that")


async def started(world: World, activity: str) -> None:
    """Wait until that activity was started."""
    for _ in range(300):
        if world.sent(activity):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{activity} was not started")
