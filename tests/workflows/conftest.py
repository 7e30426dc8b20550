"""A fresh time-skipping server for each test: its clock is global, and an open child would freeze the next test.

The development server is shared; each test has a namespace of its own there.
"""

import contextlib
import shutil
from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment

from incidents.app.liveness.query_safety import QuerySafety
from incidents.search_attributes import SEARCH_ATTRIBUTES
from tests.support.environment import World
from tests.support.fake_activities import FakeActivities
from tests.support.servers.dev_server import DevServer


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


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A world whose worker runs."""
    async with skipping_server() as env:
        world = World(env=env, activities=FakeActivities())
        async with world.worker():
            yield world
            await world.assert_sound()


@pytest.fixture
async def empty_world(dev_server: DevServer) -> World:
    """A world on the development server, in real time, without a worker."""
    env = WorkflowEnvironment.from_client(await dev_server.client())
    return World(env=env, activities=FakeActivities(), safety=QuerySafety.EVICT)


@pytest.fixture
async def live_world(empty_world: World) -> AsyncIterator[World]:
    """A world on the development server, in real time: for what the time-skipping server loses or does not have."""
    async with empty_world.worker():
        yield empty_world
        await empty_world.assert_sound()
