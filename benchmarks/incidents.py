"""Incidents as they are opened for a measurement, and what their histories say of them, by the server's clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowHistory

from benchmarks.floor import WAVES
from incidents.client.intake import start
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.opening import opening_from
from tests.support.environment import an_alert

QUEUE = "bench"
PAGE = "send_page"
LONGEST = timedelta(minutes=3)
"""How long to wait for a page."""
_FEWEST_EVENTS = 3 * sum(WAVES)
_LOOK_EVERY = 0.1
"""Seconds."""


async def opened(
    client: Client, runbook: RunbookConfig, name: str, severity: str = "critical"
) -> WorkflowHandle[Any, Any]:
    """Open an incident, as the gateway does."""
    alert = an_alert(datetime.now(UTC), severity=severity, environment=name)
    opening, workflow_id = opening_from((alert,), name, runbook), f"incident-{name}"
    await start(client, workflow_id, opening, runbook, QUEUE, alerts=(alert,), give_up_after=timedelta())
    return client.get_workflow_handle(workflow_id)


async def responded(handle: WorkflowHandle[Any, Any]) -> WorkflowHistory:
    """Wait until an incident's first response is done, and return its history; the incident is ended.

    Looked at seldom, and at its length first, so that looking does not slow what is looked at.
    """
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        if (await handle.describe()).history_length < _FEWEST_EVENTS:
            continue
        history = await handle.fetch_history()
        if len(completed(history)) >= sum(WAVES):
            await handle.terminate("measured")
            return history


async def ended(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until a workflow has ended, looking as often as `responded` does: looking costs the server something."""
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        if (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
            return


async def page_seconds(handle: WorkflowHandle[Any, Any]) -> float:
    """Return the seconds from the alert to the page that is sent; looked at once a second.

    Raises:
        TimeoutError: no page within `LONGEST`.
    """
    async with asyncio.timeout(LONGEST.total_seconds()):
        while True:
            await asyncio.sleep(1)
            if (seconds := first_done(await handle.fetch_history(), PAGE)) is not None:
                return seconds


def first_done(history: WorkflowHistory, activity: str) -> float | None:
    """Return the seconds from the start to the end of the first activity of that type; None if none has ended."""
    ordered = {
        event.event_id
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == activity
    }
    ends = (e for e in history.events if e.activity_task_completed_event_attributes.scheduled_event_id in ordered)
    first = next(ends, None)
    return None if first is None else _since_start(history, first)


def completed(history: WorkflowHistory) -> list[float]:
    """Return when each activity had ended, in seconds from the start."""
    return [_since_start(history, e) for e in history.events if e.HasField("activity_task_completed_event_attributes")]


def _since_start(history: WorkflowHistory, event: HistoryEvent) -> float:
    return (event.event_time.ToDatetime() - history.events[0].event_time.ToDatetime()).total_seconds()
