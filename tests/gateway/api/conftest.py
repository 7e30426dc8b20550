"""A gateway with its API, on a real server with a worker; and people with tokens."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import pytest

from incidents.app.api_tokens import ApiTokens, Scope
from incidents.app.settings import Settings
from tests.gateway.calls import calling
from tests.gateway.conftest import empty_world, live_world, sandbox, settings, unhurried
from tests.support.environment import World

__all__ = ["empty_world", "live_world", "sandbox", "settings", "unhurried"]

Token = Callable[..., dict[str, str]]


@pytest.fixture
def token(settings: Settings) -> Token:
    """The header of a new token: `token("ann", Scope.READ)`."""

    def made(name: str, *scopes: Scope) -> dict[str, str]:
        _, text = ApiTokens(settings.api_tokens).create(name, scopes, datetime.now(UTC))
        return {"authorization": f"Bearer {text}"}

    return made


@pytest.fixture
async def api(
    live_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr("incidents.client.lookup.SEARCH", 1.0)
    async with calling(live_world, settings) as client:
        yield client


@pytest.fixture
def ann(token: Token) -> dict[str, str]:
    """Ann, who may read and respond."""
    return token("ann", Scope.READ, Scope.RESPOND)
