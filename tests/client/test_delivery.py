"""13: Temporal is unreachable when the alert fires. The server is real; only the way to it is cut."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.delivery import delivery as module
from incidents.client.delivery.delivery import Delivery, Kept
from incidents.client.delivery.spool import Spool, SpoolFull
from incidents.client.delivery.submission import Declared, Submission
from incidents.client.intake import Started
from incidents.client.problems import ConnectionProblem
from incidents.contracts import AlertBatch
from incidents.domain.activity_requests import SendPage
from incidents.domain.activity_results import ActivityResult
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.incident.state import Opening
from tests.support.environment import QUEUE, World
from tests.support.incidents import RUNBOOK

GONE = RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")


@dataclass
class Way:
    """The way to Temporal, and the pager: each can be cut."""

    client: Client
    cut: Exception | None = None
    pages: list[SendPage] = field(default_factory=list)
    pager_down: bool = False
    off: str = ""

    async def connect(self) -> Client:
        if self.cut is not None:
            raise self.cut
        return self.client

    def send_page(self, page: SendPage) -> ActivityResult:
        if self.pager_down:
            raise OSError("PagerDuty does not answer")
        if not self.off:
            self.pages.append(page)
        return ActivityResult(skipped=self.off)


@dataclass
class Sender:
    """A process that sends alerts."""

    way: Way
    spool: Spool
    delivery: Delivery

    async def alert(self, title: str = "Slow", severity: str = "critical", **more: Any) -> Started:
        body = json.dumps({"title": title, "service": "dashboard", "severity": severity} | more).encode()
        [result] = await self.delivery.deliver(Submission.of_alerts(body, datetime.now(UTC)), timedelta())
        return result


@pytest.fixture
def sender(empty_world: World, tmp_path: Path) -> Sender:
    return a_sender(empty_world, tmp_path)


def a_sender(world: World, folder: Path, **bounds: int) -> Sender:
    way, spool = Way(world.env.client), Spool(folder / "spool", **bounds)
    return Sender(way, spool, Delivery(spool, way.connect, world.runbook, QUEUE, way.send_page))


async def signals(world: World, workflow_id: str) -> list[str]:
    """The titles of the alerts that an incident was told, in order; those that ended in brackets."""
    history = await world.env.client.get_workflow_handle(workflow_id).fetch_history()
    told = [e.workflow_execution_signaled_event_attributes for e in history.events]
    batches = [(t.signal_name, t.input.payloads[0].data) for t in told if t.signal_name]
    return [
        f"({alert.title})" if name == "alert_resolved" else alert.title
        for name, data in batches
        for alert in AlertBatch.model_validate_json(data).alerts
    ]


async def test_13_alerts_are_kept_paged_once_and_sent_in_order(empty_world: World, sender: Sender) -> None:
    sender.way.cut = GONE
    first = await sender.alert("one")
    assert isinstance(first, Kept)
    assert (first.action, first.run_id, first.created) == ("kept", None, False)
    assert first.detail == "kept on disk, since Temporal is unreachable; on-call was paged directly"
    second = await sender.alert("two")
    assert isinstance(second, Kept)
    assert "on-call was paged directly before" in second.detail
    await sender.alert("two", status="resolved")
    assert [page.dedup_key for page in sender.way.pages] == ["incident-dashboard:production"]
    sender.way.cut = None
    assert isinstance(await sender.alert("three"), Kept), "nothing overtakes what waits"
    assert await sender.delivery.drain() == 4
    assert sender.spool.waiting() == 0
    assert await signals(empty_world, first.workflow_id) == ["one", "two", "(two)", "three"]
    later = await sender.alert("four")
    assert (later.action, later.created) == ("updated", False)
    assert len(sender.way.pages) == 1


async def test_13_what_comes_together_is_kept_in_order(empty_world: World, sender: Sender) -> None:
    sender.way.cut = GONE
    names = [f"alert {number}" for number in range(5)]
    kept = await asyncio.gather(
        *(sender.alert(name, status=status) for name in names for status in ("firing", "resolved"))
    )
    sender.way.cut = None
    assert await sender.delivery.drain() == 10
    told = await signals(empty_world, kept[0].workflow_id)
    assert told == [said for name in names for said in (name, f"({name})")]


async def test_13_the_time_of_arrival_is_kept(empty_world: World, sender: Sender) -> None:
    sender.way.cut = GONE
    before = datetime.now(UTC)
    kept = await sender.alert()
    after = datetime.now(UTC)
    sender.way.cut = None
    await asyncio.sleep(0.05)
    await sender.delivery.drain()
    history = await empty_world.env.client.get_workflow_handle(kept.workflow_id).fetch_history()
    opening = json.loads(history.events[0].workflow_execution_started_event_attributes.input.payloads[0].data)
    assert before <= datetime.fromisoformat(opening["opening"]["alerted_at"]) <= after


async def test_13_the_workflow_sends_the_same_page_again(live_world: World, tmp_path: Path) -> None:
    sender = a_sender(live_world, tmp_path)
    sender.way.cut = ConnectionProblem("Cannot reach Temporal")
    kept = await sender.alert()
    sender.way.cut = None
    await sender.delivery.drain()
    live_world.handle = live_world.env.client.get_workflow_handle(kept.workflow_id)
    await live_world.settled()
    [(_, page)] = live_world.sent("send_page", "page/")
    [direct] = sender.way.pages
    assert page == direct.replace(key=page.key, details=page.details)
    assert page.dedup_key == kept.workflow_id


async def test_13_only_what_pages_is_paged(sender: Sender) -> None:
    sender.way.cut = GONE
    kept = await sender.alert(severity="info")
    assert isinstance(kept, Kept)
    assert "a P3 pages nobody" in kept.detail
    assert sender.way.pages == []


async def test_13_a_pager_that_is_down_is_said_and_tried_again(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.02)
    sender.way.cut, sender.way.pager_down = GONE, True
    kept = await sender.alert()
    assert isinstance(kept, Kept)
    assert "ON-CALL IS NOT PAGED: OSError: PagerDuty does not answer" in kept.detail
    running = asyncio.create_task(sender.delivery.run())
    sender.way.pager_down = False
    await until(lambda: bool(sender.way.pages))
    sender.way.cut = None
    await until(lambda: sender.spool.waiting() == 0)
    running.cancel()
    assert [page.dedup_key for page in sender.way.pages] == [kept.workflow_id]


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to be")


async def test_91_nobody_can_be_paged_is_said(sender: Sender) -> None:
    sender.way.cut, sender.way.off = GONE, "PagerDuty not configured"
    kept = await sender.alert()
    assert isinstance(kept, Kept)
    assert "NOBODY WAS PAGED: PagerDuty not configured" in kept.detail


async def test_13_when_it_is_full_the_sender_is_told_and_on_call_is_paged(empty_world: World, tmp_path: Path) -> None:
    sender = a_sender(empty_world, tmp_path, most_entries=1)
    sender.way.cut = GONE
    await sender.alert()
    with pytest.raises(SpoolFull, match=r"is full .*; on-call was paged directly"):
        await sender.alert(service="webhooks")
    assert [page.source for page in sender.way.pages] == ["dashboard", "webhooks"]
    assert sender.spool.waiting() == 1


async def test_13_what_can_never_be_sent_is_set_aside_and_blocks_nothing(
    empty_world: World, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    sender.spool.append("alerts", datetime.now(UTC), b"no JSON", ["incident-x"])
    sender.way.cut = GONE
    kept = await sender.alert()
    sender.way.cut = None
    assert await sender.delivery.drain() == 1
    assert await signals(empty_world, kept.workflow_id) == ["Slow"]
    [aside] = (sender.spool.folder / "aside").glob("*.json")
    assert aside.read_bytes() == b"no JSON"
    assert f"opens NO incident. It is in {aside}" in caplog.text


async def test_13_what_temporal_refuses_again_and_again_is_set_aside(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.way.cut = GONE
    await sender.alert()
    sender.way.cut = None

    async def broken(*_: Any, **__: Any) -> Any:
        raise RPCError("no", RPCStatusCode.FAILED_PRECONDITION, b"")

    with monkeypatch.context() as patch:
        patch.setattr(module, "intake", broken)
        for _ in range(4):
            with pytest.raises(RPCError):
                await sender.delivery.drain()
            assert sender.spool.waiting() == 1
        assert await sender.delivery.drain() == 0
    assert sender.spool.waiting() == 0


@pytest.mark.parametrize("status", [RPCStatusCode.UNKNOWN, RPCStatusCode.INTERNAL, RPCStatusCode.ABORTED])
async def test_13_what_fails_for_a_passing_reason_is_never_set_aside(
    empty_world: World, sender: Sender, monkeypatch: pytest.MonkeyPatch, status: RPCStatusCode
) -> None:
    sender.way.cut = GONE
    kept = await sender.alert()
    sender.way.cut = None

    async def passing(*_: Any, **__: Any) -> Any:
        raise RPCError("transport closed", status, b"")

    with monkeypatch.context() as patch:
        patch.setattr(module, "intake", passing)
        for _ in range(9):
            with pytest.raises(RPCError):
                await sender.delivery.drain()
    assert await sender.delivery.drain() == 1
    assert await signals(empty_world, kept.workflow_id) == ["Slow"]


async def test_15_nobody_is_paged_directly_until_the_window_has_ended(sender: Sender) -> None:
    now = datetime.now(UTC)
    window = MaintenanceWindow(since=now, until=now + timedelta(hours=1), service="dashboard", reason="upgrade")
    sender.way.cut = GONE
    planned = Delivery(
        sender.spool, sender.way.connect, RUNBOOK.replace(maintenance=(window,)), QUEUE, sender.way.send_page
    )
    kept = await Sender(sender.way, sender.spool, planned).alert()
    assert isinstance(kept, Kept)
    assert "nobody is paged within the maintenance window" in kept.detail
    assert sender.way.pages == []
    await sender.delivery._pages.send_waiting()
    assert [page.dedup_key for page in sender.way.pages] == [kept.workflow_id], "still owed: here no window covers it"


async def test_what_temporal_calls_invalid_is_not_kept(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    async def invalid(*_: Any, **__: Any) -> Any:
        raise RPCError("too long", RPCStatusCode.INVALID_ARGUMENT, b"")

    monkeypatch.setattr(module, "intake", invalid)
    with pytest.raises(RPCError):
        await sender.alert()
    assert (sender.spool.waiting(), sender.way.pages) == (0, [])


async def test_13_what_a_namespace_cannot_take_yet_waits_for_a_worker(
    empty_world: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first alert may come before the first worker, which registers the search attributes."""

    async def early(*_: Any, **__: Any) -> Any:
        text = "Namespace default has no mapping defined for search attribute IncidentService"
        raise RPCError(text, RPCStatusCode.INVALID_ARGUMENT, b"")

    with monkeypatch.context() as patch:
        patch.setattr(module, "intake", early)
        kept = await sender.alert()
        assert isinstance(kept, Kept)
        assert kept.detail.startswith("kept on disk until a worker has set up Temporal's namespace; ")
        for _ in range(9):
            with pytest.raises(RPCError):
                await sender.delivery.drain()
    assert await sender.delivery.drain() == 1
    assert await signals(empty_world, kept.workflow_id) == ["Slow"]


async def test_13_a_declared_incident_is_kept_too(empty_world: World, sender: Sender) -> None:
    opening = Opening(
        key="k", title="Odd", service="dashboard", severity="P2", alerted_at=datetime.now(UTC), source="manual"
    )
    declared = Declared(workflow_id="incident-k", opening=opening)
    sender.way.cut = GONE
    [kept] = await sender.delivery.deliver(Submission.of_declared(declared, datetime.now(UTC)), timedelta())
    assert isinstance(kept, Kept)
    assert [page.dedup_key for page in sender.way.pages] == ["incident-k"]
    sender.way.cut = None
    assert await sender.delivery.drain() == 1
    assert (await empty_world.env.client.get_workflow_handle("incident-k").describe()).workflow_type


async def test_13_two_processes_share_the_folder(empty_world: World, tmp_path: Path) -> None:
    """The gateway and a starter drain at once: each entry is sent once, in order."""
    one, other = a_sender(empty_world, tmp_path), a_sender(empty_world, tmp_path)
    one.way.cut = other.way.cut = GONE
    for number in range(6):
        await (one, other)[number % 2].alert(f"alert {number}")
    one.way.cut = other.way.cut = None
    await asyncio.gather(*(each.delivery.catch_up(timedelta(seconds=20)) for each in (one, other, one, other)))
    assert one.spool.waiting() == 0
    told = await signals(empty_world, "incident-dashboard:production")
    assert told == [f"alert {number}" for number in range(6)]
    assert len(one.way.pages) + len(other.way.pages) == 1


async def test_a_spool_that_cannot_be_read_keeps_no_alert_from_temporal(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    sender.spool.folder.mkdir()
    (sender.spool.folder / "spool.db").write_bytes(b"no database" * 100)
    assert (await sender.alert()).action == "opened"
    assert "The spool cannot be read" in caplog.text
