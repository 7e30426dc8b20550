"""The same incident by Slack alone, by the phone alone, by the API alone, and by Alertmanager with the command line.

Each way plays every step of the script itself: no command reaches the incident but by that way. Then its timeline is
compared with `timeline.txt`, word by word, so that the four are equal. Aside are:

- who or what opened the incident: Carla, or the alert's source. Everything else has the same actor in all four;
- times, and spans of time;
- what an alert does by itself: it fires, is not silenced (no Alertmanager is configured for that), and ends. These are
  the entries of the kind "alert". Each test says which ones it expects: an incident that a person opened has none;
- the order of what the system does side by side, between two acts of people.

The world waits after each step until nothing is due, by asking the incident; it sends nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from incidents.app.settings import Settings
from incidents.gateway.app import Gateway
from sandbox.server import RunningSandbox
from tests.cli.conftest import point_at
from tests.gateway.api.conftest import Token, token
from tests.gateway.calls import TOKEN, calling
from tests.gateway.slack.test_slack import connected
from tests.gateway.ways.by_api import ByApi
from tests.gateway.ways.by_command_line import ByCommandLine
from tests.gateway.ways.by_phone import ByPhone
from tests.gateway.ways.by_slack import BySlack, buttons
from tests.gateway.ways.script import of_the_alert, play, written
from tests.gateway.web.browsing import browsing
from tests.gateway.web.test_sign_in import PHONE, URL
from tests.support.environment import World
from tests.support.in_process import runner
from tests.support.servers.alertmanager import needs_alertmanager, running_alertmanager
from tests.support.servers.asgi import serving
from tests.support.slack_person import by_socket

__all__ = ["token"]

pytestmark = pytest.mark.timeout(240)  # a busy machine


DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "ways-in.md"
TIMELINE = (Path(__file__).parent / "timeline.txt").read_text(encoding="utf-8")
"""What each way leaves."""
FIRES, ENDS = "Alert firing: Evaluations fail", "Alert ended: Evaluations fail"
OFF = "Skipped: Silence the alerts: alertmanager is off"
NO_API = (
    "Not silenced: Evaluations fail. json cannot be silenced or polled: it may notify again, and the end is known only"
    " when it is reported.",
    "Skipped: Silence the alerts: no firing alert has a source that can be silenced",
)


def test_the_document_shows_what_people_did() -> None:
    entries = [line.split(": ", 2) for line in TIMELINE.splitlines() if not line.startswith((" ", "opener"))]
    shown = [f"{actor:<6} {text.partition(' [')[0]}" for actor, _, text in entries]
    assert "\n".join(["```", *shown, "```"]) in DOCUMENT.read_text(encoding="utf-8")


async def test_by_slack_alone(world: World, signing: Settings, sandbox: RunningSandbox) -> None:
    app = Gateway(world.env.client, signing, world.runbook).app()
    async with app.router.lifespan_context(app):
        await connected(sandbox)
        incident = await play(BySlack(sandbox, by_socket(sandbox)), world)
    assert written(incident) == TIMELINE
    assert of_the_alert(incident) == []


async def test_by_the_phone_alone(world: World, signing: Settings, sandbox: RunningSandbox) -> None:
    async with browsing(world, signing, base_url=URL, peer=PHONE) as phone:
        incident = await play(ByPhone(phone, sandbox), world)
    assert written(incident) == TIMELINE
    assert of_the_alert(incident) == [FIRES, *NO_API, ENDS]


async def test_by_the_api_alone(world: World, signing: Settings, sandbox: RunningSandbox, token: Token) -> None:
    async with calling(world, signing) as http:
        incident = await play(ByApi(http, token), world)
    assert written(incident) == TIMELINE
    assert of_the_alert(incident) == []
    left = [button["text"]["text"] for button in buttons(sandbox)]
    assert "Reopen…" in left
    assert not {"Approve", "Decline…"} & set(left), "46: what was decided elsewhere has no buttons in Slack"


@needs_alertmanager
async def test_by_alertmanager_and_the_command_line(
    world: World,
    signing: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    client = world.env.client
    point_at(monkeypatch, client.service_client.config.target_host, client.namespace)
    async with listening(world, signing) as url:
        with running_alertmanager(tmp_path, config(url)) as alertmanager:
            incident = await play(ByCommandLine(runner(monkeypatch, capsys), alertmanager), world)
    assert written(incident) == TIMELINE
    assert of_the_alert(incident) == [FIRES, OFF, ENDS]


@asynccontextmanager
async def listening(world: World, settings: Settings) -> AsyncIterator[str]:
    """A gateway that listens at the URL that is yielded."""
    async with serving(Gateway(world.env.client, settings, world.runbook).app()) as server:
        yield server.url


def config(gateway: str) -> str:
    """Alertmanager's configuration, as docs/alert-sources.md has it, but that it waits for no further alerts."""
    return f"""
route: {{receiver: incidents, group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}
receivers:
  - name: incidents
    webhook_configs:
      - url: {gateway}/alerts/alertmanager
        http_config: {{authorization: {{credentials: {TOKEN}}}}}
"""
