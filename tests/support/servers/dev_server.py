"""One development server for the tests of a process; each test has a namespace of its own, as new as a new server.

A namespace is there at once, and a server takes a second or two on a busy machine. A test that stops its server, or
reads what is said of a namespace by its name, starts its own (`sandbox/temporal_server.py`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

from incidents.search_attributes import SEARCH_ATTRIBUTES
from sandbox.temporal_server import connected, running_temporal


class DevServer:
    """Gives out namespaces that nobody has used."""

    def __init__(self, address: str) -> None:
        """Use the server at that address, for as long as it runs."""
        self._address = address
        self._names = (f"test-{number}" for number in count(1))

    async def client(self, converter: DataConverter = pydantic_data_converter) -> Client:
        """Return a client of a new namespace, which knows our search attributes."""
        name = next(self._names)
        client = await connected(self._address, namespace=name, converter=converter)
        namespace = RegisterNamespaceRequest(namespace=name)
        namespace.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
        await client.workflow_service.register_namespace(namespace, retry=True)
        attributes = {k.name: IndexedValueType.ValueType(k.indexed_value_type) for k in SEARCH_ATTRIBUTES}
        request = AddSearchAttributesRequest(namespace=name, search_attributes=attributes)
        await client.operator_service.add_search_attributes(request, retry=True)
        return client


WITHOUT_WORKERS = ("worker.perNamespaceWorkerCount=0",)
"""Else the server runs workers of its own for each namespace until it ends: each test costs more memory and CPU."""


@contextmanager
def running_dev_server(settings: Sequence[str] = ()) -> Iterator[DevServer]:
    """A development server until the end."""
    with running_temporal(settings=settings) as (address, _):
        yield DevServer(address)
