"""`incident whatif`: recorded facts under another runbook."""

from pathlib import Path

import pytest

from tests.cli.commands.foresight.test_adopt import edited
from tests.cli.conftest import Incidental, Opened, Stage, reason, refused


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


def test_mistakes(opened: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    said = on_stage("whatif", opened.number, "--runbook", "nothing.yaml")
    assert (said.status, said.out) == (2, "")
    assert reason(said).startswith("Invalid value: --runbook: there is no file nothing.yaml")
    file = edited(tmp_path, ("name: flag-evaluation", "name: evaluation"))
    said = on_stage("whatif", opened.number, "--runbook", file)
    assert refused(said).startswith("The other runbook does not fit: service: 'flag-evaluation' is not one of ")
