"""The one pending timer of a workflow."""

import asyncio
from datetime import datetime

from temporalio import workflow

from incidents.cutting import cut

LONGEST_SUMMARY = 120
"""Characters of what the Temporal UI shows of a timer or an activity."""
SHORTEST = 0.001
"""Seconds that a timer runs at least: the server takes none of zero."""


class UpdatableTimer:
    """A timer that is started again only when the next due time changes, which keeps history short."""

    def __init__(self) -> None:
        """Start without a timer."""
        self._due: datetime | None = None
        self._timer: asyncio.Task[None] | None = None

    def set(self, due: datetime | None, summary: str) -> bool:
        """Fire at `due`; with None, never. Tell whether that took a command."""
        if due == self._due and not self.fired:
            return False
        armed = self._timer is not None and not self.fired
        self.clear()
        self._due = due
        if due is not None:
            delay = max((due - workflow.now()).total_seconds(), SHORTEST)
            self._timer = asyncio.create_task(workflow.sleep(delay, summary=cut(summary, LONGEST_SUMMARY)))
        return armed or due is not None

    @property
    def fired(self) -> bool:
        """Tell whether the timer has fired."""
        return self._timer is not None and self._timer.done()

    def now(self) -> datetime:
        """Return the time by which obligations are due: when the timer has fired, at least the time it was set for.

        The clock alone must not decide that: the machines of a server do not agree to the millisecond.
        """
        now = workflow.now()
        return max(now, self._due) if self.fired and self._due is not None else now

    def clear(self) -> None:
        """Drop the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._due = self._timer = None
