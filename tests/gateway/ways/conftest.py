"""A world whose worker speaks to the sandbox's Slack and PagerDuty, and a gateway that people sign in to."""

from collections.abc import AsyncIterator

import pytest

from incidents.app.composition.activities import build_activities
from incidents.app.settings import Settings
from incidents.domain.people.directory import PeopleDirectory
from sandbox.server import RunningSandbox
from tests.gateway.conftest import empty_world, sandbox, settings, unhurried
from tests.gateway.ways.script import RUNBOOK
from tests.gateway.web.test_sign_in import provider, signing
from tests.support.environment import World

__all__ = ["empty_world", "provider", "sandbox", "settings", "signing", "unhurried"]

_REAL = ("send_page", "open_channel", "keep_summary", "post_message", "set_topic", "invite", "add_bookmark")
"""Activities whose results people use: the page with its link, the channel's messages with their buttons."""


@pytest.fixture
async def world(
    empty_world: World, signing: Settings, sandbox: RunningSandbox, unhurried: None, patient: None
) -> AsyncIterator[World]:
    """A world without an incident."""
    sandbox.reset()
    empty_world.runbook = RUNBOOK
    people = PeopleDirectory(RUNBOOK.people.directory)
    methods = build_activities(signing, empty_world.env.client, RUNBOOK, people).methods()
    empty_world.activities.real = {method.__name__: method for method in methods if method.__name__ in _REAL}
    assert set(empty_world.activities.real) == set(_REAL)
    async with empty_world.worker():
        yield empty_world
        await empty_world.assert_sound()
