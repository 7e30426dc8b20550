"""Which queries a client sends: seen on their way, as a real server answers them."""

from dataclasses import dataclass, field
from typing import Any

from temporalio.client import Client, Interceptor, OutboundInterceptor, QueryWorkflowInput
from temporalio.contrib.pydantic import pydantic_data_converter


@dataclass
class SeenQueries(Interceptor):
    """Notes the name of each query that is sent. `faults`: errors to raise instead of sending the next ones."""

    names: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        return _Outbound(next, self)

    def client(self, like: Client) -> Client:
        """A client of the same server whose queries are seen."""
        service, namespace = like.service_client, like.namespace
        return Client(service, namespace=namespace, data_converter=pydantic_data_converter, interceptors=[self])


class _Outbound(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, seen: SeenQueries) -> None:
        super().__init__(following)
        self._seen = seen

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:  # noqa: A002
        self._seen.names.append(input.query)
        if self._seen.faults:
            raise self._seen.faults.pop(0)
        return await super().query_workflow(input)
