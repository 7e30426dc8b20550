"""Reading seldom, and again when the answer is only late: queries cost a worker's task each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.connection import connect
from incidents.cli import runner as running
from incidents.cli.live import Look
from incidents.client.asking import ask
from incidents.client.commands import send
from incidents.client.lookup import find, incident
from incidents.client.problems import CommandFailed, NoAnswer, NotFound
from incidents.client.watching.watched_run import WatchedRun, state
from incidents.domain.incident.commands import AddNote
from incidents.domain.incident.incident import Incident
from incidents.domain.people.permissions import EVERYONE
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.names import INCIDENT_QUERY
from tests.cli.conftest import NOBODY, Incidental, Opened, Stage
from tests.support.reads import SeenReads


@pytest.fixture
def opened(stage: Stage) -> Opened:
    return stage.open("warning")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine an answer takes long, and would be asked for again: here it is counted how often that is."""
    monkeypatch.setattr("incidents.client.asking._FIRST_ATTEMPT", 4.0)


def fault(status: RPCStatusCode, text: str = "later") -> RPCError:
    return RPCError(text, status, b"")


PASSING = [
    fault(RPCStatusCode.RESOURCE_EXHAUSTED, "consistent query buffer is full"),
    fault(RPCStatusCode.FAILED_PRECONDITION, "Workflow Task is not scheduled yet."),
    fault(RPCStatusCode.UNAVAILABLE, "buffered query cleared, please retry"),
    WorkflowQueryFailedError("the query ran into an eviction, please retry"),
]


@pytest.mark.parametrize("passing", PASSING, ids=str)
def test_a_read_whose_answer_is_only_late_gets_it(opened: Opened, stage: Stage, passing: Exception) -> None:
    seen = SeenReads(faults=[passing, passing])
    found = stage.do(incident(seen.client(stage.client), opened.id))
    assert found.first_run_id == opened.state().first_run_id
    assert seen.queries == ["incident"] * 3


def test_a_read_that_the_worker_has_dropped_is_sent_again_in_time(
    opened: Opened, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when two people look at once: the run is evicted after the first answer, and the second query with it."""
    monkeypatch.setattr("incidents.client.asking._FIRST_ATTEMPT", 1.5)
    seen = SeenReads(dropped=1)
    found = stage.do(incident(seen.client(stage.client), opened.id))
    assert found.first_run_id == opened.state().first_run_id
    assert seen.queries == ["incident"] * 2


def test_an_answer_of_another_version_is_one_line(opened: Opened, stage: Stage) -> None:
    """As of a laptop whose program lags behind the worker's."""
    with pytest.raises(NoAnswer, match=r"INC-\d+ cannot be read: its worker is of another version .* for Postmortem"):
        stage.do(ask(opened.handle, INCIDENT_QUERY, Postmortem, f"INC-{opened.number}"))


def test_a_worker_that_lacks_the_query_is_of_another_version(opened: Opened, stage: Stage) -> None:
    why = r"INC-1 cannot be read: its worker is of another version than this program \(Query handler for 'next' .*\)"
    with pytest.raises(NoAnswer, match=why):
        stage.do(ask(opened.handle, "next", Incident, "INC-1"))


def test_a_worker_that_lacks_the_command_is_of_another_version(opened: Opened, stage: Stage) -> None:
    class Next(AddNote):
        name = "next"

    async def told() -> None:
        found = await find(stage.client, opened.id)
        await send(stage.client, found, Next(by="ann", text="x"), timedelta(seconds=5), EVERYONE)

    with pytest.raises(CommandFailed, match=r"^INC-\d+ does not know this command: its worker is of another version"):
        stage.do(told())


@pytest.mark.parametrize("final", [fault(RPCStatusCode.NOT_FOUND), WorkflowQueryFailedError("no such query")], ids=str)
def test_a_final_answer_is_not_asked_for_again(opened: Opened, stage: Stage, final: Exception) -> None:
    seen = SeenReads(faults=[final])
    with pytest.raises(NotFound):
        stage.do(incident(seen.client(stage.client), opened.id))
    assert seen.queries == ["incident"]


@pytest.mark.parametrize("passing", PASSING, ids=str)
def test_the_timeout_ends_it(opened: Opened, stage: Stage, monkeypatch: pytest.MonkeyPatch, passing: Exception) -> None:
    monkeypatch.setattr("incidents.client.asking.TIMEOUT", timedelta(seconds=1))
    seen = SeenReads(faults=[passing] * 1000)
    handle = seen.client(stage.client).get_workflow_handle(opened.id)
    with pytest.raises((NoAnswer, RPCError), match=r"is busy|No worker answered|please retry"):
        stage.do(ask(handle, "incident", Incident, "INC-1"))
    assert 1 < len(seen.queries) < 6, "with longer and longer pauses"


async def refreshed(look: Look, seen: SeenReads) -> tuple[bool, int]:
    """Look once: whether the history had grown, and how many queries it took."""
    before, sent = (look.run.run_id, look.run.raw_info.history_length), len(seen.queries)
    await look.refresh()
    return (look.run.run_id, look.run.raw_info.history_length) != before, len(seen.queries) - sent


def test_a_watcher_queries_only_what_has_changed(opened: Opened, stage: Stage) -> None:
    seen = SeenReads()

    async def watched() -> list[tuple[bool, int]]:
        client = seen.client(stage.client)
        look = Look(client, await find(client, opened.id), running.console())
        await look.refresh()
        assert seen.queries == ["incident", "agenda"]
        looks = [await refreshed(look, seen) for _ in range(30)]
        await opened.handle.execute_update("add_note", AddNote(by="ann", text="news"))
        looks.append(await refreshed(look, seen))
        assert look.incident is not None
        assert look.incident.timeline[-1].text == "news"
        return looks

    looks = stage.do(watched())
    assert {queries for grown, queries in looks if grown} == {2}
    assert {queries for grown, queries in looks if not grown} == {0}


def test_while_nobody_answers_the_pauses_grow_and_people_are_told_after_a_while(opened: Opened, stage: Stage) -> None:
    seen = SeenReads()

    async def watched() -> WatchedRun:
        client = seen.client(stage.client)
        run = WatchedRun(client, await find(client, opened.id))
        await run.refresh(state)
        normal, pauses = run.pause, []
        await opened.handle.execute_update("add_note", AddNote(by="ann", text="news"))
        for _ in range(6):
            await run.refresh(nobody)
            pauses.append(run.pause)
        assert (normal, pauses) == (2, [1, 2, 4, 8, 15, 15])
        return run

    run = stage.do(watched())
    now = datetime.now(UTC)
    assert run.warning(now) == ""
    assert run.warning(now + timedelta(seconds=60)).startswith("As of 1m")
    assert "No worker answered for INC-7." in run.warning(now + timedelta(seconds=60))
    assert stage.do(run.refresh(state)) is not None
    assert (run.problem, run.pause, run.warning(now + timedelta(days=1))) == ("", 2, "")


async def nobody(*_: Any) -> None:
    raise NoAnswer("No worker answered for INC-7.")


LISTS: list[tuple[str, ...]] = [("list",), ("list", "--all"), ("list", "--overdue")]


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_lists_query_no_workflow(
    opened: Opened, stage: Stage, on_stage: Incidental, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """They read visibility, which the server keeps: they work also while no worker runs."""
    orphan = stage.begin("warning", queue=NOBODY)
    seen = SeenReads()

    async def connected(*args: Any) -> Any:
        return seen.client(await connect(*args))

    monkeypatch.setattr(running, "connect", connected)
    rows = on_stage(*words, "--json").document
    assert "--overdue" in words or orphan.id in {row["workflow_id"] for row in rows}
    assert on_stage(*words).status == 0
    assert (seen.queries, seen.descriptions) == ([], 0)
    on_stage("show", opened.id)
    assert seen.queries == ["incident", "agenda"], "queries would have been seen"
