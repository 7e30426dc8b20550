"""`incident adopt`: a running incident under the runbook as it is now."""

from pathlib import Path

import pytest

from tests.cli.conftest import Incidental, Opened, Stage, refused

TEXT = Path("runbook.yaml").read_text(encoding="utf-8")


@pytest.fixture
def opened(stage: Stage) -> Opened:
    return stage.open()


def edited(folder: Path, *changes: tuple[str, str]) -> str:
    """The stage's runbook, edited."""
    text = TEXT.replace("setup_per_minute: 20", "setup_per_minute: 0")
    text = text.replace("summary_every: 10s", "summary_every: PT0.1S")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "edited.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_it_says_what_changed_and_that_nothing_did(opened: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    file = edited(tmp_path, ("{contact: ceo, after: 30m", "{contact: ceo, after: 45m"))
    said = on_stage("adopt", opened.number, "--file", file, "--by", "ann")
    assert said.out == "Runbook replaced: severities.P0.escalation.2.after 30m → 45m\n"
    again = on_stage("adopt", opened.number, "--file", file, "--by", "ann", "--json").document
    assert again["changed"] is False
    assert any(entry.text == said.out.strip() and entry.actor == "ann" for entry in opened.state().timeline)


def test_what_the_runbook_lacks_is_one_line(opened: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    file = edited(tmp_path, ("name: flag-evaluation", "name: evaluation"))
    said = on_stage("adopt", opened.number, "--file", file, "--by", "ann")
    assert refused(said) == "The new runbook lacks service flag-evaluation. Nothing was changed."


def test_a_runbook_with_faults_moves_nothing(opened: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    file = edited(tmp_path, ("contact: ceo", "contact: nobody"))
    said = on_stage("adopt", opened.number, "--file", file, "--by", "ann")
    assert said.status == 1
    assert "'nobody' is not among contacts" in said.err
    assert not any("Runbook replaced" in entry.text for entry in opened.state().timeline)
