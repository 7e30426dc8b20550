"""Work that goes on beside a workflow's main loop, each piece with an owner."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from temporalio import workflow


def leave_trace(revision: int) -> None:
    """Leave one command in the history, for a workflow task that has changed something and commanded nothing.

    The history must hold where each change was made. The SDK may take a workflow task without commands together with
    the one after it, as a worker does that has met the workflow by a query only. What was learnt in two steps is then
    learnt in one, in another order and at a later time; another way is taken, and no other worker can follow it: the
    incident would stand still for ever. With a command in between, such a worker notices, forgets what it thought, and
    reads the history from its beginning.
    """
    workflow.upsert_memo({"revision": revision})


class Tracks:
    """The tasks that a workflow's loop has started, by key. A failure surfaces in the loop; nothing is orphaned."""

    def __init__(self) -> None:
        """Start with none."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._withdrawable: dict[str, None] = {}

    def __contains__(self, key: object) -> bool:
        """Tell whether that track is under way."""
        return key in self._tasks

    def __len__(self) -> int:
        """Return how many are under way."""
        return len(self._tasks)

    def start(self, key: str, work: Coroutine[Any, Any, None], *, withdrawable: bool = False) -> None:
        """Run `work` beside the loop; if it is withdrawable, it may be given up."""
        self._tasks[key] = asyncio.create_task(work)
        if withdrawable:
            self._withdrawable[key] = None

    def withdraw_all_but(self, keys: list[str]) -> None:
        """Give up the withdrawable tracks whose key is not among `keys`; each leaves when it has cleaned up."""
        for key in [key for key in self._withdrawable if key not in keys]:
            del self._withdrawable[key]
            self._tasks[key].cancel()

    def all_ended(self) -> bool:
        """Tell whether no track is still running."""
        return all(task.done() for task in self._tasks.values())

    def ended(self) -> bool:
        """Tell whether a track has ended that `reap` has not seen."""
        return any(task.done() for task in self._tasks.values())

    def reap(self) -> None:
        """Forget the tracks that have ended; raise the error of one that failed."""
        for key in [key for key, task in self._tasks.items() if task.done()]:
            task = self._tasks.pop(key)
            self._withdrawable.pop(key, None)
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def cancel_all(self) -> None:
        """Cancel every track and wait for it."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._withdrawable.clear()


class Alarm:
    """The workflow's one pending timer. It is armed again only when the next due time changes: short history."""

    def __init__(self) -> None:
        """Start without a timer."""
        self._due: datetime | None = None
        self._timer: asyncio.Task[None] | None = None

    def set(self, due: datetime | None, summary: str) -> bool:
        """Ring at `due`; with None, not at all. Tell whether that took a command."""
        if due == self._due and not self.rang:
            return False
        armed = self._timer is not None and not self.rang
        self.clear()
        self._due = due
        if due is not None:
            delay = max((due - workflow.now()).total_seconds(), 0.001)
            self._timer = asyncio.create_task(workflow.sleep(delay, summary=summary[:120]))
        return armed or due is not None

    @property
    def rang(self) -> bool:
        """Tell whether the timer has fired."""
        return self._timer is not None and self._timer.done()

    def now(self) -> datetime:
        """Return the time by which duties are due: when the timer has fired, it is at least the one it was set for.

        The clock alone must not decide that: the machines of a server do not agree to the millisecond.
        """
        now = workflow.now()
        return max(now, self._due) if self.rang and self._due is not None else now

    def clear(self) -> None:
        """Drop the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._due = self._timer = None
