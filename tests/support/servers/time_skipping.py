"""The time-skipping test server, with what an incident needs."""

import contextlib
import shutil
from collections.abc import AsyncIterator

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment

from incidents.search_attributes import SEARCH_ATTRIBUTES


@contextlib.asynccontextmanager
async def skipping_server(converter: DataConverter = pydantic_data_converter) -> AsyncIterator[WorkflowEnvironment]:
    """A time-skipping server that knows our search attributes."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=shutil.which("temporal-test-server"), data_converter=converter
    ) as env:
        attributes = {k.name: IndexedValueType.ValueType(k.indexed_value_type) for k in SEARCH_ATTRIBUTES}
        request = AddSearchAttributesRequest(namespace="default", search_attributes=attributes)
        await env.client.operator_service.add_search_attributes(request)
        yield env
