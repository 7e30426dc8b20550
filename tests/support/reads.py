"""What a client reads: its queries and descriptions, seen on their way to a real server."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import (
    Client,
    DescribeWorkflowInput,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    WorkflowExecutionDescription,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode


@dataclass
class SeenReads(Interceptor):
    """Notes each query by its name, and counts descriptions.

    `faults`: raised instead of sending the next queries. `dropped`: how many of the next queries nobody ever answers.
    """

    queries: list[str] = field(default_factory=list)
    descriptions: int = 0
    faults: list[Exception] = field(default_factory=list)
    dropped: int = 0

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        return _Outbound(next, self)

    def client(self, like: Client) -> Client:
        """A client of the same server whose reads are seen."""
        service, namespace = like.service_client, like.namespace
        return Client(service, namespace=namespace, data_converter=pydantic_data_converter, interceptors=[self])


class _Outbound(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, seen: SeenReads) -> None:
        super().__init__(following)
        self._seen = seen

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:  # noqa: A002
        self._seen.queries.append(input.query)
        if self._seen.faults:
            raise self._seen.faults.pop(0)
        if self._seen.dropped:
            self._seen.dropped -= 1
            assert input.rpc_timeout is not None
            await asyncio.sleep(input.rpc_timeout.total_seconds())
            raise RPCError("Timeout expired", RPCStatusCode.DEADLINE_EXCEEDED, b"")
        return await super().query_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:  # noqa: A002
        self._seen.descriptions += 1
        return await super().describe_workflow(input)
