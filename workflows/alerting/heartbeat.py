"""Watches one heartbeat. Its timer runs at Temporal, so an absence is noticed also if the gateway restarts."""

import asyncio
import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from activities.heartbeats import Heartbeats
from incidents.contracts import (
    HEARTBEAT_CAME,
    HEARTBEAT_RETIRED,
    HEARTBEAT_RULE,
    HeartbeatCame,
    HeartbeatInput,
)
from incidents.domain.heartbeat.config import HeartbeatRule
from incidents.domain.heartbeat.watch import HeartbeatWatch, build_report, render_current_details
from incidents.priority import FIRST_RANK, priority_of
from workflows.obligation_loop import force_history_event

_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
"""Without an end: an absence that is not reported is noticed by nobody."""


@workflow.defn
class HeartbeatWorkflow:
    """The watch for one heartbeat, until runbook.yaml does not name it any more."""

    @workflow.init
    def __init__(self, start: HeartbeatInput) -> None:
        """Begin the watch, or take it over from the run before. A heartbeat may arrive before `run` starts."""
        self._watch = start.watch or HeartbeatWatch(name=start.name, rule=start.rule, last_at=workflow.now())
        self._revision, self._seen, self._retired = 0, 0, False

    @workflow.run
    async def run(self, start: HeartbeatInput) -> None:
        """Report each absence and each return."""
        workflow.set_current_details(render_current_details(self._watch))
        while not self._retired:
            if self._is_long(start.history_limit):
                workflow.continue_as_new(start.replace(rule=self._watch.rule, watch=self._watch))
            if self._watch.returned or self._watch.is_absent(workflow.now()):
                await self._report()
            else:
                await self._wait()

    def _is_long(self, limit: int) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or 0 < limit <= info.get_current_history_length()

    async def _report(self) -> None:
        """Tell the intake, for as long as it takes. What arrives meanwhile is reported afterwards."""
        watch = self._watch
        await workflow.execute_activity_method(
            Heartbeats.report_heartbeat,
            build_report(watch),
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=_RETRY,
            summary=f"{watch.name} has {'returned' if watch.returned else 'not come'}",
            priority=priority_of(FIRST_RANK),
        )
        self._watch = self._watch.replace(reported_for=None if watch.returned else watch.last_at)
        self._changed()

    async def _wait(self) -> None:
        """Wait for the next message or, unless an absence is reported already, until the heartbeat is overdue."""
        self._seen = self._revision
        reported = self._watch.reported_for is not None
        left = None if reported else self._watch.overdue_at - workflow.now()
        with contextlib.suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: self._revision != self._seen, timeout=left, timeout_summary="The heartbeat is overdue"
            )

    def _changed(self) -> None:
        self._revision += 1
        force_history_event(self._revision)
        workflow.set_current_details(render_current_details(self._watch))

    @workflow.signal(name=HEARTBEAT_CAME, description="A heartbeat arrived.")
    def heartbeat_came(self, came: HeartbeatCame) -> None:
        """Record a heartbeat."""
        self._watch = self._watch.record(came.at, workflow.now())
        self._changed()

    @workflow.signal(name=HEARTBEAT_RULE, description="The settings of this heartbeat in runbook.yaml.")
    def heartbeat_rule(self, rule: HeartbeatRule) -> None:
        """Take over the rule as it is now. The last heartbeat counts on."""
        self._watch = self._watch.replace(rule=rule)
        self._changed()

    @workflow.signal(name=HEARTBEAT_RETIRED, description="runbook.yaml no longer has this heartbeat.")
    def heartbeat_retired(self) -> None:
        """End the watch."""
        self._retired = True
        self._changed()
