"""The real worker, which kills itself (SIGKILL) at the points that its environment names, at each of them once."""

import os
import signal
from collections.abc import Collection
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from incidents.app.connection import run_and_exit
from incidents.app.worker import serve
from tests.chaos.lifecycle.kill_points import FLAGS, POINTS, KillPoint, Side


class KillPoints(Interceptor):
    """Kills the process right before or right after an activity. `home`: where it notes that it has."""

    def __init__(self, points: Collection[KillPoint], home: Path) -> None:
        self._points, self._home = points, home

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Stand around every activity."""
        return _Killing(next, self)

    def reach(self, side: Side) -> None:
        """Kill the process if this is one of its points, and no process has died there yet."""
        info = activity.info()
        point = KillPoint(side, f"{info.workflow_type}.{info.activity_type}")
        if point not in self._points:
            return
        try:
            point.flag(self._home).touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


class _Killing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, points: KillPoints) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._points = points

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        self._points.reach(Side.BEFORE)
        result = await super().execute_activity(input)
        self._points.reach(Side.AFTER)
        return result


if __name__ == "__main__":
    points = [KillPoint.parse(text) for text in os.environ[POINTS].split(",")]
    run_and_exit(serve([KillPoints(points, Path(os.environ[FLAGS]))]))
