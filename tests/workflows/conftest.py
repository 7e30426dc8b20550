"""A fresh time-skipping server for each test: its clock is global, and an open child would freeze the next test.

The development server is shared; each test has a namespace of its own there.
"""

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import WorkflowEnvironment

from incidents.app.liveness.query_safety import QuerySafety
from incidents.rehearsal.server import skipping_server
from tests.support.environment import World
from tests.support.fake_activities import FakeActivities
from tests.support.servers.dev_server import DevServer


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A world whose worker runs."""
    async with skipping_server() as env:
        world = World(env=env, activities=FakeActivities())
        async with world.worker():
            yield world
            await world.assert_sound()


async def world_on(dev_server: DevServer, *, sandboxed: bool) -> World:
    """Return a world on the development server, in real time, without a worker."""
    env = WorkflowEnvironment.from_client(await dev_server.client())
    return World(env=env, activities=FakeActivities(), safety=QuerySafety.EVICT, sandboxed=sandboxed)


@pytest.fixture
async def empty_world(dev_server: DevServer) -> World:
    """A world on the development server without a worker."""
    return await world_on(dev_server, sandboxed=True)


@pytest.fixture
async def live_world(empty_world: World) -> AsyncIterator[World]:
    """A world on the development server, in real time: for what the time-skipping server loses or does not have."""
    async with empty_world.worker():
        yield empty_world
        await empty_world.assert_sound()
