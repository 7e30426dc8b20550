"""`--file`: every command that looks ahead takes its runbook from the same place."""

from pathlib import Path

import pytest

from incidents.rehearsal.needs import what_is_missing
from tests.cli.conftest import Incidental

TEXT = Path("runbook.yaml").read_text(encoding="utf-8")
COMMANDS = [("plan", "--until", "1m"), ("explain",), ("check",), ("rehearse", "04-low")]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_the_file_that_is_named_comes_first(
    incident: Incidental, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if words[0] == "rehearse" and what_is_missing():
        pytest.skip(what_is_missing())
    monkeypatch.setenv("RUNBOOK_FILE", str(tmp_path / "variable.yaml"))
    said = incident(*words, "--file", "nothing.yaml")
    assert (said.status, said.out) == (1, "")
    assert said.why.removeprefix("error: ") == "nothing.yaml (--file) cannot be read: No such file or directory"
    said = incident(*words)
    assert (said.status, said.out) == (1, "")
    assert "variable.yaml (RUNBOOK_FILE) cannot be read" in said.why


def test_a_file_of_this_directory_comes_before_the_packaged_one(
    incident: Incidental, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNBOOK_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert incident("check", "--json").document["file"] == "packaged default runbook"
    (tmp_path / "runbook.yaml").write_text(TEXT, encoding="utf-8")
    assert incident("check", "--json").document["file"] == "runbook.yaml"
