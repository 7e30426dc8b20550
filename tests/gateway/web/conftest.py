"""The pages before a world on a real server, as a browser on this machine asks for them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from incidents.app.settings import Settings
from tests.gateway.conftest import empty_world, live_world, sandbox, settings
from tests.gateway.web.browsing import browsing
from tests.support.environment import World

__all__ = ["empty_world", "live_world", "sandbox", "settings"]


@pytest.fixture
async def site(live_world: World, settings: Settings, patient: None) -> AsyncIterator[httpx.AsyncClient]:
    async with browsing(live_world, settings) as client:
        yield client
