"""Which runbooks an incident followed, by its histories in Temporal: the first one, and those that it was moved to."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.lookup import label
from incidents.client.problems import CommandFailed
from incidents.contracts import IncidentInput
from incidents.domain.adoption.adoption import AdoptRunbook, adoptions_of, entry_text
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import Entry
from incidents.domain.foresight.recorded import Adopted, Followed
from incidents.domain.incident.incident import Incident


async def runbooks_followed(client: Client, found: WorkflowExecution, incident: Incident) -> Followed:
    """Return the runbooks that an incident followed. `incident`: with its whole timeline, if that can be read.

    One that was never moved has the runbook that its last run started with, so that no more than one event is read.

    Raises:
        CommandFailed: Temporal does not retain its history any more.
    """
    entries = adoptions_of(incident)
    moved = bool(entries) or incident.timeline[0].sequence != 1
    histories = [events async for events in _histories(client, found, whole=moved)]
    if not histories:
        raise CommandFailed(f"{label(found)} has no history any more: Temporal's retention is over.")
    first = await _runbook_of_start(client, histories[0][0])
    events = [event for history in histories for event in history[1:]]
    adopted = await _adopted(client, events, first, entries)
    return Followed(first=first, adopted=adopted, complete=len(adopted) >= len(entries))


async def _histories(client: Client, found: WorkflowExecution, *, whole: bool) -> AsyncIterator[Sequence[HistoryEvent]]:
    """Yield the history of each run that is retained, the first run first; or the beginning of the last one alone."""
    runs: list[list[HistoryEvent]] = []
    run_id: str = found.run_id
    while run_id and (events := await _events(client, found.id, run_id, whole=whole)):
        runs.append(events)
        started = events[0].workflow_execution_started_event_attributes
        run_id = started.continued_execution_run_id if whole else ""
    for events in reversed(runs):
        yield events


async def _events(client: Client, workflow_id: str, run_id: str, *, whole: bool) -> list[HistoryEvent]:
    """Return the start of a run, and all adoptions in it if `whole`; nothing if it is not retained."""
    events: list[HistoryEvent] = []
    try:
        async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events():
            if not events or _given(event) is not None:
                events.append(event)
            if not whole:
                break
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return events


def _given(event: HistoryEvent) -> Payloads | None:
    """Return what `adopt_runbook` came with; None if the event is another one."""
    update = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
    signal = event.workflow_execution_signaled_event_attributes
    if update.name == AdoptRunbook.name:
        return update.args
    return signal.input if signal.signal_name == AdoptRunbook.name else None


async def _runbook_of_start(client: Client, event: HistoryEvent) -> RunbookConfig:
    given = event.workflow_execution_started_event_attributes.input.payloads
    started: list[Any] = await client.data_converter.decode(given, [IncidentInput])
    runbook: RunbookConfig = started[0].runbook
    return runbook


async def _adopted(
    client: Client, events: Sequence[HistoryEvent], runbook: RunbookConfig, entries: Sequence[Entry]
) -> tuple[Adopted, ...]:
    """Return the adoptions in order. An update was accepted; of a signal only the timeline says that it was."""
    found: list[Adopted] = []
    told = {entry.text for entry in entries}
    for event in events:
        command = await _command(client, event)
        if command is None:
            continue
        is_told = any(text.startswith(entry_text(runbook, command.runbook)) for text in told)
        if event.HasField("workflow_execution_signaled_event_attributes") and not is_told:
            continue
        found.append(Adopted(at=_utc(event.event_time), command=command))
        runbook = command.runbook
    return tuple(found)


async def _command(client: Client, event: HistoryEvent) -> AdoptRunbook | None:
    """Return the command; None if there is none that can be read, as in a signal that was rejected for that."""
    given = _given(event)
    if given is None:
        return None
    try:
        [command] = await client.data_converter.decode(given.payloads, [AdoptRunbook])
    except (ValueError, RuntimeError):
        return None
    return command if isinstance(command, AdoptRunbook) else None


def _utc(time: Timestamp) -> datetime:
    return time.ToDatetime(tzinfo=UTC)
