"""Query a workflow, and try again when its answer is only late."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.problems import OTHER_VERSION, NoAnswer, NotFound, lacks_handler
from incidents.domain.core.text.untrusted import one_line

TIMEOUT = timedelta(seconds=8)
"""How long to wait for an answer from Temporal or a worker."""
NO_WORKER = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION)
"""Status codes of a reachable server without a worker that answers."""
_TRANSIENT = (*NO_WORKER, RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.UNAVAILABLE)
"""Status codes worth a retry: as above, a query is already pending ("buffer is full"), or was dropped."""
_FIRST_PAUSE = 0.5
"""Seconds until an unanswered query is sent again, at most; doubled each time."""
_FIRST_ATTEMPT = 1.5
"""Seconds that the first attempt of a query is given; doubled each time. A worker that has to replay needs a second."""


async def ask(handle: WorkflowHandle[Any, Any], query: str, kind: Any, what: str) -> Any:
    """Return a workflow's answer to a query. Transient errors are retried, for `TIMEOUT` in all.

    An attempt is not given all of that time: a query that reaches a worker while the run answers another is dropped
    without an answer, since the run is evicted after each (`app/liveness/query_safety.py`). Sent again, it is answered.

    Args:
        handle: The run to query.
        query: The query's name.
        kind: The type of the answer.
        what: The workflow's display name, for errors.

    Raises:
        NotFound: the workflow does not exist, or rejected the query.
        NoAnswer: no worker answered in time, the workflow stayed too busy, or the worker is of another version.
        RPCError: Temporal did not answer.
    """
    clock = asyncio.get_running_loop().time
    until, pause, attempt_timeout = clock() + TIMEOUT.total_seconds(), _FIRST_PAUSE, _FIRST_ATTEMPT
    while True:
        try:
            left = timedelta(seconds=max(min(until - clock(), attempt_timeout), _FIRST_ATTEMPT))
            return await handle.query(query, result_type=kind, rpc_timeout=left)
        except (WorkflowQueryFailedError, RPCError) as error:
            if clock() + pause >= until or not _is_transient(error):
                raise _unanswered(error, what) from None
        except ValueError as error:  # pydantic's, of the answer: that is not imported here
            raise _other_version(what, one_line(str(error), 120)) from None
        await asyncio.sleep(random.uniform(pause / 10, pause))  # so that many who look do not meet again
        pause, attempt_timeout = pause * 2, attempt_timeout * 2


def _other_version(what: str, detail: str) -> NoAnswer:
    return NoAnswer(
        f"{what} cannot be read: {OTHER_VERSION} ({detail}). The incident is not affected."
        " Install the worker's version."
    )


def _is_transient(error: WorkflowQueryFailedError | RPCError) -> bool:
    """Tell whether a retry of the same query may succeed."""
    if isinstance(error, RPCError):
        return error.status in _TRANSIENT
    return "retry" in error.message.lower()  # a failed query has no code of its own


def _unanswered(error: WorkflowQueryFailedError | RPCError, what: str) -> Exception:
    """Return the exception for a failed query, with a message for responders where the cause is known."""
    if isinstance(error, WorkflowQueryFailedError):
        if _is_transient(error):
            return NoAnswer(f"{what} is busy. Try again in a moment.")
        if lacks_handler(error.message):
            return _other_version(what, one_line(error.message.partition(",")[0], 120))
        return NotFound(f"{what} rejected the query: {error.message.splitlines()[0]}")
    if error.status is RPCStatusCode.NOT_FOUND:
        return NotFound(f"{what} not found")
    if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
        return NoAnswer(f"{what} is busy. Try again in a moment.")
    if error.status in NO_WORKER:
        return NoAnswer(
            f"No worker answered for {what}. Nothing is lost: it continues when a worker is back."
            " `incident list` works without a worker."
        )
    return error
