"""95: the command line's directory of people: found however the file is written, and never in the way."""

from pathlib import Path

import pytest

from incidents.app.people import load_customers, load_directory

TEXT = Path("runbook.yaml").read_text(encoding="utf-8")
PEOPLE = "  directory: {}"


@pytest.mark.parametrize(
    "written",
    [
        "  directory: {ann: {aliases: [annie]}}",
        "  directory:\n    ann:\n      aliases: [annie]",
        '  "directory": {ann: {aliases: [annie]}}',
    ],
)
def test_95_it_is_found_however_it_is_written(written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "runbook.yaml"
    file.write_text(TEXT.replace(PEOPLE, written), encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_FILE", str(file))
    assert load_directory().resolve("annie") == "ann"


@pytest.mark.parametrize("text", ["people: [", "people: 7", "7", "\0", TEXT.replace("people:", "poeple:")])
def test_95_a_broken_file_leaves_names_as_they_are(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "runbook.yaml"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_FILE", str(file))
    assert load_directory().resolve("annie") == "annie"


def test_60_a_customer_is_known_by_the_address_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "runbook.yaml"
    file.write_text(TEXT.replace("  contacts: {} #", "  contacts: {ACME: ops@acme.example} #"), encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_FILE", str(file))
    assert load_customers().resolve("Joe <ops@acme.example>") == "ACME"
    file.write_text("customers: [", encoding="utf-8")
    assert load_customers().resolve("ops@acme.example") == "ops@acme.example"
