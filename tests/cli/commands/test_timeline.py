"""`incident timeline`: parts of it, and since when."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from incidents.cli.commands.timeline import _since
from incidents.domain.incident.commands import AddNote, Cancel
from tests.cli.commands.test_reads import tell_later
from tests.cli.conftest import Incidental, Stage, reason

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("1h 30m", NOW - timedelta(minutes=90)),
        ("13:05", NOW.replace(hour=13, minute=5)),
        ("14:05", NOW.replace(day=22, minute=5)),
        ("2026-11-23T12:00:00+01:00", NOW.replace(hour=11)),
        ("2026-11-23T12:00", NOW.replace(hour=12)),
    ],
)
def test_since_when(typed: str, expected: datetime) -> None:
    assert _since(typed, NOW) == expected


@pytest.mark.parametrize("typed", ["lunch", "25:00", "30", "-5m", "99999999999d", "14:99"])
def test_what_is_no_time_is_a_usage_error(typed: str) -> None:
    with pytest.raises(typer.BadParameter):
        _since(typed, NOW)


def test_people_public_and_since(stage: Stage, on_stage: Incidental) -> None:
    number = stage.open().number
    on_stage("note", number, "restarted it", "--by", "ann")
    on_stage("update", number, "We are on it.", "--by", "ann")

    def texts(*words: str) -> list[str]:
        return [entry["text"] for entry in on_stage("timeline", number, *words, "--json").document]

    assert texts("--people")[0] == "restarted it"
    assert {entry["actor"] for entry in on_stage("timeline", number, "--people", "--json").document} == {"ann"}
    assert texts("--public")[-1] == "Update 2 (investigating; status_page, email): We are on it."
    assert len(texts("--public")) == 2
    assert "Acknowledged" not in " ".join(texts("--public"))
    assert set(texts("--since", "1h")) == set(texts())
    assert texts("--since", datetime.now(UTC).isoformat()) == []
    assert on_stage("timeline", number, "--since", datetime.now(UTC).isoformat()).out == "No such entries.\n"
    shown = on_stage("timeline", number, "--people").out
    assert "restarted it" in shown
    assert "  system  " not in shown
    assert "use --people or --public" in reason(on_stage("timeline", number, "--people", "--public"))


def test_following_a_part(stage: Stage, on_stage: Incidental) -> None:
    opened = stage.open("warning")
    timer = tell_later(opened, AddNote(by="ann", text="hello"), Cancel(by="ann", reason="a broken probe"))
    said = on_stage("timeline", opened.number, "--people", "--follow")
    timer.join()
    assert (said.status, said.err) == (0, "")
    assert [line.split("  ", 2)[1] for line in said.out.splitlines()] == ["ann"] * len(said.out.splitlines())
    assert "hello" in said.out


def test_following_what_customers_read(stage: Stage, on_stage: Incidental) -> None:
    opened = stage.open("critical")
    timer = tell_later(opened, Cancel(by="ann", reason="a broken probe"))
    said = on_stage("timeline", opened.number, "--public", "--follow")
    timer.join()
    assert said.status == 0
    lines = said.out.splitlines()
    assert "Update 1 (investigating; status_page, email)" in lines[0]
    assert len({line.partition("  Update ")[2].split(" ")[0] for line in lines}) == len(lines), "each once"
