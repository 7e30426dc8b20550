"""The gateway against a real Temporal server and the sandbox: what is accepted, what is refused, and what it does."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.settings import Settings, load_settings
from incidents.client.delivery.spool import Spool
from incidents.domain.heartbeat.config import HeartbeatRule
from incidents.gateway.app import Gateway
from sandbox.server import RunningSandbox
from tests.gateway.calls import ALERT, TOKEN, calling, githubs, opened, pagerdutys
from tests.gateway.slack.test_slack import connected
from tests.gateway.test_reading import hook
from tests.support.environment import World
from tests.support.slack_person import signed


async def test_an_alert_opens_an_incident_and_the_same_again_joins_it(
    live_world: World, http: httpx.AsyncClient
) -> None:
    workflow_id = await opened(live_world, http)
    again = await http.post("/alerts", json=ALERT, headers={"authorization": f"Bearer {TOKEN}"})
    [told] = again.json()
    assert (told["workflow_id"], told["created"]) == (workflow_id, False)


async def test_87_the_path_names_the_source_of_an_alert(live_world: World, http: httpx.AsyncClient) -> None:
    workflow_id = await opened(live_world, http)
    other = ALERT | {"title": "Traces are missing"}
    answer = await http.post("/alerts/signoz", json=other, headers={"authorization": f"Bearer {TOKEN}"})
    assert [told["workflow_id"] for told in answer.json()] == [workflow_id]
    await live_world.settled()
    assert [alert.source for alert in (await live_world.incident()).alerting.alerts] == ["JSON", "signoz"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/alerts", {}),
        ("/alerts", {"authorization": "Bearer wrong"}),
        ("/alerts/signoz", {"authorization": "Bearer wrong"}),
        ("/slack/commands", {}),
        ("/slack/commands", signed(b"{}", "wrong")),
        ("/slack/interactions", {}),
        ("/pagerduty", {}),
        ("/pagerduty", pagerdutys(b"{}", "wrong")),
        ("/github", {}),
        ("/github", githubs(b"{}", "wrong")),
    ],
)
async def test_84_an_unauthenticated_sender_is_rejected(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, path: str, headers: dict[str, str]
) -> None:
    answer = await http.post(path, content=b"{}", headers=headers)
    assert answer.status_code == 401
    assert "unauthorized" in answer.json()["error"]
    assert f"to {path}: bad signature or token" in caplog.text, "it is recorded"
    assert "wrong" not in caplog.text


async def test_without_a_secret_a_door_stays_closed(
    live_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_SIGNING_SECRET", "PAGERDUTY_WEBHOOK_SECRET", "GITHUB_WEBHOOK_SECRET", "GATEWAY_TOKEN"):
        monkeypatch.delenv(name)
    async with calling(live_world, load_settings()) as http:
        for path, headers in (
            ("/alerts", {"authorization": "Bearer "}),
            ("/slack/commands", signed(b"x", "")),
            ("/pagerduty", pagerdutys(b"x", "")),
            ("/github", githubs(b"x", "")),
        ):
            assert (await http.post(path, content=b"x", headers=headers)).status_code == 401


async def test_what_is_no_alert_or_too_large_is_refused_with_one_line(http: httpx.AsyncClient) -> None:
    token = {"authorization": f"Bearer {TOKEN}"}
    for body in (b"nonsense", b"[]", b'{"version": "3", "alerts": []}', b"[" * 100_000):
        answer = await http.post("/alerts", content=body, headers=token)
        assert answer.status_code == 400
        assert "\n" not in answer.json()["error"]
    huge = await http.post("/alerts", content=b" " * (512 * 1024 + 1), headers=token)
    assert huge.status_code == 413


async def test_13_while_temporal_is_away_an_alert_is_kept_and_on_call_is_paged(
    live_world: World, settings: Settings, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sandbox.reset()
    monkeypatch.setenv("ALERT_SPOOL", str(tmp_path / "spool"))
    gateway = Gateway(live_world.env.client, load_settings(), live_world.runbook)
    token = {"authorization": f"Bearer {TOKEN}"}
    away = RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app()), base_url="http://gateway") as http:
        assert (await http.get("/healthz")).text == "ok\n"
        with monkeypatch.context() as patch:
            patch.setattr("incidents.client.delivery.delivery.intake", AsyncMock(side_effect=away))
            answer = await http.post("/alerts", json=ALERT, headers=token)
        assert answer.status_code == 202
        [kept] = answer.json()
        assert kept["action"] == "kept"
        assert kept["detail"] == "kept on disk, since Temporal is unreachable; on-call was paged directly"
        body = hook(data={"id": "PQ1", "type": "incident", "incident_key": kept["workflow_id"]})
        early = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
        assert early.status_code == 503, "an acknowledgement of the direct page waits for its incident"
        async with gateway.app().router.lifespan_context(gateway.app()):
            await asyncio.to_thread(emptied, Spool(tmp_path / "spool"))
        live_world.handle = live_world.env.client.get_workflow_handle(kept["workflow_id"])
        await live_world.settled()  # before it is acknowledged: then nobody would be paged
        again = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
        assert again.json() == {"action": "acknowledged"}
    [(_, page)] = live_world.sent("send_page", "page/")
    assert [each["incident_key"] for each in sandbox.state()["pagerduty"]] == [page.dedup_key]


def emptied(spool: Spool) -> None:
    """Wait until nothing waits in the spool."""
    until = time.monotonic() + 30
    while spool.waiting():
        assert time.monotonic() < until
        time.sleep(0.05)


async def test_13_when_an_alert_cannot_be_kept_the_sender_is_asked_to_repeat(
    live_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("ALERT_SPOOL", str(tmp_path / "file" / "spool"))
    away = RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")
    monkeypatch.setattr("incidents.client.delivery.delivery.intake", AsyncMock(side_effect=away))
    async with calling(live_world, load_settings()) as http:
        answer = await http.post("/alerts", json=ALERT, headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 503, "Alertmanager repeats after a 5xx, and never after a 4xx"
    assert "the alerts were not kept" in answer.json()["error"]
    assert answer.json()["error"].endswith("Send them again")
    assert "on-call was paged directly" in answer.json()["error"]


async def test_a_heartbeat_is_recorded_durably(
    live_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = HeartbeatRule(every=timedelta(hours=1), service="webhooks", severity="P2")
    gateway = Gateway(live_world.env.client, settings, live_world.runbook.replace(heartbeats={"backup": rule}))
    token = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app()), base_url="http://gateway") as http:
        assert (await http.post("/heartbeat/backup")).status_code == 401
        unknown = await http.post("/heartbeat/back%0Aup", headers=token)
        assert (unknown.status_code, unknown.json()["error"]) == (
            404,
            "runbook.yaml has no heartbeat 'back up'; add it to `heartbeats`",
        )
        answer = await http.post("/heartbeat/backup", headers=token)
        assert (answer.status_code, answer.json()["heartbeat"]) == (202, "backup")
        watch = live_world.env.client.get_workflow_handle("heartbeat-backup")
        assert (await watch.describe()).workflow_type == "HeartbeatWorkflow"
        away = RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")
        monkeypatch.setattr("incidents.gateway.heartbeat_endpoint.send_heartbeat", AsyncMock(side_effect=away))
        assert (await http.post("/heartbeat/backup", headers=token)).status_code == 503


async def test_91_health_says_that_nobody_can_be_paged(live_world: World, settings: Settings) -> None:
    async with calling(live_world, settings) as http:
        assert (await http.get("/healthz")).text == "ok\n"
    silent = settings.model_copy(update={"pagerduty_routing_key": SecretStr("")})
    async with calling(live_world, silent) as http:
        answer = await http.get("/healthz")
    assert answer.status_code == 200
    assert answer.text.splitlines()[1].startswith("NOBODY CAN BE PAGED for P0, P1, P2: no pager for on_call.")


async def test_91_ready_says_that_nobody_can_be_paged_and_takes_requests(live_world: World, settings: Settings) -> None:
    well = {"ok": True, "reason": ""}
    async with calling(live_world, settings) as http:
        answer = await http.get("/readyz")
    assert answer.status_code == 200
    slack = answer.json().pop("slack")
    assert answer.json() == {"ready": True, "temporal": well, "spool": well, "paging": well, "slack": slack}
    silent = settings.model_copy(update={"pagerduty_routing_key": SecretStr("")})
    async with calling(live_world, silent) as http:
        answer = await http.get("/readyz")
    assert answer.status_code == 200, "without a pager it still opens incidents"
    paging = answer.json()["paging"]
    assert not paging["ok"]
    assert paging["reason"].startswith("NOBODY CAN BE PAGED for P0, P1, P2: no pager for on_call.")


async def test_ready_says_whether_slack_is_connected(
    live_world: World, settings: Settings, sandbox: RunningSandbox
) -> None:
    sandbox.reset()
    app = Gateway(live_world.env.client, settings, live_world.runbook).app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["slack"]["ok"]) == (200, False), "it takes alerts all the same"
        assert answer.json()["slack"]["reason"].startswith("not connected to Slack's Socket Mode")
        async with app.router.lifespan_context(app):
            await connected(sandbox)
            assert (await http.get("/readyz")).json()["slack"] == {"ok": True, "reason": ""}
    unset = settings.model_copy(update={"slack_app_token": SecretStr("")})
    async with calling(live_world, unset) as http:
        assert "slack" not in (await http.get("/readyz")).json()


async def test_13_it_is_not_ready_without_temporal_or_without_a_spool(
    live_world: World, settings: Settings, tmp_path: Path
) -> None:
    away = await Client.connect("temporal.internal.example:7233", lazy=True)
    gateway = Gateway(away, settings, live_world.runbook)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app()), base_url="http://gateway") as http:
        answer = await http.get("/readyz")
        alive = await http.get("/livez")
    assert (alive.status_code, alive.text) == (200, "ok\n"), "orchestrators must go on sending it alerts"
    assert (answer.status_code, answer.json()["temporal"]["ok"], answer.json()["spool"]["ok"]) == (503, False, True)
    assert answer.json()["temporal"]["reason"].startswith("Temporal is not answering: alerts are kept on disk")
    assert "internal.example" not in answer.text
    blocked = tmp_path / "a-file"
    blocked.touch()
    broken = settings.model_copy(update={"alert_spool": blocked / "spool"})
    async with calling(live_world, broken) as http:
        answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()["temporal"]["ok"], answer.json()["spool"]["ok"]) == (503, True, False)
    assert answer.json()["spool"]["reason"].startswith("the spool cannot be read or written")
    assert str(tmp_path) not in answer.text
