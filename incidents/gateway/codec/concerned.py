"""Which incidents a workflow's payloads are of."""

from collections.abc import Awaitable, Callable

from temporalio.client import Client, WorkflowExecutionDescription

from incidents.client.asking import TIMEOUT
from incidents.client.lookup import describe, find
from incidents.client.paging.own_pages import workflow_of
from incidents.client.problems import NotFound
from incidents.domain.incident.incident import Incident
from incidents.gateway.web.reads import IncidentReaders
from incidents.names import INCIDENT_WORKFLOW

_POSTMORTEM = "postmortem-"
_MOST = 10
"""Incidents of one workflow id that are read."""


class ConcernedIncidents:
    """Finds the incidents of a workflow. `connect` raises `RPCError` while Temporal is unreachable."""

    def __init__(self, connect: Callable[[], Awaitable[Client]]) -> None:
        self._connect, self._readers = connect, IncidentReaders()

    async def read(self, workflow_id: str) -> tuple[Incident, ...] | None:
        """Return every incident that this workflow is or was of; None if they are not all known.

        A later incident of the same alert has the same workflow id, so there may be several: a payload does not tell
        which of them it is of.

        Raises:
            RPCError: Temporal did not answer.
        """
        client = await self._connect()
        try:
            runs = await _runs(client, workflow_id)
        except NotFound:
            return None
        found: list[Incident] = []
        for run in runs:
            reading = await self._readers.reader_of(client, run).read()
            if reading.incident is None or reading.warning:  # it may have become private meanwhile
                return None
            found.append(reading.incident)
        return tuple(found)


async def _runs(client: Client, workflow_id: str) -> tuple[WorkflowExecutionDescription, ...]:
    """Return the runs of the incidents, each by its latest.

    Raises:
        NotFound: it is no incident's workflow, or there are more than `_MOST`.
    """
    number = workflow_id.removeprefix(_POSTMORTEM)
    if number != workflow_id and number.isdecimal():
        return (await find(client, number),)
    if not workflow_of(workflow_id) or {'"', "'", "\\"} & {*workflow_id}:  # the latter would end the query's text
        raise NotFound(f"{workflow_id} is no incident")
    latest = await find(client, workflow_id)
    query = f"WorkflowId = '{workflow_id}' AND WorkflowType = '{INCIDENT_WORKFLOW}'"
    ended = f"{query} AND ExecutionStatus NOT IN ('Running', 'ContinuedAsNew')"
    runs = {latest.run_id: latest}
    async for run in client.list_workflows(ended, limit=_MOST, rpc_timeout=TIMEOUT):
        if run.run_id not in runs:
            runs[run.run_id] = await describe(client, run.id, run.run_id)
    if len(runs) > _MOST:
        raise NotFound(f"{workflow_id} has had too many incidents to read")
    return tuple(runs.values())
