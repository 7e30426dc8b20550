"""110: what a person may not do is refused in Slack and at PagerDuty, too, and recorded in the timeline."""

from collections.abc import AsyncIterator

import httpx
import pytest

from incidents.app.settings import Settings
from incidents.cli.index import SUBCOMMANDS
from incidents.domain.config.communication import People
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.permissions import COMMANDS
from incidents.gateway.slack.slash.verbs import VERBS
from sandbox.server import RunningSandbox
from tests.gateway.calls import SIGNING, calling, opened, pagerdutys
from tests.gateway.test_reading import hook
from tests.support.environment import World
from tests.support.slack_person import Person, by_http

PEOPLE = People(
    directory={"ann": DirectoryEntry(pagerduty="PANN"), "bob": DirectoryEntry()},
    groups={"sre": ("ann",)},
    permissions={"ack": ("sre",), "note": ("sre",)},
)


@pytest.fixture
async def restricted(live_world: World, settings: Settings, unhurried: None) -> AsyncIterator[httpx.AsyncClient]:
    live_world.runbook = live_world.runbook.replace(people=PEOPLE)
    async with calling(live_world, settings) as client:
        yield client


async def refusals(world: World) -> list[tuple[str, str]]:
    await world.settled()
    return [(entry.actor, entry.text) for entry in (await world.incident()).timeline if entry.kind == "refused"]


async def test_110_in_slack(live_world: World, restricted: httpx.AsyncClient, sandbox: RunningSandbox) -> None:
    await opened(live_world, restricted)
    number = (await live_world.incident()).number
    bob, ann = (Person(sandbox, by_http(restricted, SIGNING), name) for name in ("bob", "ann"))
    why = "bob is not authorized to note. Authorized: sre (ann)."
    assert await bob.says(f"note {number} x") == f"{why} Nothing was changed."
    assert await refusals(live_world) == [("bob", f"note refused: {why}")]
    assert await ann.says(f"note {number} y") == "y"


async def test_110_at_pagerduty(live_world: World, restricted: httpx.AsyncClient) -> None:
    workflow_id = await opened(live_world, restricted)
    data = {"id": "PQ1", "type": "incident", "incident_key": workflow_id}
    body = hook(data=data)
    answer = await restricted.post("/pagerduty", content=body, headers=pagerdutys(body))
    assert (answer.status_code, answer.json()) == (202, {"action": "refused"}), "a 4xx would disable the webhook"
    why = "ack refused: Ona Call is not authorized to ack. Authorized: sre (ann)."
    assert await refusals(live_world) == [("Ona Call", why)]
    assert (await live_world.incident()).acknowledged_by == ""
    body = hook(data=data, agent={"id": "PANN", "summary": "Ann", "type": "user_reference"})
    assert (await restricted.post("/pagerduty", content=body, headers=pagerdutys(body))).status_code == 202
    await live_world.settled()
    assert (await live_world.incident()).acknowledged_by == "ann"


def test_110_a_command_has_one_name_everywhere() -> None:
    assert set(VERBS) <= set(COMMANDS) <= set(SUBCOMMANDS)
