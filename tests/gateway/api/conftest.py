"""A gateway with its API, on a real server with a worker; and people with tokens."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from incidents.app.api_tokens import ApiTokens, Scope
from incidents.app.settings import Settings
from incidents.domain.incident.incident import Incident
from tests.gateway.calls import calling
from tests.gateway.conftest import empty_world, live_world, sandbox, settings, unhurried
from tests.support.environment import World

__all__ = ["empty_world", "live_world", "sandbox", "settings", "unhurried"]

Token = Callable[..., dict[str, str]]
LIST = "/api/v1/incidents"
BODY = {"title": "Evaluations fail", "service": "flag-evaluation", "severity": "P1"}


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


async def opened(world: World, api: httpx.AsyncClient, headers: dict[str, str], **more: Any) -> str:
    """The path of an incident that was opened by the API."""
    answer = await api.post(LIST, json=BODY | more, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["url"]
    world.handle = world.env.client.get_workflow_handle(answer.json()["workflow_id"], result_type=Incident)
    await world.settled()
    return f"{LIST}/{answer.json()['workflow_id']}"


async def tell(api: httpx.AsyncClient, path: str, command: str, headers: dict[str, str], **body: Any) -> httpx.Response:
    """Send a command."""
    return await api.post(f"{path}/commands/{command}", json=body, headers=headers)
