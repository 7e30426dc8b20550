"""Incident numbers, allocated by the number workflow."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from incidents.domain.activity_requests import AllocateNumber
from incidents.domain.activity_results import NumberAllocated
from incidents.domain.numbering import Allocated, Ledger
from incidents.names import ALLOCATE_NUMBER, NUMBERS_ID, NUMBERS_WORKFLOW
from incidents.priority import FIRST_RANK, priority_of

_TIMEOUT = timedelta(seconds=8)
_AT_ONCE = 5


class Numbers:
    """Allocates numbers. Asynchronous, as Temporal's client is."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client, self._task_queue = client, task_queue
        # Temporal accepts ten concurrent updates per workflow and rejects more: in an alert storm, wait here.
        self._turn = asyncio.Semaphore(_AT_ONCE)

    @activity.defn
    async def allocate_number(self, request: AllocateNumber) -> NumberAllocated:
        """Allocate the incident's number. Idempotent: the counter remembers the incident's first run id."""
        counter: WithStartWorkflowOperation[Any, None] = WithStartWorkflowOperation(
            NUMBERS_WORKFLOW,
            Ledger(),
            id=NUMBERS_ID,
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            priority=priority_of(FIRST_RANK),  # one counter for all: the worst incident must not wait for it
            static_summary="Allocates incident numbers",
        )
        async with self._turn:
            allocated: Allocated = await self._client.execute_update_with_start_workflow(
                ALLOCATE_NUMBER,
                request.allocation,
                start_workflow_operation=counter,
                result_type=Allocated,
                rpc_timeout=_TIMEOUT,
            )
        return NumberAllocated(
            number=allocated.number,
            recurrence_of=allocated.recurrence_of,
            surge_parent=allocated.surge_parent,
            detail=f"INC-{allocated.number}",
        )
