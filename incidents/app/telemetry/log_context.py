"""Lets every line that is logged within an activity have the activity's fields."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from incidents.app.telemetry.numbers import remember_number
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import NumberAllocated


class LogContext(Interceptor):
    """Binds workflow id, activity, attempt and obligation while an activity runs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap the activity."""
        return _Bound(next)


class _Bound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        request = input.args[0] if input.args else None
        fields: dict[str, str | int] = {"activity": info.activity_type, "attempt": info.attempt}
        if info.workflow_id:
            fields["workflow_id"] = info.workflow_id
        if isinstance(request, ActivityRequest):
            fields["obligation"] = request.key
        with structlog.contextvars.bound_contextvars(**fields):
            result = await self.next.execute_activity(input)
        if isinstance(result, NumberAllocated) and info.workflow_id and result.number is not None:
            remember_number(info.workflow_id, result.number)
        return result
