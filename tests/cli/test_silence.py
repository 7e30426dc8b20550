"""Without a worker, without a server, and with a server that falls silent: what is said, and what is not lost."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from incidents.app import connection
from incidents.app.composition.workers import make_worker
from incidents.cli import live
from incidents.cli import runner as running
from incidents.client.commands import send
from incidents.client.lookup import find
from incidents.client.problems import CommandFailed
from incidents.client.watching import watched_run
from incidents.domain.incident.commands import AddNote
from incidents.domain.incident.incident import Incident
from incidents.domain.people.permissions import EVERYONE
from tests.cli.conftest import NOBODY, Incidental, Opened, Stage, point_at
from workflows.incident import IncidentWorkflow


@pytest.fixture
def opened(stage: Stage) -> Opened:
    return stage.open("warning")


@pytest.fixture
def orphan(stage: Stage) -> Opened:
    """An incident that no worker looks after."""
    return stage.begin("warning", queue=NOBODY)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is long enough for the tests."""
    monkeypatch.setattr("incidents.client.asking.TIMEOUT", timedelta(seconds=1))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("words", [("show",), ("timeline",), ("watch", "--once")])
def test_without_a_worker_reads_tell_what_temporal_knows(
    orphan: Opened, on_stage: Incidental, words: tuple[str, ...]
) -> None:
    said = on_stage(words[0], orphan.id, *words[1:])
    assert said.status == 1
    assert "No worker answered" in said.why
    assert "P2   investigating" in said.out
    assert "EvaluationErro" in said.out, "the title"
    said = on_stage(words[0], orphan.id, "--json")
    assert (said.status, said.document["partial"], said.document["severity"]) == (1, True, "P2")


@pytest.mark.usefixtures("impatient")
def test_a_queued_resolution_is_not_known_to_be_one(orphan: Opened, on_stage: Incidental) -> None:
    said = on_stage("resolve", orphan.id, "--by", "ann", "--wait", "--timeout", "0.5")
    assert said.status == 1
    assert "no worker has taken the command yet" in said.why


@pytest.mark.usefixtures("impatient")
def test_a_command_without_a_worker_is_kept_and_applied_once(
    orphan: Opened, stage: Stage, on_stage: Incidental
) -> None:
    said = on_stage("ack", orphan.id, "--by", "ann", "--timeout", "1")
    assert (said.status, said.err) == (0, "")
    assert said.out == (
        "No worker answered within 1 s. The command is queued and takes effect when a worker is back."
        " Check with `incident timeline`.\n"
    )
    queued = on_stage("note", orphan.id, "for later", "--timeout", "0.5", "--json").document
    assert (queued["queued"], queued["changed"]) == (True, True)
    refused_later = on_stage("reopen", orphan.id, "--reason", "x", "--timeout", "0.5", "--json")
    assert refused_later.document["queued"] is True

    async def work() -> Incident:
        async with make_worker(stage.client, NOBODY, stage.activities.methods()):
            incident = await stage.client.get_workflow_handle(orphan.id).query(IncidentWorkflow.incident)
            while not any(entry.kind == "refused" for entry in incident.timeline):
                incident = await stage.client.get_workflow_handle(orphan.id).query(IncidentWorkflow.incident)
            return incident

    incident = stage.do(work())
    assert incident.acknowledged_by == "ann"
    texts = [entry.text for entry in incident.timeline]
    assert texts.count("for later") == 1
    assert any("reopen" in text and "only a resolved incident" in text for text in texts)


def test_an_update_and_a_signal_of_one_id_are_one_command(opened: Opened, stage: Stage) -> None:
    """What happens when the worker took the update after all, and only its answer was late."""
    command = AddNote(by="ann", text="once", id="the-same-id")

    async def both() -> bool:
        sent = await send(stage.client, await find(stage.client, opened.id), command, timedelta(seconds=5), EVERYONE)
        await opened.handle.signal(command.name, command)
        return sent.changed

    assert stage.do(both()) is True
    assert [entry.text for entry in opened.state().timeline].count("once") == 1
    assert not [entry for entry in opened.state().timeline if entry.kind == "refused"]


@pytest.mark.usefixtures("impatient")
def test_a_watcher_outlasts_a_missing_worker(orphan: Opened, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> tuple[str, str, str, str]:
        console = running.console()
        seen = live.Look(stage.client, await find(stage.client, orphan.id), console)
        await seen.refresh()
        with console.capture() as before:
            console.print(seen.view())
        async with make_worker(stage.client, NOBODY, stage.activities.methods()):
            while seen.incident is None or seen.problem:
                await seen.refresh()
        await orphan.handle.signal("add_note", AddNote(by="ann", text="news"))
        await seen.refresh()
        problem = seen.problem
        with console.capture() as young:
            console.print(seen.view())
        monkeypatch.setattr(watched_run, "STALE", timedelta())
        with console.capture() as old:
            console.print(seen.view())
        return before.get(), problem, young.get(), old.get()

    before, problem, young, old = stage.do(look())
    assert "EvaluationErrors is high" in before
    assert "No worker answered" in problem
    assert "Checklist: " in young
    assert "No worker answered" not in young, "a hiccup is not worth a word"
    assert re.search(r"As of \d+s ago\. No worker answered", old), "what is shown is old, and that is said"


def test_no_server_is_one_line(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, "127.0.0.1:1")
    for words in (("list",), ("ack", "1", "--by", "ann")):
        said = incident(*words)
        assert (said.status, said.out) == (1, "")
        assert said.why.startswith("error: connection refused at 127.0.0.1:1: is Temporal running? Nothing was sent")


@pytest.fixture
def deaf() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_deaf_server_is_one_line_in_bounded_time(
    incident: Incidental, monkeypatch: pytest.MonkeyPatch, deaf: str
) -> None:
    point_at(monkeypatch, deaf)
    assert timedelta(0) < connection.TIMEOUT <= timedelta(seconds=10)
    monkeypatch.setattr(connection, "TIMEOUT", timedelta(seconds=1))
    said = incident("show", "1")  # without a bound it would wait as long as the server is silent
    assert (said.status, said.out) == (1, "")
    assert f"no answer at {deaf}: is Temporal running, and reachable from here?" in said.why


@pytest.mark.parametrize("status", [RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED])
def test_a_watcher_outlasts_a_silent_server(
    opened: Opened, stage: Stage, monkeypatch: pytest.MonkeyPatch, status: RPCStatusCode
) -> None:
    async def silent(*_: object) -> None:
        raise RPCError("gone", status, b"")

    async def look() -> live.Look:
        seen = live.Look(stage.client, await find(stage.client, opened.id), running.console())
        await seen.refresh()
        assert (seen.incident is not None, seen.problem) == (True, "")
        with monkeypatch.context() as patch:
            patch.setattr(watched_run, "current", silent)
            await seen.refresh()
        return seen

    seen = stage.do(look())
    assert "Temporal is not answering" in seen.problem
    assert not seen.over(None)
    console = running.console()
    with console.capture() as shown:
        console.print(seen.view())
    assert "Checklist: " in shown.get()
    assert "As of" not in shown.get()
    monkeypatch.setattr(watched_run, "STALE", timedelta())
    with console.capture() as shown:
        console.print(seen.view())
    assert re.search(r"As of \d+s ago\. Temporal is not answering", shown.get())
    stage.do(seen.refresh())
    assert seen.problem == ""


@pytest.mark.parametrize("words", [("show",), ("list",), ("note", "x")])
def test_a_server_that_falls_silent_is_one_line(
    opened: Opened, on_stage: Incidental, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    async def silent(*_: object, **__: object) -> None:
        raise RPCError("gone", RPCStatusCode.UNAVAILABLE, b"")

    monkeypatch.setattr("incidents.cli.commands.listing.list_incidents", silent)
    monkeypatch.setattr("incidents.client.lookup._by_visibility", silent)
    said = on_stage(words[0], *([] if words == ("list",) else [opened.number]), *words[1:])
    assert (said.status, said.out) == (1, "")
    assert "Lost the connection" in said.why
    assert opened.stage.address in said.why


@pytest.mark.parametrize("name", ["execute_update", "signal"])
def test_a_command_whose_fate_is_unknown_says_so(
    orphan: Opened, stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def silent(*_: object, **__: object) -> None:
        raise RPCError("gone", RPCStatusCode.UNAVAILABLE, b"")

    monkeypatch.setattr(WorkflowHandle, name, silent)

    async def tell() -> None:
        found = await find(stage.client, orphan.id)
        await send(stage.client, found, AddNote(by="ann", text="x"), timedelta(seconds=1), EVERYONE)

    with pytest.raises(CommandFailed, match="may or may not have arrived"):
        stage.do(tell())
