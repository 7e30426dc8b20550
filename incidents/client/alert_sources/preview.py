"""What a payload would do: read as the gateway reads it, and compared with the incidents and windows of now."""

from collections.abc import Sequence
from datetime import datetime

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.asking import TIMEOUT
from incidents.client.lookup import label
from incidents.client.maintenance import started_windows
from incidents.domain.alerting.alert import Alert, grouped
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.status import Status
from incidents.domain.preview.alerts import Preview, preview
from incidents.domain.preview.joining import Running
from incidents.search_attributes import MERGED, STATUS


async def previews(
    alerts: Sequence[Alert], runbook: RunbookConfig, at: datetime, client: Client | None
) -> list[Preview]:
    """Return what the alerts would do, one result per incident. Nothing is sent.

    Without a client, no incident counts as open and no started window as running.

    Raises:
        RPCError: Temporal did not answer.
    """
    windows = tuple(each.window for each in await started_windows(client, TIMEOUT)) if client is not None else ()
    return [
        preview(key, group, runbook, at, windows=windows, running=await _running(client, f"incident-{key}"))
        for key, group in grouped(alerts, runbook.intake).items()
    ]


async def _running(client: Client | None, workflow_id: str) -> Running | None:
    """Return the incident of a workflow id, if its workflow runs."""
    if client is None:
        return None
    try:
        run = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    if run.status is not WorkflowExecutionStatus.RUNNING:
        return None
    status = run.typed_search_attributes.get(STATUS)
    return Running(name=label(run), over=status in (Status.RESOLVED, Status.CANCELLED), merged=status == MERGED)
