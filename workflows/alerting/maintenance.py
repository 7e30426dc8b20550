"""Holds the maintenance windows that responders have started. Its memo lists them: no worker is asked for them."""

import asyncio
import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from activities.maintenance import Maintenance
from incidents.contracts import WINDOWS_MEMO, WindowsChanged
from incidents.domain.alerting.started_windows import EndWindow, StartedWindows, StartWindow, describe
from incidents.domain.config.model import HISTORY_EVENTS
from incidents.domain.core.command import Receipt
from incidents.priority import FIRST_RANK, priority_of

_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
"""Without an end: an incident that is not told waits for a window that was ended."""
_LAG = timedelta(seconds=10)
"""After which the incidents are told again: the list of incidents may lack those of the last seconds."""


@workflow.defn
class MaintenanceWorkflow:
    """The started windows: one workflow, `maintenance-windows`."""

    @workflow.init
    def __init__(self, windows: StartedWindows) -> None:
        """Begin, or go on from the run before. An update may arrive before `run` starts."""
        self._windows = windows
        self._changes, self._announced = 0, 0

    @workflow.run
    async def run(self, windows: StartedWindows) -> None:
        """Serve until history is long enough to start over, with every change announced."""
        self._show()
        while not self._is_long() or self._announced != self._changes:
            if self._announced != self._changes:
                await self._announce()
            else:
                await self._wait()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._windows)

    def _is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() >= HISTORY_EVENTS

    async def _wait(self) -> None:
        """Wait for a change or for the end of a window. Incidents know that end: nobody is told."""
        end, now = self._windows.next_end, workflow.now()
        left = None if end is None else max(end - now, timedelta())
        with contextlib.suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: self._announced != self._changes or self._is_long(),
                timeout=left,
                timeout_summary="A maintenance window ends",
            )
        self._windows = self._windows.without_past(workflow.now())
        self._show()

    async def _announce(self) -> None:
        changes = self._changes
        for pause in (timedelta(), _LAG):
            if pause:
                await workflow.sleep(pause, summary="Tell again, since the list of incidents lags")
            await workflow.execute_activity_method(
                Maintenance.announce_windows,
                WindowsChanged(windows=self._windows.windows),
                start_to_close_timeout=timedelta(minutes=1),
                retry_policy=_RETRY,
                summary="Tell incidents that wait for the end of maintenance",
                priority=priority_of(FIRST_RANK),
            )
        self._announced = changes

    def _show(self) -> None:
        """Put the windows where they are read without a worker. It also leaves a command in each task's history."""
        workflow.upsert_memo({WINDOWS_MEMO: self._windows.listed})
        lines = [f"- {each.number}: {describe(each.window)}, started by {each.by}" for each in self._windows.listed]
        workflow.set_current_details("\n".join(lines) or "No maintenance window was started. Let it run.")

    def _change(self, windows: StartedWindows) -> bool:
        """Take over the windows; tell whether that changed any."""
        if windows == self._windows:
            return False
        self._windows = windows
        self._changes += 1
        self._show()
        return True

    @workflow.update(name=StartWindow.name, description=StartWindow.help_text)
    def start_window(self, command: StartWindow) -> Receipt:
        """Start a window."""
        changed = self._change(self._windows.start(command, workflow.now()))
        newest = self._windows.listed[-1] if self._windows.listed else None
        said = f"Maintenance window {newest.number}: {describe(newest.window)}" if newest else "Already over."
        return Receipt(message=said, changed=changed)

    @start_window.validator
    def _may_start(self, command: StartWindow) -> None:
        """Raise as `start_window` would, changing nothing."""
        self._windows.start(command, workflow.now())

    @workflow.update(name=EndWindow.name, description=EndWindow.help_text)
    def end_window(self, command: EndWindow) -> Receipt:
        """End a window."""
        changed = self._change(self._windows.end(command))
        said = f"Maintenance window {command.number} ended. Alerts that it covered open their incidents now."
        return Receipt(message=said, changed=changed)

    @end_window.validator
    def _may_end(self, command: EndWindow) -> None:
        """Raise as `end_window` would, changing nothing."""
        self._windows.end(command)
