"""Other workflows, through Temporal: lock holder, result of a rollback, baseline recorder.

Only descriptions, results and signals: no activity queries a workflow (tests/house/test_queries.py).
"""

import asyncio
from contextlib import suppress

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from incidents.contracts import PROBED
from incidents.domain.activity_results import ActivityResult
from incidents.domain.core.errors import ErrorType
from incidents.domain.rollback.activity_requests import FindLockHolder, FollowRollback
from incidents.domain.rollback.baseline import Recording
from incidents.domain.rollback.order import HOLDER, Probed, RollbackResult

RECORDER = "latency-recorder"
"""The id of the schedule that runs the recorder."""
_BEAT = 5.0
_SEND_WITHIN = 5.0


class WorkflowQueries:
    """Reads and signals workflows. Asynchronous, as Temporal's client is."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn
    async def find_lock_holder(self, request: FindLockHolder) -> ActivityResult:
        """Return which incident a rollback workflow runs for."""
        description = await self._client.get_workflow_handle(request.workflow_id).describe()
        memo = await description.memo()
        since = f"{description.start_time:%H:%M} UTC"
        return ActivityResult(detail=f"{memo.get(HOLDER, 'unknown')} since {since} ({request.workflow_id})")

    @activity.defn
    async def follow_rollback(self, request: FollowRollback) -> ActivityResult:
        """Wait for a rollback workflow to end; a terminated or failed one is an error."""
        handle: WorkflowHandle[object, RollbackResult] = self._client.get_workflow_handle(
            request.workflow_id, result_type=RollbackResult
        )
        ending = asyncio.ensure_future(handle.result())
        try:
            while not ending.done():
                activity.heartbeat()
                await asyncio.wait([ending], timeout=_BEAT)
            return ActivityResult(detail=f"{(await ending).status}")
        except WorkflowFailureError as error:
            why = str(error.cause or error)
            raise ApplicationError(
                f"the rollback workflow failed ({why})", type=ErrorType.ROLLBACK_BROKEN, non_retryable=True
            ) from None
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise ApplicationError(
                "the rollback workflow no longer exists", type=ErrorType.ROLLBACK_BROKEN, non_retryable=True
            ) from None
        finally:
            ending.cancel()

    async def recording(self) -> Recording:
        """Return the recorder's latest samples; empty if it never ran or cannot be reached."""
        try:
            described = await self._client.get_schedule_handle(RECORDER).describe()
        except RPCError:
            return Recording()
        for done in reversed(described.info.recent_actions):
            process = getattr(done.action, "workflow_id", "")
            handle: WorkflowHandle[object, Recording] = self._client.get_workflow_handle(process, result_type=Recording)
            with suppress(RPCError, WorkflowFailureError, TimeoutError):
                return await asyncio.wait_for(handle.result(), timeout=2)
        return Recording()

    async def send_progress(self, workflow_id: str, probed: Probed) -> None:
        """Send verification progress to a rollback workflow.

        Best effort: a lost progress signal is harmless, the verdict is the activity's result.
        """
        with suppress(RPCError, TimeoutError):
            sent = self._client.get_workflow_handle(workflow_id).signal(PROBED, probed)
            await asyncio.wait_for(sent, timeout=_SEND_WITHIN)
