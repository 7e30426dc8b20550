"""Heartbeats by Temporal: tell a watch that one came, and keep one watch for each that runbook.yaml names."""

from datetime import datetime, timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from incidents.contracts import HEARTBEAT_CAME, HEARTBEAT_RETIRED, HEARTBEAT_RULE, HeartbeatCame, HeartbeatInput
from incidents.domain.config.model import HISTORY_EVENTS, RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.heartbeat.config import HeartbeatRule
from incidents.names import HEARTBEAT_WORKFLOW
from incidents.priority import FIRST_RANK, priority_of

_RPC = timedelta(seconds=10)
_PREFIX = "heartbeat-"


def watch_id(name: str) -> str:
    """Return the id of the workflow that watches a heartbeat."""
    return f"{_PREFIX}{name}"


async def send_heartbeat(client: Client, name: str, rule: HeartbeatRule, at: datetime, task_queue: str) -> None:
    """Record that a heartbeat came, durably; its watch is started if it does not run.

    Raises:
        RPCError: Temporal did not accept it. Calling again is safe.
    """
    await _signal(client, name, rule, task_queue, HEARTBEAT_CAME, HeartbeatCame(at=at))


async def ensure_heartbeats(client: Client, runbook: RunbookConfig, task_queue: str) -> str:
    """Start the watch of each heartbeat of the runbook, or tell it the rule; end those of others. Return a log line.

    A heartbeat that never came is overdue `every` and `grace` after its watch began. Safe to repeat.

    Raises:
        RPCError: Temporal is unreachable.
    """
    for name, rule in runbook.heartbeats.items():
        await _signal(client, name, rule, task_queue, HEARTBEAT_RULE, rule)
    await _retire_others(client, runbook)
    return f"Heartbeats watched: {', '.join(runbook.heartbeats) or 'none (heartbeats in runbook.yaml)'}"


async def _retire_others(client: Client, runbook: RunbookConfig) -> None:
    query = f"WorkflowType = '{HEARTBEAT_WORKFLOW}' AND ExecutionStatus = 'Running'"
    async for run in client.list_workflows(query, rpc_timeout=_RPC):
        if run.id.removeprefix(_PREFIX) in runbook.heartbeats:
            continue
        try:
            await client.get_workflow_handle(run.id).signal(HEARTBEAT_RETIRED, rpc_timeout=_RPC)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # ended meanwhile
                raise


async def _signal(
    client: Client, name: str, rule: HeartbeatRule, task_queue: str, signal: str, payload: Frozen
) -> None:
    await client.start_workflow(
        HEARTBEAT_WORKFLOW,
        HeartbeatInput(name=name, rule=rule, history_limit=HISTORY_EVENTS),
        id=watch_id(name),
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=signal,
        start_signal_args=[payload],
        static_summary=f"Watches the heartbeat {name}",
        priority=priority_of(FIRST_RANK),
        rpc_timeout=_RPC,
    )
