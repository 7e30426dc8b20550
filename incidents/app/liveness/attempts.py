"""Each activity learns until when its attempt may act (`incidents.vendors.attempt`).

The end of an attempt is an instant of the server's clock. This machine's may differ, so it is not asked for the date:
the attempts that began soonest after the server had started them tell how the two clocks compare.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from incidents.domain.activity_requests import ActivityRequest
from incidents.vendors.attempt import Attempt, boot_time

_COMPARED = 32
"""Attempts by which the clocks are compared. More than a worker can receive late at once after a pause; few enough that
a step of the server's clock is soon forgotten."""


class ServerClock:
    """The server's clock, as seen from here."""

    def __init__(self) -> None:
        """Begin without having seen it."""
        self._ahead: deque[float] = deque(maxlen=_COMPARED)

    def began(self, started: datetime) -> float:
        """Return when the server started an attempt that has just been received, by `boot_time`."""
        self._ahead.append(boot_time() - started.timestamp())
        return started.timestamp() + min(self._ahead)


class AttemptDeadlines(Interceptor):
    """Makes every activity run in its `Attempt`."""

    def __init__(self) -> None:
        """Begin with a clock of its own."""
        self._clock = ServerClock()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap the activity."""
        return _Deadline(next, self._clock)


class _Deadline(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, clock: ServerClock) -> None:
        super().__init__(inner)
        self._clock = clock

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        until = self._clock.began(info.started_time) + _time_of(info).total_seconds()
        request = input.args[0] if input.args else None
        repeatable = isinstance(request, ActivityRequest) and request.repeat.is_safe_at_once
        with Attempt(until, repeatable).current():
            return await self.next.execute_activity(input)


def _time_of(info: activity.Info) -> timedelta:
    """Return how long the attempt may take: an activity has its own limit, or what is left of all attempts'."""
    limits = [info.start_to_close_timeout] if info.start_to_close_timeout else []
    if info.schedule_to_close_timeout:
        limits.append(info.scheduled_time + info.schedule_to_close_timeout - info.started_time)
    return min(limits, default=timedelta.max / 2)
