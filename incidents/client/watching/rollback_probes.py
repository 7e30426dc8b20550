"""The probes of a rollback that is being verified, from the heartbeats of its activities. Needs no worker."""

from typing import Any

from pydantic import ValidationError
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client

from incidents.client.lookup import describe, is_open
from incidents.client.problems import NotFound
from incidents.client.watching.activity_summaries import ActivitySummaries
from incidents.domain.core.base import Frozen
from incidents.domain.rollback.verification import ProbeResult

_VERIFICATION = "verify_region"
"""The type of the activity that probes a region (activities/rollback/health.py)."""


class ProbeSeries(Frozen):
    """The probes of one region that its verdict may still need. `title`: such as `Verify eu: health and latency`.

    `count`: all probes so far.
    """

    title: str
    count: int
    probes: tuple[ProbeResult, ...]


class ProbeReader:
    """Reads the probes of running rollbacks."""

    def __init__(self, client: Client) -> None:
        """Read by that client."""
        self._client = client
        self._summaries = ActivitySummaries(client)

    async def read(self, workflow_id: str) -> tuple[ProbeSeries, ...]:
        """Return the probes of each region that the rollback verifies now; nothing once it has ended."""
        try:
            run = await describe(self._client, workflow_id)
        except NotFound:
            return ()
        pending = run.raw_description.pending_activities
        verifying = [activity for activity in pending if activity.activity_type.name == _VERIFICATION]
        if not is_open(run) or not verifying:
            return ()
        summaries = await self._summaries.read(run, verifying)
        found = [await self._series(activity, summaries[activity.activity_id]) for activity in verifying]
        return tuple(sorted((series for series in found if series.probes), key=lambda series: series.title))

    async def _series(self, activity: PendingActivityInfo, title: str) -> ProbeSeries:
        details: list[Any] = await self._client.data_converter.decode(activity.heartbeat_details.payloads)
        count, *rows = details or (0,)
        try:
            probes = tuple(ProbeResult.model_validate(row) for row in rows)
        except ValidationError:  # a worker of another version
            probes = ()
        return ProbeSeries(title=title, count=int(count), probes=probes)
