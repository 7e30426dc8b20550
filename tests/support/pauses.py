"""Wait for the moments at which it is worth asking a workflow again.

A question that comes alone has a worker as shipped forget the run, and replay it all for the answer
(`incidents/app/liveness/query_safety.py`). The server tells a history's length for a thirtieth of that.
"""

import asyncio
import contextlib

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

_LOOK = 0.02
_LOOKS = 10


class Pauses:
    """The pauses of one workflow, over all of its runs."""

    def __init__(self, client: Client, workflow_id: str, *, at_once: bool = False) -> None:
        """Look at that workflow's history. `at_once`: the first pause is now: its answers are cheap."""
        self._service = client.workflow_service
        execution = WorkflowExecution(workflow_id=workflow_id)
        self._request = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
        self._at_once = at_once
        self._known: tuple[str, int] | None = None

    async def next(self) -> None:
        """Wait until the history stands still and is another than at the last pause, but for ten looks at most."""
        if self._at_once:
            self._at_once = False
            return
        seen = await self._length()
        for _ in range(_LOOKS):
            await asyncio.sleep(_LOOK)
            before, seen = seen, await self._length()
            if before == seen != self._known:
                break
        self._known = seen

    async def _length(self) -> tuple[str, int] | None:
        with contextlib.suppress(RPCError):  # a busy server: who waits asks the workflow itself in a moment
            found = (await self._service.describe_workflow_execution(self._request)).workflow_execution_info
            return found.execution.run_id, found.history_length
        return None
