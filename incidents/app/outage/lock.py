"""Which process reports an outage: the one that starts, and the one that ends, the workflow that stands for it.

Temporal answers both without a worker, and to one process only. The workflow's id is the outage's.
"""

import uuid
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from incidents.domain.operators.outage import Notice
from incidents.domain.operators.outage_texts import outage_title, what_happened
from incidents.names import OUTAGE_WORKFLOW

LONGEST = timedelta(days=7)
"""A longer outage is reported again, by processes that have started since."""
_OWNER = "owner"
_TIMEOUT = timedelta(seconds=5)


class OutageLock:
    """One process's claims."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client, self._queue, self._owner = client, task_queue, uuid.uuid4().hex

    async def claim(self, notice: Notice) -> bool:
        """Tell whether this process is to report it.

        Raises:
            RPCError, RuntimeError: Temporal did not answer; the claim can be repeated.
        """
        return await (self._end(notice) if notice.over else self._begin(notice))

    async def _begin(self, notice: Notice) -> bool:
        try:
            await self._client.start_workflow(
                OUTAGE_WORKFLOW,
                id=_id(notice),
                task_queue=self._queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                execution_timeout=LONGEST,
                memo={_OWNER: self._owner},
                static_summary=outage_title(notice),
                static_details=what_happened(notice),
                rpc_timeout=_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return await self._is_ours(notice)
        return True

    async def _is_ours(self, notice: Notice) -> bool:
        """Tell whether an earlier attempt of this process, whose answer was lost, has started it."""
        described = await self._client.get_workflow_handle(_id(notice)).describe(rpc_timeout=_TIMEOUT)
        return bool(await described.memo_value(_OWNER, "") == self._owner)

    async def _end(self, notice: Notice) -> bool:
        handle = self._client.get_workflow_handle(_id(notice))
        try:
            await handle.terminate(reason=what_happened(notice), rpc_timeout=_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True


def _id(notice: Notice) -> str:
    return f"outage-{notice.key}"
