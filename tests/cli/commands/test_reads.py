"""Reading: lists, looks, watching and following; and the check of the runbook."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import PauseActivityRequest

from incidents.domain.incident.commands import AddNote, Cancel
from incidents.domain.incident.incident import Incident
from tests.cli.conftest import NOBODY, Incidental, Opened, Stage

Seen = TypeVar("Seen")


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
    until(lambda: opened.id not in {row["workflow_id"] for row in on_stage("list", "--json").document})
    [ended] = [row for row in on_stage("list", "--all", "--json").document if row["workflow_id"] == opened.id]
    assert ended["status"] == "cancelled"
    assert ended["closed_at"] is not None


@pytest.mark.parametrize("name", ["{}", "INC-{}", "inc-{}", " {} "])
def test_show_by_each_name(opened: Opened, on_stage: Incidental, name: str) -> None:
    document = on_stage("show", name.format(opened.number), "--json").document
    assert Incident.model_validate_json(json.dumps(document)).first_run_id == opened.state().first_run_id


def test_show_and_one_look(opened: Opened, on_stage: Incidental) -> None:
    for words in (("show",), ("watch", "--once")):
        said = on_stage(words[0], opened.number, *words[1:])
        assert (said.status, said.err) == (0, "")
        for part in (f"INC-{opened.number} · P2", "Open an incident channel", "Up next", "Timeline (UTC)"):
            assert part in said.out
    assert set(on_stage("watch", opened.number, "--json").document) == {"incident", "agenda", "retrying"}


def test_17_what_is_retried_shows_its_attempts_its_failure_and_the_next_try(stage: Stage, on_stage: Incidental) -> None:
    stage.activities.faults["open_bridge"] = 1000
    try:
        opened = stage.open("critical")
        [retry] = until(lambda: retrying(on_stage, opened))
        assert retry["summary"] == "Open the war room", "what it does, as history has it"
        assert retry["failure"] == "open_bridge is down"
        assert retry["attempts"] >= 1
        assert datetime.fromisoformat(retry["gives_up_at"]) > datetime.now(UTC)
        shown = on_stage("show", opened.number).out
        assert re.search(r"Open the war room · \d+ attempts? failed: open_bridge is down", shown)
        assert on_stage("watch", opened.number, "--json").document["retrying"][0]["attempts"] >= retry["attempts"]
    finally:
        del stage.activities.faults["open_bridge"]
    opened.until(lambda incident: incident.ledger.settled("war-room"))
    assert on_stage("show", opened.number, "--json").document["retrying"] == []
    assert "Retrying" not in on_stage("show", opened.number).out


def test_17_an_activity_that_an_operator_paused_is_held_and_does_not_seem_to_wait(
    stage: Stage, on_stage: Incidental
) -> None:
    stage.activities.faults["open_bridge"] = 1000
    try:
        opened = stage.open("critical")
        pause(stage, opened, "open_bridge", "Zoom changes our plan; ask ann@example.com")
        held = until(lambda: [row for row in retrying(on_stage, opened) if row["paused"]])[0]
        unpause = held["paused"]["unpause"]
        assert held["next_at"] is None
        assert unpause.startswith(f"temporal activity unpause --workflow-id {opened.id} --activity-id ")
        shown = " ".join(on_stage("show", opened.number).out.split())
        assert "Paused ─" in shown
        assert "paused Open the war room · paused by an operator since " in shown
        assert "(Zoom changes our plan; ask [address])" in shown
        assert unpause in shown
        rows = {row["workflow_id"]: row for row in on_stage("stuck", "--json").document}
        assert rows[opened.id]["reason"] == "paused"
        assert rows[opened.id]["remedy"] == f"To continue it: `{unpause}`."
        assert "Its activity `open bridge` has been held by an operator since" in on_stage("stuck").out
        refusal = on_stage("reset", opened.number, "--yes", "--json")
        assert "is not stuck" in refusal.err, "a reset would not end the pause"
    finally:
        del stage.activities.faults["open_bridge"]
    typed = [*unpause.split(), "--address", stage.address, "--namespace", stage.client.namespace]
    subprocess.run(typed, check=True, capture_output=True, timeout=30)
    opened.until(lambda incident: incident.ledger.settled("war-room"))
    assert retrying(on_stage, opened) == []


def pause(stage: Stage, opened: Opened, kind: str, reason: str) -> None:
    """Pause an activity of an incident as `temporal activity pause` does."""
    request = PauseActivityRequest(
        namespace=stage.client.namespace,
        execution=WorkflowExecution(workflow_id=opened.id),
        type=kind,
        identity="root@operators",
        reason=reason,
    )
    stage.do(stage.client.workflow_service.pause_activity(request))


def retrying(on_stage: Incidental, opened: Opened) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = on_stage("show", opened.number, "--json").document["retrying"]
    return rows


def until(look: Callable[[], Seen]) -> Seen:
    """Return what is seen, as soon as it is there."""
    for _ in range(100):
        if seen := look():
            return seen
        time.sleep(0.2)
    raise AssertionError("it is never seen")


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


OFF = "off (PAYLOAD_KEYS is not set)"


def test_check(incident: Incidental, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNBOOK_FILE", raising=False)
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", "routing-key")
    assert incident("check").out == f"runbook.yaml is valid\nPayload encryption: {OFF}\n"
    found = incident("check", "--json").document
    assert found.pop("warnings"), "see foresight/test_check.py"
    expected = {"file": "runbook.yaml", "valid": True, "faults": [], "warning": "", "encryption": OFF}
    assert found == expected
    text = Path("runbook.yaml").read_text(encoding="utf-8")
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        text.replace("bake_time:", "bake_tme:").replace("suspicion_window:", "suspicion_windw:"), encoding="utf-8"
    )
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


NOBODY_PAGED = (
    "NOBODY CAN BE PAGED for P0, P1, P2: no pager for on_call. Set PAGERDUTY_ROUTING_KEY or NTFY_URL on the worker."
)


def test_91_check_says_that_nobody_can_be_paged(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNBOOK_FILE", "PAGERDUTY_ROUTING_KEY", "PAGERDUTY_ROUTING_KEYS", "NTFY_URL", "NTFY_TOPICS"):
        monkeypatch.delenv(name, raising=False)
    said = incident("check")
    assert (said.status, said.out.splitlines()) == (
        0,
        ["runbook.yaml is valid", NOBODY_PAGED, f"Payload encryption: {OFF}"],
    )
    assert incident("check", "--json").document["warning"] == NOBODY_PAGED
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEYS", '{"on_call": "key"}')
    assert incident("check").out == f"runbook.yaml is valid\nPayload encryption: {OFF}\n"


def test_91_show_says_that_nobody_can_be_paged(stage: Stage, on_stage: Incidental) -> None:
    stage.activities.off["send_page"] = "PagerDuty not configured (PAGERDUTY_ROUTING_KEY is not set)"
    try:
        opened = stage.open("critical")
        opened.until(lambda incident: "NOBODY CAN BE PAGED" in " ".join(e.text for e in incident.timeline))
    finally:
        del stage.activities.off["send_page"]
    first = on_stage("show", opened.number).out.splitlines()[1]
    assert "NOBODY CAN BE PAGED for P0: PagerDuty not configured (" in first
