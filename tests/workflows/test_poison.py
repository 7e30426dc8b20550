"""105, 26: whatever an alert says, its incident gets its number and its page; no workflow task ever fails."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from temporalio.api.enums.v1 import EventType

from incidents.client.alert_sources.payload import MalformedAlert
from incidents.client.alert_sources.registry import parse_alerts
from incidents.contracts import AlertBatch, IncidentInput
from incidents.domain.alerting.alert import Alert
from incidents.domain.core.text.untrusted import all_printable
from incidents.domain.incident.commands import AddNote, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import opening_from
from incidents.rehearsal.server import skipping_server
from incidents.search_attributes import at_start
from tests.support.environment import QUEUE, World
from tests.support.fake_activities import FakeActivities
from tests.support.hostile import (
    TEXTS,
    TIMES,
    VALUES,
    broken,
)
from tests.support.thoroughness import by_thoroughness
from workflows.incident import IncidentWorkflow

GO = "0001-01-01T00:00:00Z"
YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)
_numbers = count(1)


async def opened(world: World, alerts: tuple[Alert, ...]) -> None:
    """Open an incident as the starter does, whose workflow is told the alerts."""
    key = f"poison-{next(_numbers)}"
    opening = opening_from(alerts, key, world.runbook)
    world.handle = await world.env.client.start_workflow(
        IncidentWorkflow.run,
        IncidentInput(opening=opening, runbook=world.runbook),
        id=f"incident-{key}",
        task_queue=QUEUE,
        start_signal="alert_fired",
        start_signal_args=[AlertBatch(alerts=alerts)],
        search_attributes=at_start(opening),
    )
    await world.settled()


async def no_task_failed(world: World) -> None:
    """The workflow is alive, and no task of it ever failed."""
    history = await world.handle.fetch_history()
    failed = [e for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]
    assert not failed, str(failed[0])[:3000]


async def lived_through(world: World, raw: list[tuple[str, Any]]) -> Incident:
    """Signal what is raw, work on the incident, and resolve it by force."""
    for name, payload in raw:
        await world.handle.signal(name, payload)
    await world.tell(AddNote(by="ann", text="still here"))
    await world.tell(Resolve(by="ann", force=True, reason="enough"))
    await no_task_failed(world)
    incident = await world.incident()
    assert incident.number is not None
    assert incident.over
    return incident


def pages(world: World) -> int:
    return len([call for call in world.activities.calls if call.name == "send_page"])


def flags(incident: Incident) -> list[str]:
    return [entry.text for entry in incident.timeline if " ignored: " in entry.text]


async def test_26_gos_zero_time_gets_its_page_and_its_number(world: World) -> None:
    """Before, a duration was subtracted from year 1: OverflowError in the first task, and in each after it."""
    now = await world.now()
    await opened(world, parse_alerts({"title": "Evaluations fail", "severity": "critical", "started_at": GO}, now))
    assert pages(world)
    incident = await lived_through(world, [])
    [flag] = flags(incident)
    assert flag.startswith("Start of Evaluations fail ignored: 0001-01-01 00:00:00 UTC is before 2000; using ")
    assert abs(incident.started_at - now) < timedelta(seconds=1)


async def test_26_the_same_told_to_the_workflow_directly(world: World) -> None:
    raw = Alert(name="E", labels={"severity": "critical"}, started_at=YEAR_1, fingerprint="e", summary="E")
    await opened(world, (raw,))
    assert pages(world)
    ended = raw.replace(fingerprint="f", started_at=datetime.max.replace(tzinfo=UTC), ended_at=YEAR_1)
    incident = await lived_through(world, [("alert_fired", {"alerts": [json.loads(ended.model_dump_json())]})])
    assert "ignored the alert's own time 0001-01-01 00:00:00 UTC (before 2000)" in incident.timeline[1].text
    assert [flag[:22] for flag in flags(incident)] == ["Start of E ignored: 00", "Start of E ignored: 99"]


async def test_26_a_start_hours_ahead_is_clamped_and_flagged(world: World) -> None:
    now = await world.now()
    ahead = (now + timedelta(hours=2)).isoformat()
    await opened(world, parse_alerts({"title": "E", "severity": "critical", "started_at": ahead}, now))
    incident = await lived_through(world, [])
    [flag] = flags(incident)
    assert "more than 1 h in the future; using the time of arrival" in flag
    assert incident.started_at <= incident.opened_at


async def test_105_signals_that_are_no_alerts_leave_it_alive(world: World) -> None:
    await opened(world, parse_alerts({"title": "E", "severity": "critical"}, await world.now()))
    private = {"name": "E", "labels": {"private": "true"}, "source": "", "fingerprint": "p", "started_at": GO}
    bad: list[Any] = [None, 7, "x", [], {}, {"alerts": None}, {"alerts": [{}]}, {"alerts": [{"name": 1}]}]
    raw = [(name, payload) for name in ("alert_fired", "alert_resolved", "acknowledge") for payload in bad]
    for name in ("alert_fired", "postmortem_published", "acknowledge"):  # as the Web UI sends them without input
        await world.handle.signal(name)
        await world.handle.signal(name, args=[{}, {}])
    incident = await lived_through(
        world, [*raw, ("alert_fired", {"alerts": [private]}), ("alert_fired", {"alerts": []})]
    )
    assert incident.private
    rejected = [entry for entry in incident.timeline if "rejected: the payload does not fit" in entry.text]
    assert len(rejected) == len(bad) - 1


ALERT = {
    "status": "firing",
    "labels": {"alertname": "E", "service": "flag-evaluation", "environment": "production", "severity": "critical"},
    "annotations": {"summary": "E is high", "description": "x"},
    "startsAt": GO,
    "endsAt": GO,
    "generatorURL": "https://example.com",
    "fingerprint": "e",
}
SIMPLE = {"title": "E", "service": "x", "severity": "critical", "started_at": GO, "labels": {"a": "b"}, "source": "s"}
HOSTILE = broken({"version": "4", "alerts": [ALERT, ALERT]}, TEXTS | TIMES, most=5) | broken(SIMPLE, TEXTS | TIMES)
RAW = st.tuples(
    st.sampled_from(["alert_fired", "alert_resolved", "acknowledge", "resolve", "correct_time"]),
    st.fixed_dictionaries({"alerts": st.lists(VALUES, max_size=1), "by": TEXTS, "at": TIMES}),
)


@pytest.fixture
async def shared() -> AsyncIterator[World]:
    """One server for many incidents: nobody skips its time, so that none waits for another."""
    async with skipping_server() as env:
        world = World(env=env, activities=FakeActivities())
        async with world.worker():
            yield world


@settings(
    max_examples=by_thoroughness(10, 60),
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(payload=HOSTILE, raw=st.lists(RAW, max_size=3))
async def test_105_every_alert_that_is_accepted_is_lived_through(
    shared: World, payload: Any, raw: list[tuple[str, Any]]
) -> None:
    world = shared
    try:
        alerts = tuple(alert for alert in parse_alerts(payload, await world.now()) if alert.firing)
    except MalformedAlert:
        alerts = ()
    assume(alerts)
    before = pages(world)
    await opened(world, alerts)
    incident = await world.incident()
    policy = world.runbook.policy(incident.severity)
    assert (pages(world) > before) is policy.page
    await lived_through(world, all_printable(raw))  # no client can send a text that UTF-8 does not hold
    await world.handle.terminate("enough")
