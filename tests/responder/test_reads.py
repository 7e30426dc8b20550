"""Reading: lists, looks, watching and following; without a worker, without a server, and until Ctrl-C."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runbook.commands import AddNote, Cancel
from runbook.incident import Incident
from terminal import running, watch
from terminal.finding import find
from terminal.sending import send
from tests.responder.conftest import NOBODY, Incidental, Opened, Stage, point_at
from worker import make_worker
from workflows.incident import IncidentWorkflow


@pytest.fixture
def opened(stage: Stage) -> Opened:
    return stage.open("warning")


@pytest.fixture
def orphan(stage: Stage) -> Opened:
    """An incident that no worker looks after."""
    return stage.begin("warning", queue=NOBODY)


def test_list(opened: Opened, orphan: Opened, on_stage: Incidental) -> None:
    rows = on_stage("list", "--json").document
    mine = {row["workflow_id"]: row for row in rows}
    assert mine[opened.id]["number"] == int(opened.number)
    assert (mine[orphan.id]["number"], mine[orphan.id]["severity"]) == (None, "P2")
    shown = on_stage("list").out
    assert any(line.startswith(f"INC-{opened.number} ") and " P2 " in line for line in shown.splitlines())
    on_stage("cancel", opened.number, "--reason", "x")
    opened.stage.do(opened.handle.result())
    deadline = time.monotonic() + 10
    while opened.id in {row["workflow_id"] for row in on_stage("list", "--json").document}:
        assert time.monotonic() < deadline
    [ended] = [row for row in on_stage("list", "--all", "--json").document if row["workflow_id"] == opened.id]
    assert ended["status"] == "cancelled"
    assert ended["closed_at"] is not None


@pytest.mark.parametrize("name", ["{}", "INC-{}", "inc-{}", " {} "])
def test_show_by_each_name(opened: Opened, on_stage: Incidental, name: str) -> None:
    document = on_stage("show", name.format(opened.number), "--json").document
    assert Incident.model_validate(document).run_key == opened.state().run_key


def test_show_and_one_look(opened: Opened, on_stage: Incidental) -> None:
    for words in (("show",), ("watch", "--once")):
        said = on_stage(words[0], opened.number, *words[1:])
        assert (said.status, said.err) == (0, "")
        for part in (f"INC-{opened.number} · P2", "Open an incident channel", "Next duties", "Timeline (UTC)"):
            assert part in said.out
    assert set(on_stage("watch", opened.number, "--json").document) == {"incident", "agenda"}


def test_timeline(opened: Opened, on_stage: Incidental) -> None:
    entries = on_stage("timeline", opened.number, "--json").document
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    shown = on_stage("timeline", opened.number).out
    assert all(entry["text"].split()[0] in shown for entry in entries)


def tell_later(opened: Opened, *commands: AddNote | Cancel) -> threading.Timer:
    """Give commands in a second."""

    def tell() -> None:
        for command in commands:
            opened.stage.do(opened.handle.execute_update(command.name, command))

    timer = threading.Timer(1, tell)
    timer.start()
    return timer


def test_follow_prints_each_entry_once_until_the_end(opened: Opened, on_stage: Incidental) -> None:
    timer = tell_later(opened, AddNote(by="ann", text="first\nsecond"), Cancel(by="ann", reason="a broken probe"))
    said = on_stage("timeline", opened.number, "--follow")
    timer.join()
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert len(lines) == len(opened.state().timeline)
    told = [line.partition("  ann  ")[2] for line in lines if "  ann  " in line]
    assert told[:2] == ["first second", "Cancelled: a broken probe"]


@pytest.mark.parametrize("as_json", [False, True])
def test_watch_until_all_hope_of_it_has_gone(opened: Opened, on_stage: Incidental, as_json: bool) -> None:
    timer = tell_later(opened, Cancel(by="ann", reason="a broken probe"))
    said = on_stage("watch", opened.number, "--until", "resolved", *(["--json"] if as_json else []))
    timer.join()
    assert said.status == 0
    if as_json:
        assert said.document["incident"]["status"] == "cancelled"
    else:
        assert "cancelled" in said.out.splitlines()[0]


def test_watch_ends_with_the_incident(opened: Opened, on_stage: Incidental) -> None:
    opened.stage.do(opened.handle.terminate("by hand"))
    assert on_stage("watch", opened.number).status == 0


# --- no worker -------------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is long enough for the tests."""
    monkeypatch.setattr("terminal.finding.PATIENCE", timedelta(seconds=1))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("words", [("show",), ("timeline",), ("watch", "--once")])
def test_without_a_worker_reads_tell_what_temporal_knows(
    orphan: Opened, on_stage: Incidental, words: tuple[str, ...]
) -> None:
    said = on_stage(words[0], orphan.id, *words[1:])
    assert said.status == 1
    assert "No worker answered" in said.why
    assert "P2   investigating  flag-evaluation" in said.out
    said = on_stage(words[0], orphan.id, "--json")
    assert (said.status, said.document["partial"], said.document["severity"]) == (1, True, "P2")


@pytest.mark.usefixtures("impatient")
def test_a_command_without_a_worker_is_kept_and_applied_once(
    orphan: Opened, stage: Stage, on_stage: Incidental
) -> None:
    began = time.monotonic()
    said = on_stage("ack", orphan.id, "--by", "ann", "--timeout", "1")
    assert time.monotonic() - began < 8
    assert (said.status, said.err) == (0, "")
    assert said.out == (
        "No worker answered in 1 s. The command is recorded with the incident and takes effect when a worker is back;"
        " see `incident timeline`.\n"
    )
    queued = on_stage("note", orphan.id, "for later", "--timeout", "0.5", "--json").document
    assert (queued["queued"], queued["changed"]) == (True, True)
    refused_later = on_stage("reopen", orphan.id, "--reason", "x", "--timeout", "0.5", "--json")
    assert refused_later.document["queued"] is True

    async def work() -> Incident:
        async with make_worker(stage.client, NOBODY, stage.hands.methods()):
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
        sent = await send(stage.client, await find(stage.client, opened.id), command, timedelta(seconds=5))
        await opened.handle.signal(command.name, command)
        return sent.changed

    assert stage.do(both()) is True
    assert [entry.text for entry in opened.state().timeline].count("once") == 1
    assert not [entry for entry in opened.state().timeline if entry.kind == "refused"]


@pytest.mark.usefixtures("impatient")
def test_a_watcher_outlasts_a_missing_worker(orphan: Opened, stage: Stage) -> None:
    async def look() -> tuple[str, str, str]:
        console = running.console()
        seen = watch.Look(stage.client, await find(stage.client, orphan.id), console)
        await seen.refresh()
        with console.capture() as before:
            console.print(seen.view())
        async with make_worker(stage.client, NOBODY, stage.hands.methods()):
            while seen.incident is None or seen.problem:
                await seen.refresh()
        await seen.refresh()
        problem = seen.problem
        with console.capture() as after:
            console.print(seen.view())
        return before.get(), problem, after.get()

    before, problem, after = stage.do(look())
    assert "flag-evaluation" in before
    assert "No worker answered" in problem
    assert "First response" in after
    assert "No worker answered" in after, "what is shown may be old, and that is said"


# --- no server -------------------------------------------------------------------------------------------------------


def test_no_server_is_one_line_in_bounded_time(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, "127.0.0.1:1")
    began = time.monotonic()
    for words in (("list",), ("ack", "1", "--by", "ann")):
        said = incident(*words)
        assert (said.status, said.out) == (1, "")
        assert said.why.startswith("error: Temporal at 127.0.0.1:1 cannot be reached")
        assert "nothing was sent" in said.why
    assert time.monotonic() - began < 24


@pytest.fixture
def deaf() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_deaf_server_is_one_line_in_bounded_time(
    incident: Incidental, monkeypatch: pytest.MonkeyPatch, deaf: str
) -> None:
    point_at(monkeypatch, deaf)
    began = time.monotonic()
    said = incident("show", "1")
    assert time.monotonic() - began < 13
    assert (said.status, said.out) == (1, "")
    assert f"Temporal at {deaf} cannot be reached" in said.why


# --- the process -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("watch",), ("timeline", "--follow")])
def test_ctrl_c_ends_the_watching_with_0(opened: Opened, on_stage: Incidental, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-u", "responder.py", words[0], opened.number, *words[1:]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    if words == ("watch",):  # shows nothing until it ends, since nobody looks; so give it time to begin
        time.sleep(4)
    else:
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert words != ("watch",) or f"INC-{opened.number}" in out
    assert opened.state().closed is False


def test_a_reader_that_has_gone_is_no_traceback(opened: Opened, on_stage: Incidental) -> None:
    for words in (("timeline", opened.number), ("show", opened.number, "--json")):
        process = subprocess.Popen(
            [sys.executable, "responder.py", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(20) == 1


def test_the_installed_command_answers_in_json_and_nothing_else(opened: Opened, on_stage: Incidental) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import responder; responder.main()", "note", opened.number, "hi", "--json"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["message"] == "hi"


# --- check -----------------------------------------------------------------------------------------------------------


def test_check(incident: Incidental, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNBOOK_FILE", raising=False)
    assert incident("check").out == "runbook.yaml makes sense.\n"
    assert incident("check", "--json").document == {"file": "runbook.yaml", "valid": True, "faults": []}
    text = Path("runbook.yaml").read_text(encoding="utf-8")
    broken = tmp_path / "broken.yaml"
    broken.write_text(text.replace("bake_time:", "bake_tme:").replace("suspicion_window:", "window:"), encoding="utf-8")
    said = incident("check", "--file", str(broken))
    assert (said.status, said.out) == (1, "")
    lines = said.err.splitlines()
    where = text.splitlines().index(next(line for line in text.splitlines() if "bake_time:" in line)) + 1
    assert f"{broken}:{where}: rollback.bake_tme: unknown field" in lines
    assert all(line.startswith(f"{broken}:") for line in lines)
    said = incident("check", "--file", str(broken), "--json")
    assert said.status == 1
    assert said.document["valid"] is False
    assert said.document["faults"] == lines
    monkeypatch.setenv("RUNBOOK_FILE", str(tmp_path / "none.yaml"))
    assert "cannot be read: No such file" in incident("check").why
