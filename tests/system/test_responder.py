"""`incident`: every command, its refusals, and what it does without a worker or a server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import running_sandbox
from sandbox.temporal_server import running_temporal, stop
from tests.system.conftest import Stage, stage_environment

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One stage with a worker and two incidents: INC-1 (P0) and INC-2 (P2)."""
    home = tmp_path_factory.mktemp("stage")
    with running_temporal() as (address, _), running_sandbox() as sandbox:
        stage = Stage(sandbox, stage_environment(address, sandbox, home), home)
        stage.environment["RUNBOOK_FILE"] = "runbook.yaml"
        worker = stage.worker()
        stage.start({"title": "Evaluations fail", "service": "flag-evaluation", "severity": "critical"})
        stage.start({"title": "Slow", "service": "dashboard", "severity": "warning"})
        yield stage
        stop(worker)


def refusal(stage: Stage, *words: str) -> str:
    done = stage.run("responder.py", *words, fails=True)
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    return line


def test_list_and_show(shared: Stage) -> None:
    rows = shared.incident("list")
    assert {(row["number"], row["severity"], row["service"]) for row in rows} == {
        (1, "P0", "flag-evaluation"),
        (2, "P2", "dashboard"),
    }
    for name in ("1", "INC-1", "incident-flag-evaluation:production"):
        assert shared.incident("show", name)["number"] == 1
    for words in (("list",), ("show", "1"), ("watch", "1", "--once"), ("timeline", "1")):
        assert "Evaluations fail" in shared.run("responder.py", *words).stdout or words == ("list",)


def test_every_command_answers(shared: Stage) -> None:
    two: list[tuple[tuple[str, ...], str]] = [
        (("ack", "2"), "Acknowledged by ann"),
        (("assess", "2", "The dashboard is slow.", "--customers", "ACME, Globex", "--complete"), "complete outage"),
        (("severity", "2", "p1", "--reason", "more of them"), "Severity P2 → P1 (more of them)"),
        (("update", "2", "We are on it."), "Update 3 (manual)"),
        (("update", "2", "A fix is out.", "--next"), "Words for the next update"),
        (("update", "2", "We are", "--draft"), "Draft of the next update"),
        (("note", "2", "restarted it"), "restarted it"),
        (("confirm", "2", "--customer", "ACME", "--not-restored"), "ACME: service is NOT restored"),
        (("monitor", "2"), "Monitoring"),
        (("resolve", "2", "--force", "--reason", "quiet"), "Forced resolution"),
        (("reopen", "2", "--reason", "it is back"), "Reopened: it is back"),
        (("cancel", "2", "--reason", "a broken probe"), "Cancelled: a broken probe"),
    ]
    for words, answer in two:
        told = shared.incident(*words, "--by", "ann")
        assert answer in told["message"], words
        assert told["changed"] is True
        assert told["queued"] is False


def test_refusals_are_one_line_and_exit_1(shared: Stage) -> None:
    assert "is P0 already" in refusal(shared, "severity", "1", "P0")
    assert "did not fail" in refusal(shared, "step", "1", "channel", "--retry")
    assert "only a resolved incident" in refusal(shared, "reopen", "1", "--reason", "x")
    assert "Still firing" in refusal(shared, "resolve", "1")
    assert "No rollback is offered" in refusal(shared, "approve", "1")
    assert "No rollback is offered" in refusal(shared, "rollback", "1")
    assert "No rollback is offered" in refusal(shared, "decline", "1", "--reason", "x")
    assert "No incident 99" in refusal(shared, "show", "99")
    assert "does not exist" in refusal(shared, "ack", "incident-nothing")
    assert "does not exist" in refusal(shared, "postmortem", "show", "1")


def test_bad_arguments_are_exit_2_and_reach_nobody(shared: Stage) -> None:
    for words in (
        ("severity", "1", "P9"),
        ("note", "1", ""),
        ("update", "1", "x", "--next", "--draft"),
        ("step", "1", "channel"),
        ("decline", "1"),
        ("watch", "1", "--until", "lunch"),
    ):
        assert shared.run("responder.py", *words, fails=True).returncode == 2


def test_the_same_acknowledgement_again_is_no_error(shared: Stage) -> None:
    shared.incident("ack", "1", "--by", "ann")
    again = shared.incident("ack", "1", "--by", "bob")
    assert again["changed"] is False
    assert "was acknowledged by ann" in again["message"]


def test_without_a_server_it_says_so_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    done = subprocess.run([sys.executable, "responder.py", "list"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "Temporal at 127.0.0.1:1 cannot be reached" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_without_a_worker_reads_say_so_and_the_list_still_works(stage: Stage) -> None:
    answer = stage.start({"title": "Odd", "service": "webhooks", "severity": "warning"})
    assert answer["number"] is None
    [row] = stage.incident("list")
    assert (row["severity"], row["service"]) == ("P2", "webhooks")
    assert "No worker answered" in refusal(stage, "show", answer["workflow_id"])
    queued = stage.incident("note", answer["workflow_id"], "for later", "--timeout", "1")
    assert queued["queued"] is True
    worker = stage.worker()
    incident = stage.until(1, lambda i: any(entry.text == "for later" for entry in i.timeline))
    assert [entry.text for entry in incident.timeline].count("for later") == 1
    stop(worker)


def test_check_finds_faults_in_the_runbook(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    text = Path("runbook.yaml").read_text(encoding="utf-8")
    broken.write_text(text.replace("bake_time:", "bake_tme:"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "responder.py", "check", "--file", str(broken)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert "rollback.bake_tme: unknown field" in done.stderr
    good = subprocess.run(
        [sys.executable, "responder.py", "check", "--json"], capture_output=True, text=True, timeout=30
    )
    assert json.loads(good.stdout)["valid"] is True
