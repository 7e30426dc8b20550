"""Heartbeats: bring their absence, and their return, to an incident as any alert."""

from datetime import timedelta

from temporalio import activity
from temporalio.client import Client

from incidents.client.intake import intake
from incidents.domain.config.model import RunbookConfig
from incidents.domain.heartbeat.watch import HeartbeatReport, build_alert


class Heartbeats:
    """Reports heartbeats. `runbook`: the worker's own, which an incident that they open is to follow."""

    def __init__(self, client: Client, task_queue: str, runbook: RunbookConfig) -> None:
        self._client, self._queue, self._runbook = client, task_queue, runbook

    @activity.defn
    async def report_heartbeat(self, report: HeartbeatReport) -> str:
        """Open the incident of an absent heartbeat, or tell it that the heartbeat has returned; return its workflow id.

        A repeated attempt tells the same incident the same alert once more.
        """
        alert = build_alert(report, self._runbook)
        [told] = await intake(self._client, (alert,), self._runbook, self._queue, give_up_after=timedelta())
        return told.workflow_id
