"""Signals that nobody can handle: dropped before they reach a handler, where they would stop the workflow for good."""

import inspect

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.worker import (
    HandleSignalInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)


class SignalGuard(Interceptor):
    """Drops signals whose arguments do not fit their handler, as the SDK drops those that cannot be decoded.

    The Web UI sends a signal without input as one without arguments, or with `null`. A handler would raise on either,
    and its workflow task would fail and be retried forever.
    """

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002
        """Return the interceptor of each workflow."""
        return _Guard


class _Guard(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002 - the SDK's name
        if _fits(input):
            await super().handle_signal(input)
        else:
            workflow.logger.warning("Dropped the signal %s: its arguments are missing or too many", input.signal)


def _fits(told: HandleSignalInput) -> bool:
    """Tell whether the handler can be called so. None of ours takes `None`."""
    handler = workflow.get_signal_handler(told.signal)
    if handler is None:
        return True
    try:
        inspect.signature(handler).bind(*told.args)
    except TypeError:
        return False
    return not any(_is_null(argument) for argument in told.args)


def _is_null(argument: object) -> bool:
    """Tell whether an argument is `null`, decoded or, where its handler decodes it, still raw."""
    raw = argument.payload.metadata.get("encoding") if isinstance(argument, RawValue) else b""
    return argument is None or raw == b"binary/null"
