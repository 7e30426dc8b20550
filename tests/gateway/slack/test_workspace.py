"""84: with SLACK_TEAM_ID, the gateway takes the requests of that workspace, and of no other."""

from collections.abc import Mapping
from typing import Any

import pytest

from incidents.app.settings import Settings, load_settings
from incidents.app.temporal_settings import SettingsError
from incidents.gateway.slack.payloads import teams_of
from sandbox.server import RunningSandbox
from tests.gateway.calls import SIGNING, calling, opened
from tests.gateway.slack.test_slack import found
from tests.support.environment import World
from tests.support.slack_person import COMMAND, INTERACTION, Person, by_http, clicked


@pytest.mark.parametrize(
    ("body", "teams"),
    [
        ({"team_id": "T1"}, ["T1"]),
        ({"team": {"id": "T1"}, "user": {"team_id": "T2"}}, ["T1", "T2"]),
        ({"team_id": "T1", "event": {"user_team": "T2"}}, ["T1", "T2"]),
        ({"team_id": ["T1"], "team": "T1", "user": None}, []),
    ],
)
def test_84_a_request_names_its_workspaces(body: Mapping[str, Any], teams: list[str]) -> None:
    assert list(teams_of(body)) == teams


async def test_84_people_of_another_workspace_do_nothing(
    live_world: World,
    settings: Settings,
    sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    unhurried: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.reset()
    monkeypatch.setenv("SLACK_TEAM_ID", "T0SANDBOX1")
    async with calling(live_world, load_settings()) as http:
        workflow_id = await opened(live_world, http)
        await found(live_world, 1)
        send = by_http(http, SIGNING)
        form = {"command": "/incident", "text": "note 1 hello", "user_name": "eve", "user_id": "U9"}
        target = {"incident": workflow_id, "revision": 1}
        guest = clicked("acknowledge", target) | {"user": {"id": "U9", "name": "eve", "team_id": "T9"}}
        assert await send(COMMAND, form | {"team_id": "T9"}) == {}
        assert await send(COMMAND, form) == {}, "a request that names no workspace is not ours"
        assert await send(INTERACTION, guest) == {}
        assert await Person(sandbox, send).says("note 1 hi") == "hi"
    incident = await live_world.incident()
    assert incident.acknowledged_by != "eve"
    assert {entry.actor for entry in incident.timeline}.isdisjoint({"eve"})
    assert sum("SLACK_TEAM_ID" in record.getMessage() for record in caplog.records) == 3


def test_84_a_workspace_id_is_checked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_TEAM_ID", "our workspace")
    with pytest.raises(SettingsError, match="SLACK_TEAM_ID"):
        load_settings()
