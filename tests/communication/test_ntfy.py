"""Pages by ntfy, of a whole incident: what the phones of on-call and of the CTO were sent, in which order."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from incidents.domain.incident.commands import Acknowledge, Resolve
from sandbox.server import RunningSandbox
from tests.communication.conftest import standing
from tests.support.adapters import by_ntfy
from tests.support.communication.environment import Stage

LOUD, SILENT = 5, 2


@pytest.fixture
async def paged_by_ntfy(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Stage]:
    url, own = by_ntfy(sandbox)["NTFY_URL"], '{"cto": "cto-77"}'
    async with (
        standing(sandbox, monkeypatch, tmp_path, PAGERDUTY_ROUTING_KEY="", NTFY_URL=url, NTFY_TOPICS=own) as stage,
        stage.worker(),
    ):
        yield stage


def phone(stage: Stage, topic: str) -> list[dict[str, Any]]:
    """What arrived at a topic, oldest first."""
    return [row for row in stage.sandbox.state()["ntfy"][::-1] if row["topic"] == topic]


def of_one_page(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """The emoji and the priority of what belongs to the first page."""
    return [(row["tags"][0], row["priority"]) for row in rows if row["tags"][1] == rows[0]["tags"][1]]


async def test_a_page_rings_once_and_is_told_silently_what_comes_of_it(paged_by_ntfy: Stage) -> None:
    stage = paged_by_ntfy
    await stage.begin()
    on_call = phone(stage, "incidents-sandbox")
    assert of_one_page(on_call) == [("rotating_light", LOUD), ("rotating_light", SILENT)]
    assert "[INC-1]" in on_call[1]["title"], "what the page has to add"
    assert {action["label"] for action in on_call[1]["actions"]} >= {"Channel", "War room"}
    assert of_one_page(phone(stage, "cto-77"))[0] == ("rotating_light", LOUD), "the CTO has a topic of their own"
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    assert of_one_page(phone(stage, "incidents-sandbox"))[2:] == [("eyes", SILENT)]
    await stage.tell(Resolve(by="ann", force=True, reason="seen"))
    for topic in ("incidents-sandbox", "cto-77"):
        assert of_one_page(phone(stage, topic))[-1] == ("white_check_mark", SILENT)
    assert stage.ledger("pagerduty") == []


async def test_a_server_that_loses_replies_rings_once(paged_by_ntfy: Stage) -> None:
    stage = paged_by_ntfy
    stage.sandbox.fault("ntfy", "lost_reply", "POST", status=502, times=2)
    await stage.begin(but="page/")
    await stage.at(2)
    loud = [row["tags"][1] for row in phone(stage, "incidents-sandbox") if row["priority"] == LOUD]
    assert len(loud) == len(set(loud)) > 0
