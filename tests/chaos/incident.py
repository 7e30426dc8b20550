"""The incident of a run: opened, resolved, and at the end compared with the ledger of effects."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError

from incidents.contracts import AlertBatch, IncidentInput
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Receipt
from incidents.domain.core.timeline import Entry
from incidents.domain.incident.commands import Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import opening_from
from incidents.domain.obligation import Obligation
from incidents.domain.updates.publishing import delivery_key
from incidents.domain.updates.state import UpdateKind
from incidents.search_attributes import at_start
from tests.chaos.ledger import ActivityRequest
from tests.support.environment import RUNBOOK, an_alert
from workflows.incident import IncidentWorkflow

EVERY = timedelta(seconds=2)
HISTORY_LIMIT = 300
"""Events after which a run continues as new."""
STANDSTILL = 150.0
"""Seconds without any obligation fulfilled: a killed worker's rollback goes on when its heartbeats are missed, its
other activities after 10 s. Hundreds of notes take minutes to be posted one by one, which is no standstill."""
_RPC = timedelta(seconds=10)

DUTIES = re.compile(r"page/|escalate/|channel|war-room|update/\d+/")
"""Keys of obligations whose effect must be in the ledger once they count as fulfilled."""


def fast_runbook() -> RunbookConfig:
    """Return the runbook with a P0 whose updates are due every two seconds, and the CEO after one."""
    severities = dict(RUNBOOK.severities)
    policy = severities["P0"]
    ladder = tuple(rung.replace(after=EVERY / 2) if rung.contact == "ceo" else rung for rung in policy.escalation)
    cadence = policy.updates.replace(every=EVERY, remind_before=EVERY / 4)
    severities["P0"] = policy.replace(updates=cadence, escalation=ladder, acknowledge_within=EVERY)
    rollback = RUNBOOK.rollback.replace(probe_interval=timedelta(seconds=1))
    return RUNBOOK.replace(severities=severities, rollback=rollback)


async def open_incident(client: Client, queue: str) -> WorkflowHandle[Any, Any]:
    """Let an alert open it; return its handle."""
    runbook = fast_runbook()
    alert = an_alert(datetime.now(UTC))
    opening = opening_from((alert,), "flag-evaluation:production", runbook)
    return await client.start_workflow(
        IncidentWorkflow.run,
        IncidentInput(opening=opening, runbook=runbook, history_limit=HISTORY_LIMIT),
        id=f"incident-{opening.key}",
        task_queue=queue,
        start_signal="alert_fired",
        start_signal_args=[AlertBatch(alerts=(alert,))],
        search_attributes=at_start(opening),
    )


async def resolve(client: Client, workflow_id: str) -> Incident | None:
    """Resolve it, and wait until nothing is due any more; return it as it then is, or None if that never came."""
    handle = client.get_workflow_handle(workflow_id)
    done: set[str] = set()
    deadline = time.monotonic() + STANDSTILL
    while time.monotonic() < deadline:
        try:
            incident: Incident = await handle.query("incident", result_type=Incident, rpc_timeout=_RPC)
            if fresh := set(incident.ledger.fulfilled) - done:  # older keys may have moved to the archive
                done, deadline = done | fresh, time.monotonic() + STANDSTILL
            if incident.over and not await _is_busy(handle):
                return incident
            # A rollback under way is finished first, and one that did not help drops the resolution: ask again.
            if not incident.over and incident.resolve_intent is None:
                await _resolve_now(handle, incident.revision)
        except (
            RPCError,
            WorkflowQueryFailedError,
            WorkflowUpdateFailedError,
            WorkflowUpdateRPCTimeoutOrCancelledError,
        ):
            pass  # it does not answer yet; whether that is a fault, the deadline tells
        await asyncio.sleep(0.5)
    return None


async def _resolve_now(handle: WorkflowHandle[Any, Any], revision: int) -> None:
    command = Resolve(by="ann", id=f"resolve-{revision}", force=True, reason="the run is over")
    await handle.execute_update("resolve", command, result_type=Receipt, rpc_timeout=_RPC)


async def _is_busy(handle: WorkflowHandle[Any, Any]) -> bool:
    owed = await handle.query("agenda", result_type=list[Obligation], rpc_timeout=_RPC)
    return any(obligation.due <= datetime.now(UTC) for obligation in owed)


def duty_problems(
    incident: Incident, effects: list[ActivityRequest], notes: int, archived: Sequence[Entry] = ()
) -> list[str]:
    """Return what was done twice, what is missing, and which notes were lost or doubled.

    `archived`: entries of the timeline that the incident no longer carries.
    """
    counts = Counter(effect.key for effect in effects)
    problems = [f"done {count} times: {key}" for key, count in counts.items() if count > 1]
    problems += [f"failed: {failure.key}" for failure in incident.ledger.failures if DUTIES.match(failure.key)]
    done = {key.removeprefix(f"{incident.first_run_id}/") for key in counts}
    problems += [f"fulfilled, but not in the ledger: {key}" for key in _recorded(incident) if key not in done]
    if not any(key.startswith("page/") for key in done):
        problems.append("no page was sent")
    if sum(effect.name == "open_channel" for effect in effects) != 1:
        problems.append("not exactly one channel")
    return problems + _update_problems(incident, done) + _note_problems((*archived, *incident.timeline), notes)


def _recorded(incident: Incident) -> list[str]:
    """Return the fulfilled obligations whose effect the ledger must hold."""
    skipped = {skip.key for skip in incident.ledger.skips}
    return [key for key in incident.ledger.fulfilled if DUTIES.match(key) and key not in skipped]


def _update_problems(incident: Incident, done: set[str]) -> list[str]:
    """Return updates that are not on the cadence's grid, or of which the last did not go out."""
    dues = [update.due for update in incident.updates.published if update.kind is UpdateKind.SCHEDULED]
    problems = [f"update due twice at {due}" for due, count in Counter(dues).items() if count > 1]
    last = incident.updates.published[-1]
    if last.kind is not UpdateKind.FINAL:
        problems.append(f"the last update is {last.kind}, not the final one")
    keys = (delivery_key(last.sequence, channel) for channel in last.channels)
    skipped = {skip.key for skip in incident.ledger.skips}
    return problems + [f"never published: {key}" for key in keys if key not in done | skipped]


def _note_problems(timeline: Sequence[Entry], notes: int) -> list[str]:
    """Return the notes that were taken and are not in the timeline exactly once. The last one may be under way."""
    written = Counter(entry.text for entry in timeline if entry.text.startswith("note "))
    problems = [f"{text} stands {count} times in the timeline" for text, count in written.items() if count > 1]
    return problems + [f"note {number} is lost" for number in range(notes) if not written[f"note {number}"]]
