"""Maintenance windows: tell incidents that wait for the end of one which windows run now."""

from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.contracts import WINDOWS_CHANGED, WindowsChanged
from incidents.names import INCIDENT_WORKFLOW
from incidents.search_attributes import NUMBER

_RPC = timedelta(seconds=10)
_NOT_OPENED = f"WorkflowType = '{INCIDENT_WORKFLOW}' AND ExecutionStatus = 'Running' AND {NUMBER.name} IS NULL"
"""Incidents without a number: those that wait, and some that are being opened, to which it makes no difference."""


class Maintenance:
    """Announces windows. Asynchronous, as Temporal's client is."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn
    async def announce_windows(self, changed: WindowsChanged) -> int:
        """Tell every incident that is not opened yet; return how many. Telling one twice changes nothing."""
        told = 0
        async for run in self._client.list_workflows(_NOT_OPENED, rpc_timeout=_RPC):
            try:
                await self._client.get_workflow_handle(run.id).signal(WINDOWS_CHANGED, changed, rpc_timeout=_RPC)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:  # ended meanwhile
                    raise
            else:
                told += 1
        return told
