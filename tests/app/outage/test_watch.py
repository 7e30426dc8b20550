"""The program's own outages: on real servers that stop and start, with a sandbox whose vendors fail (behaviour 109)."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.composition.clients import build_mailer, build_slack
from incidents.app.connection import connect
from incidents.app.outage.lock import OutageLock
from incidents.app.outage.watch import OutageWatch, build_watch
from incidents.app.settings import Settings
from incidents.domain.operators.outage import LIMITS, Limits, Notice, OutageKind
from incidents.vendors.errors import VendorUnavailable
from incidents.vendors.mail.mail import Mail
from sandbox.server import RunningSandbox
from sandbox.temporal_server import free_port, running_temporal
from tests.app.outage.conftest import Clock, Received
from tests.support.environment import QUEUE, RUNBOOK, World
from tests.workflows.conftest import empty_world

__all__ = ["empty_world"]
MAIL = Mail(sender="a@x.example", recipients=("b@x.example",), subject="Incident", text="t", key="k")
DOWN, UP = "Operators: Temporal is unreachable", "Operators: Temporal is reachable again"
NONE, SOME = "Operators: No worker is running", "Operators: Workers are running again"

Watching = Callable[..., OutageWatch]


@pytest.fixture
def watching(settings: Settings, clock: Clock) -> Watching:
    """Make the watch of one process."""

    def make(client: Client, *, in_gateway: bool = True, limits: Limits = LIMITS, **changes: object) -> OutageWatch:
        changed = settings.model_copy(update=changes)
        return build_watch(client, changed, RUNBOOK, in_gateway=in_gateway, limits=limits, now=clock)

    return make


async def go(clock: Clock, *watches: OutageWatch, seconds: int) -> None:
    """Let so much time pass, with a round of each watch every 15 s."""
    for _ in range(seconds // 15):
        clock.move(seconds=15)
        for watch in watches:
            await watch.round()


@pytest.mark.timeout(120)
async def test_109_temporal_stops_and_starts_again(
    settings: Settings,
    watching: Watching,
    clock: Clock,
    received: Received,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    port, database = free_port(), tmp_path / "temporal.db"
    client = await connect(settings.model_copy(update={"temporal_address": f"127.0.0.1:{port}"}), lazy=True)
    no_worker_is_fine = LIMITS.replace(workers=timedelta(days=1))
    gateway, worker = watching(client, limits=no_worker_is_fine), watching(client, in_gateway=False)
    with running_temporal(database, port=port):
        await until_it_answers(client)
        await go(clock, gateway, worker, seconds=30)
    await go(clock, gateway, worker, seconds=30)
    assert received.mails == [], "it is out for 15 s"
    await go(clock, gateway, worker, seconds=600)
    assert received.mails == [DOWN]
    assert "alerts are kept on disk" in received.texts
    with running_temporal(database, port=port):
        await until_it_answers(client)
        await go(clock, gateway, worker, seconds=300)
        assert received.mails == [DOWN]
        await go(clock, gateway, worker, seconds=30)
    assert received.mails == [DOWN, UP]
    assert received.messages == []
    logged = [record for record in caplog.records if record.name == "outage"]
    errors = [record.getMessage() for record in logged if record.levelno >= logging.ERROR]
    assert len(errors) == 2, "one of each process"
    assert all(error.startswith("Temporal has been unreachable since 2026-11-29 03:00 UTC. ") for error in errors)
    for text in (received.texts, *(record.getMessage() for record in logged)):
        assert str(port) not in text
        assert "@" not in text


@pytest.mark.parametrize(("in_gateway", "chosen", "reports"), [(False, True, True), (True, False, False)])
async def test_109_a_setting_chooses_who_reports_that_temporal_is_out(
    watching: Watching,
    clock: Clock,
    received: Received,
    settings: Settings,
    in_gateway: bool,
    chosen: bool,
    reports: bool,
) -> None:
    client = await nowhere(settings)
    await go(clock, watching(client, in_gateway=in_gateway, report_temporal_outage=chosen), seconds=60)
    assert received.mails == ([DOWN] if reports else [])


@pytest.mark.timeout(120)
async def test_109_no_worker_polls_and_then_one_does(
    empty_world: World, watching: Watching, clock: Clock, received: Received
) -> None:
    client, limits = empty_world.env.client, LIMITS.replace(works_for=timedelta(seconds=30))
    gateways = watching(client, limits=limits), watching(client, limits=limits)
    await go(clock, *gateways, seconds=30)
    assert received.mails == []
    await go(clock, *gateways, seconds=600)
    assert received.mails == [NONE], "by one of the gateways"
    late = watching(client, limits=limits)
    await go(clock, late, *gateways, seconds=60)
    assert received.mails == [NONE], "it was reported before this gateway started"
    async with empty_world.worker():
        while any(watch._state.is_out(OutageKind.WORKERS, QUEUE) for watch in (late, *gateways)):
            await asyncio.gather(*(watch.round() for watch in (late, *gateways)))
            await asyncio.sleep(0.2)
        await go(clock, late, *gateways, seconds=30)
        assert received.mails == [NONE, SOME]
    await go(clock, *gateways, seconds=180)
    assert received.mails == [NONE, SOME, NONE], "Temporal still lists its last poll, which is old"


async def test_109_a_vendor_that_fails_for_an_hour_is_reported_once_by_another_channel(
    empty_world: World,
    watching: Watching,
    clock: Clock,
    received: Received,
    sandbox: RunningSandbox,
    settings: Settings,
) -> None:
    client = empty_world.env.client
    workers = watching(client, in_gateway=False), watching(client, in_gateway=False)
    sandbox.fault("sendgrid", "status", status=503, times=None)
    for _ in range(4):
        send_mail(settings)
        clock.move(minutes=20)
        await asyncio.gather(*(worker.round() for worker in workers))
    assert received.messages == ["Operators: SendGrid is not answering"], "by one worker, after the failure at 60 min"
    assert len(sandbox.calls("sendgrid")) == 4, "what is out is not tried"
    assert "Every call to SendGrid has failed since 2026-11-29 03:00 UTC, for 1h." in received.texts
    sandbox.clear_faults()
    send_mail(settings)
    await go(clock, *workers, seconds=330)
    assert received.mails == ["Incident", "Operators: SendGrid answers again"]
    assert len(received.messages) == 1


async def test_109_the_outage_of_chat_is_reported_by_mail(
    empty_world: World,
    watching: Watching,
    clock: Clock,
    received: Received,
    sandbox: RunningSandbox,
    settings: Settings,
) -> None:
    worker = watching(empty_world.env.client, in_gateway=False)
    sandbox.fault("slack", "status", status=503, times=None)
    slack = build_slack(settings)
    assert slack is not None
    for _ in range(2):
        with pytest.raises(VendorUnavailable):
            slack.whoami()
        clock.move(hours=1)
    await worker.round()
    assert received.mails == ["Operators: Slack is not answering"]


async def test_109_a_report_that_no_channel_takes_goes_out_as_soon_as_one_does(
    empty_world: World, watching: Watching, clock: Clock, received: Received, sandbox: RunningSandbox
) -> None:
    gateway = watching(empty_world.env.client)
    sandbox.fault("sendgrid", "status", status=503, times=None)
    sandbox.fault("slack", "status", status=503, times=None)
    await go(clock, gateway, seconds=60)
    assert (received.mails, received.messages) == ([], [])
    sandbox.clear_faults()
    sandbox.fault("sendgrid", "status", status=503, times=None)
    await go(clock, gateway, seconds=60)
    assert (received.mails, received.messages) == ([], [NONE]), "once"


async def test_109_while_temporal_is_out_the_gateway_reports_a_vendor_without_it(
    watching: Watching, clock: Clock, received: Received, sandbox: RunningSandbox, settings: Settings
) -> None:
    client = await nowhere(settings)
    gateway, worker = watching(client), watching(client, in_gateway=False)
    sandbox.fault("sendgrid", "status", status=503, times=None)
    for _ in range(5):
        send_mail(settings)
        clock.move(minutes=20)
        await gateway.round()
        await worker.round()
    assert received.messages == [DOWN, "Operators: SendGrid is not answering"]
    sandbox.clear_faults()
    send_mail(settings)
    await go(clock, gateway, worker, seconds=330)
    assert received.mails == ["Incident", "Operators: SendGrid answers again"]


async def test_109_a_process_without_a_channel_logs(
    watching: Watching, clock: Clock, received: Received, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    nothing = {"sendgrid_api_key": None, "slack_bot_token": None}
    await go(clock, watching(await nowhere(settings), **nothing), seconds=60)
    assert (received.mails, received.messages) == ([], [])
    assert "Temporal has been unreachable since 2026-11-29 03:00 UTC." in caplog.text


class TestLock:
    """One process reports a beginning, and one an end."""

    async def test_109_one_process_reports_each(self, empty_world: World, clock: Clock) -> None:
        one, two = (OutageLock(empty_world.env.client, QUEUE) for _ in range(2))
        began = Notice(kind=OutageKind.VENDOR, subject="acme", name="Acme", over=False, since=clock(), until=clock())
        over = began.replace(over=True)
        assert not await one.claim(over), "nothing was reported"
        assert [await one.claim(began), await two.claim(began)] == [True, False]
        assert await one.claim(began), "again, after an answer that was lost"
        assert [await two.claim(over), await one.claim(over)] == [True, False]
        assert [await two.claim(began), await one.claim(began)] == [True, False], "the next outage"

    async def test_109_a_claim_that_temporal_did_not_answer_is_repeated(
        self,
        empty_world: World,
        watching: Watching,
        clock: Clock,
        received: Received,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        claim, failures = OutageLock.claim, [1, 1]

        async def late(self: OutageLock, notice: Notice) -> bool:
            if failures:
                failures.pop()
                raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
            return await claim(self, notice)

        monkeypatch.setattr(OutageLock, "claim", late)
        await go(clock, watching(empty_world.env.client), seconds=120)
        assert received.mails == [NONE]


async def until_it_answers(client: Client) -> None:
    """Wait for a server that has just begun to listen."""
    while True:
        try:
            await client.count_workflows()
        except (RPCError, RuntimeError):
            await asyncio.sleep(0.1)
        else:
            return


async def nowhere(settings: Settings) -> Client:
    """A client of a server that does not run."""
    return await connect(settings.model_copy(update={"temporal_address": f"127.0.0.1:{free_port()}"}), lazy=True)


def send_mail(settings: Settings) -> None:
    """Send a mail of an incident; it may fail."""
    mailer = build_mailer(settings)
    assert mailer is not None
    with contextlib.suppress(VendorUnavailable):
        mailer.send(MAIL)
