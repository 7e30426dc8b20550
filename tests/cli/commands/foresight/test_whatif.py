"""`incident whatif`: recorded facts under another runbook."""

from pathlib import Path

import pytest

from incidents.domain.adoption.adoption import REPLACED, AdoptRunbook
from incidents.domain.config.loading import parse_runbook
from tests.cli.commands.foresight.test_adopt import edited
from tests.cli.conftest import Incidental, Opened, Stage, reason, refused
from tests.support.in_process import Said


@pytest.fixture
def opened(stage: Stage) -> Opened:
    return stage.open()


def test_it_shows_what_would_have_differed(opened: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    assert on_stage("ack", opened.number, "--by", "ann").status == 0
    file = edited(tmp_path, ("{contact: ceo, after: 30m", "{contact: ceo, after: 45m"))
    said = on_stage("whatif", opened.number, "--runbook", file)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"INC-{opened.number} under the other runbook, by 1 recorded facts\n")
    assert "T+0:30 → T+0:45 (15m later)" in said.out
    assert "- What people would have done differently is not known" in said.out
    found = on_stage("whatif", opened.number, "--runbook", file, "--json").document
    assert [fact["what"] for fact in found["facts"]] == ["ann: acknowledge"]
    assert {change["by"] for change in found["changes"] if change["kind"] == "moved"} == {"PT15M"}
    assert found["unknown"]


def test_a_closed_incident_is_looked_at_too(opened: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    assert on_stage("cancel", opened.number, "--by", "ann", "--reason", "broken probe").status == 0
    said = on_stage("whatif", opened.number, "--runbook", edited(tmp_path))
    assert said.status == 0
    assert "No difference." in said.out


def with_ceo_after(folder: Path, after: str) -> str:
    sub = folder / after
    sub.mkdir(exist_ok=True)
    return edited(sub, ("{contact: ceo, after: 30m", f"{{contact: ceo, after: {after}"))


def moved_rungs(said: Said) -> list[tuple[str, str]]:
    """From when to when the CEO's page moves."""
    changes = said.document["changes"]
    return [(c["before"], c["after"]) for c in changes if c["obligation"] == "Escalate to CEO by page"]


def test_an_incident_that_was_moved_followed_each_runbook_from_its_time_on(
    opened: Opened, on_stage: Incidental, tmp_path: Path
) -> None:
    later, same = with_ceo_after(tmp_path, "45m"), edited(tmp_path)
    assert on_stage("adopt", opened.number, "--file", later, "--by", "ann").status == 0
    assert moved_rungs(on_stage("whatif", opened.number, "--runbook", later, "--json")) == []
    found = on_stage("whatif", opened.number, "--runbook", same, "--json")
    assert moved_rungs(found) == [("T+0:45", "T+0:30")]
    assert [move["by"] for move in found.document["adopted"]] == ["ann"]
    assert not [line for line in found.document["unknown"] if "runbook" in line and "retain" in line]
    assert "ann: adopt runbook" in on_stage("whatif", opened.number, "--runbook", same).out


def test_a_move_by_a_signal_counts_if_it_was_not_rejected(opened: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    lacking = edited(tmp_path, ("name: flag-evaluation", "name: evaluation"))
    for file in (lacking, with_ceo_after(tmp_path, "45m")):
        runbook = parse_runbook(Path(file).read_text(encoding="utf-8"))
        command = AdoptRunbook(by="bob", runbook=runbook)
        opened.stage.do(opened.handle.signal(AdoptRunbook.name, command))
    opened.until(lambda i: any(entry.text.startswith(REPLACED) for entry in i.timeline))
    found = on_stage("whatif", opened.number, "--runbook", edited(tmp_path), "--json")
    assert [move["by"] for move in found.document["adopted"]] == ["bob"]
    assert moved_rungs(found) == [("T+0:45", "T+0:30")]


def test_a_move_before_it_continued_as_new_is_found_in_the_earlier_run(
    stage: Stage, on_stage: Incidental, tmp_path: Path
) -> None:
    opened = stage.open(history_limit=150)
    for after in ("45m", "50m"):
        assert on_stage("adopt", opened.number, "--file", with_ceo_after(tmp_path, after), "--by", "ann").status == 0
    current = stage.client.get_workflow_handle(opened.id)
    for number in range(200):
        if stage.do(current.describe()).run_id != opened.handle.run_id:
            break
        assert on_stage("note", opened.number, f"note {number}", "--by", "ann").status == 0
    else:
        pytest.fail("it never continued as new")
    found = on_stage("whatif", opened.number, "--runbook", edited(tmp_path), "--json")
    assert [move["by"] for move in found.document["adopted"]] == ["ann", "ann"]
    assert moved_rungs(found) == [("T+0:50", "T+0:30")]


def test_a_runbook_that_cannot_be_used_is_named(
    opened: Opened, on_stage: Incidental, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("product: [", encoding="utf-8")
    assert refused(on_stage("whatif", opened.number, "--runbook", str(broken))).startswith(f"{broken}:2: not YAML")
    monkeypatch.setenv("RUNBOOK_FILE", "nothing.yaml")
    said = refused(on_stage("whatif", opened.number))
    assert said == "nothing.yaml (RUNBOOK_FILE) cannot be read: No such file or directory"
    monkeypatch.setenv("PROBE_URLS", "{")
    assert refused(on_stage("whatif", opened.number)).startswith("PROBE_URLS must be a JSON object")


def test_mistakes(opened: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    said = on_stage("whatif", opened.number, "--runbook", "nothing.yaml")
    assert (said.status, said.out) == (2, "")
    assert reason(said).startswith("Invalid value: --runbook: there is no file nothing.yaml")
    file = edited(tmp_path, ("name: flag-evaluation", "name: evaluation"))
    said = on_stage("whatif", opened.number, "--runbook", file)
    assert refused(said).startswith("The other runbook does not fit: service: 'flag-evaluation' is not one of ")
