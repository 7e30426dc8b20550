"""110: what a person may not do at the command line is refused, and recorded."""

from pathlib import Path

import pytest

from tests.cli.conftest import NOBODY, Incidental, Opened, Stage, refused

RULES = """directory:
    ann: {aliases: [al99]}
    bob: {}
  groups: {sre: [ann]}
  permissions: {note: [sre], postmortem: [sre]}
"""


@pytest.fixture
def opened(stage: Stage) -> Opened:
    return stage.open()


@pytest.fixture
def restricted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The runbook of this machine: only ann may add a note, or write the post-mortem."""
    text = Path("runbook.yaml").read_text(encoding="utf-8")
    runbook = tmp_path / "runbook.yaml"
    for line in ("  groups: {}\n", "  permissions: {}\n"):
        assert line in text
        text = text.replace(line, "")
    runbook.write_text(text.replace("  directory: {}\n", f"  {RULES}"), encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_FILE", str(runbook))
    return runbook


def test_110_who_may_not_is_refused_with_who_may_and_it_is_in_the_timeline(
    opened: Opened, on_stage: Incidental, restricted: Path
) -> None:
    why = "bob is not authorized to note. Authorized: sre (ann)."
    assert refused(on_stage("note", opened.number, "x", "--by", "bob")) == f"{why} Nothing was changed."
    incident = opened.until(lambda incident: any(entry.kind == "refused" for entry in incident.timeline))
    [entry] = [entry for entry in incident.timeline if entry.kind == "refused"]
    assert (entry.actor, entry.text) == ("bob", f"note refused: {why}")
    assert "x" not in [entry.text for entry in incident.timeline]
    assert on_stage("note", opened.number, "y", "--by", "al99").out == "y\n", "ann by another name"
    assert on_stage("ack", opened.number, "--by", "bob").out == "Acknowledged by bob\n", "the rest may everyone"


def test_110_it_is_refused_and_recorded_without_a_worker(stage: Stage, on_stage: Incidental, restricted: Path) -> None:
    orphan = stage.begin(queue=NOBODY)
    assert "not authorized to note" in refused(on_stage("note", orphan.id, "x", "--by", "bob"))

    async def signals() -> list[str]:
        events = (await orphan.handle.fetch_history()).events
        return [e.workflow_execution_signaled_event_attributes.signal_name for e in events]

    assert stage.do(signals()).count("command_refused") == 1


def test_110_a_postmortem_records_it_too(opened: Opened, on_stage: Incidental, restricted: Path) -> None:
    number = opened.number
    assert on_stage("resolve", number, "--force", "--reason", "quiet", "--by", "ann").status == 0
    opened.until(lambda incident: f"postmortem/{incident.times_resolved}" in incident.ledger.fulfilled)
    said = on_stage("postmortem", "waive", number, "--reason", "x", "--by", "bob")
    assert said.status == 1
    assert "bob is not authorized to postmortem. Authorized: sre (ann)." in said.why
    texts = [entry["text"] for entry in on_stage("postmortem", "show", number, "--json").document["timeline"]]
    assert "postmortem refused: bob is not authorized to postmortem. Authorized: sre (ann)." in texts


def test_110_a_runbook_that_cannot_be_used_stops_nobody_and_says_so(
    opened: Opened, on_stage: Incidental, restricted: Path
) -> None:
    restricted.write_text("people: {permissions: {note: [", encoding="utf-8")
    said = on_stage("note", opened.number, "still works", "--by", "bob")
    assert (said.status, said.out) == (0, "still works\n")
    assert "warning: permissions are not checked: runbook.yaml cannot be used" in said.err
