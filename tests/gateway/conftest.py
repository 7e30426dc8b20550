"""A world on a real server with a worker, the sandbox, and the gateway before them."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from incidents.app.settings import Settings, load_settings
from sandbox.server import RunningSandbox, running_sandbox
from tests.gateway.calls import EVENT_KEY, HOOK, SIGNING, TOKEN, calling
from tests.support.environment import QUEUE, World
from tests.support.servers.dev_server import DevServer
from tests.workflows.conftest import live_world, world_on

__all__ = ["live_world"]


@pytest.fixture
async def empty_world(dev_server: DevServer) -> World:
    """A world without a worker, on the development server. What workflows do is tested in tests/workflows."""
    return await world_on(dev_server, sandboxed=False)


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox, tmp_path: Path) -> Settings:
    """The gateway's settings with the sandbox.

    The environment is a copy: the process's own is not changed, because native threads of earlier tests may read it
    at that moment, and that crashes the process (getenv beside setenv).
    """
    secrets = {"SLACK_SIGNING_SECRET": SIGNING, "PAGERDUTY_WEBHOOK_SECRET": HOOK, "GATEWAY_TOKEN": TOKEN}
    secrets |= {"GITHUB_WEBHOOK_SECRET": HOOK, "SENDGRID_WEBHOOK_PUBLIC_KEY": EVENT_KEY}
    secrets["ALERT_SPOOL"] = str(tmp_path / "spool")
    secrets["API_TOKENS"] = str(tmp_path / "tokens.json")
    own = {name.upper() for name in Settings.model_fields}
    others = {name: value for name, value in os.environ.items() if name not in own}
    monkeypatch.setattr(os, "environ", others | sandbox.environment() | secrets | {"TEMPORAL_TASK_QUEUE": QUEUE})
    return load_settings()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack's three seconds are not what is tested, and a machine may be busy."""
    for name in ("gateway.app._QUICK", "gateway.slack.calls.QUICK", "gateway.slack.opening.NUMBER_WITHIN"):
        monkeypatch.setattr(f"incidents.{name}", timedelta(seconds=20))
    for name in ("ANSWERS_WITHIN", "_STATE_WITHIN"):
        monkeypatch.setattr(f"incidents.gateway.slack.buttons.{name}", 20.0)
    monkeypatch.setattr("sandbox.vendors.slack.socket_mode.SECONDS", 9.0)  # its control waits for ten


@pytest.fixture
async def http(live_world: World, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(live_world, settings) as client:
        yield client
