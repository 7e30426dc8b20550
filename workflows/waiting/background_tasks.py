"""Work that goes on beside a workflow's main loop, each piece with an owner."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class BackgroundTasks:
    """The tasks that a workflow's loop has started, by key. Nothing is orphaned."""

    def __init__(self) -> None:
        """Start with none."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._withdrawable: dict[str, None] = {}

    def __contains__(self, key: object) -> bool:
        """Tell whether that task has been started and not been collected."""
        return key in self._tasks

    def __len__(self) -> int:
        """Return how many have been started and not been collected."""
        return len(self._tasks)

    def start(self, key: str, work: Coroutine[Any, Any, None], *, withdrawable: bool = False) -> None:
        """Run `work` beside the loop. If it is withdrawable, `cancel_except` may cancel it."""
        self._tasks[key] = asyncio.create_task(work)
        if withdrawable:
            self._withdrawable[key] = None

    def cancel_except(self, keys: list[str]) -> None:
        """Cancel the withdrawable tasks whose key is not among `keys`; each ends when it has cleaned up."""
        for key in [key for key in self._withdrawable if key not in keys]:
            del self._withdrawable[key]
            self._tasks[key].cancel()

    def any_finished(self) -> bool:
        """Tell whether a task has finished that was not collected."""
        return any(task.done() for task in self._tasks.values())

    def collect_finished(self) -> None:
        """Forget the tasks that have finished; raise the error of one that failed."""
        for key in [key for key, task in self._tasks.items() if task.done()]:
            task = self._tasks.pop(key)
            self._withdrawable.pop(key, None)
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def cancel_all(self) -> None:
        """Cancel every task and wait for it."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._withdrawable.clear()
