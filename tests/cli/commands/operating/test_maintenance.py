"""15: `incident maintenance`, as it is typed and read."""

import pytest

from tests.cli.conftest import Incidental, refused

START = ("maintenance", "start", "--by", "ann", "--reason", "upgrade")


def test_15_a_window_is_started_listed_and_ended(on_stage: Incidental) -> None:
    begun = on_stage(*START, "--for", "2h", "--service", "dashboard")
    assert (begun.status, begun.err) == (0, "")
    assert begun.out.startswith("Maintenance window 1: service dashboard until 20")
    [row] = on_stage("maintenance", "list", "--json").document
    assert (row["number"], row["started_by"], row["service"], row["reason"]) == (1, "ann", "dashboard", "upgrade")
    assert on_stage("maintenance", "list").out.startswith("1: service dashboard until 20")
    ended = on_stage("maintenance", "end", "1", "--by", "bob", "--json").document
    assert ended == {
        "message": "Maintenance window 1 ended. Alerts that it covered open their incidents now.",
        "changed": True,
    }
    assert on_stage("maintenance", "list").out == "No maintenance window runs or is planned.\n"
    assert "No maintenance window 1 was started" in refused(on_stage("maintenance", "end", "1", "--by", "bob"))


def test_15_what_no_alert_would_be_within_is_refused(on_stage: Incidental) -> None:
    assert "'dashbord' is not among services" in refused(on_stage(*START, "--for", "2h", "--service", "dashbord"))
    assert "lasts at most 7d" in refused(on_stage(*START, "--for", "30d"))


@pytest.mark.parametrize(
    "words", [(), ("--for", "2h", "--until", "2099-01-01T00:00:00Z"), ("--for", "2"), ("--for", "9999999999d")]
)
def test_15_how_long_is_said_once_and_understood(on_stage: Incidental, words: tuple[str, ...]) -> None:
    said = on_stage(*START, *words)
    assert (said.status, said.out) == (2, "")
