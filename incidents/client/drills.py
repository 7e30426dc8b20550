"""Start and stop drills that have a script."""

import asyncio
import re
import secrets
from datetime import timedelta
from pathlib import PurePath

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.contracts import DRILL_STOPPED, DrillInput, drill_queue
from incidents.cutting import cut_bytes
from incidents.domain.config.model import RunbookConfig
from incidents.domain.drill.script import DrillScript
from incidents.names import DRILL_WORKFLOW
from incidents.priority import priority_of
from incidents.search_attributes import NUMBER

_RPC = timedelta(seconds=10)
_SUMMARY = 200
_PAUSE = 0.2
_INCIDENT = "incident-"


def short_name(scenario: str) -> str:
    """Return what a drill is called after: a shipped scenario's name, or a file's without folder and suffix."""
    return re.sub(r"[^a-zA-Z0-9-]+", "-", PurePath(scenario).stem).strip("-")[:60] or "scenario"


def drill_id(scenario: str) -> str:
    """Return the workflow id of a new drill."""
    return f"drill-{short_name(scenario)}-{secrets.token_hex(4)}"


def drill_summary(script: DrillScript) -> str:
    """Return how the Temporal UI shows a drill."""
    return cut_bytes(f"Plays {script.scenario}: {script.opening.title}", _SUMMARY)


async def start_drill(client: Client, script: DrillScript, runbook: RunbookConfig, task_queue: str) -> str:
    """Start a drill durably; return its workflow id.

    Raises:
        RPCError: Temporal did not accept it.
    """
    started = await client.start_workflow(
        DRILL_WORKFLOW,
        DrillInput(script=script, runbook=runbook),
        id=drill_id(script.scenario),
        task_queue=drill_queue(task_queue),
        static_summary=drill_summary(script),
        priority=priority_of(runbook.rank(script.opening.severity)),
        rpc_timeout=_RPC,
    )
    return started.id


async def drill_number(client: Client, drill: str, give_up_after: timedelta) -> int | None:
    """Return the number of a drill's incident once a worker has given it; None if none does in time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + give_up_after.total_seconds()
    handle = client.get_workflow_handle(f"{_INCIDENT}{drill}")
    while loop.time() < until:
        try:
            described = await handle.describe(rpc_timeout=_RPC)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # it is with Temporal already: only its number is not known
                return None
        else:
            number: int | None = described.typed_search_attributes.get(NUMBER)
            if number is not None:
                return number
        await asyncio.sleep(_PAUSE)
    return None


async def stop_drill(client: Client, workflow_id: str) -> bool:
    """Let the drill of that incident play nothing more; tell whether it still played.

    Raises:
        RPCError: Temporal did not accept it.
    """
    try:
        handle = client.get_workflow_handle(workflow_id.removeprefix(_INCIDENT))
        await handle.signal(DRILL_STOPPED, rpc_timeout=_RPC)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True
