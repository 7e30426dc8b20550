"""The pages before a world on a real server, as a browser on this machine asks for them."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from incidents.app.settings import Settings
from tests.gateway.conftest import empty_world, live_world, sandbox, settings
from tests.gateway.web.browsing import browsing
from tests.support.environment import World

__all__ = ["empty_world", "live_world", "sandbox", "settings"]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine answers late; how long a page waits is not what is tested."""
    monkeypatch.setattr("incidents.client.asking.TIMEOUT", timedelta(seconds=30))


@pytest.fixture
async def site(live_world: World, settings: Settings, patient: None) -> AsyncIterator[httpx.AsyncClient]:
    async with browsing(live_world, settings) as client:
        yield client
