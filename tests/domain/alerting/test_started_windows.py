"""Windows that responders start: numbered, bounded, ended once."""

from datetime import timedelta

import pytest

from incidents.domain.alerting.started_windows import LONGEST, MOST, EndWindow, StartedWindows, StartWindow, describe
from incidents.domain.core.base import CommandRejected
from tests.support.incidents import T0, at

START = StartWindow(by="ann", until=at(60), service="dashboard", reason="upgrade")


def test_15_windows_are_numbered_and_ended_by_number() -> None:
    windows = StartedWindows().start(START, T0).start(START.replace(until=at(30)), at(1))
    assert [(each.number, each.window.since, each.by) for each in windows.listed] == [(1, T0, "ann"), (2, at(1), "ann")]
    assert windows.next_end == at(30)
    windows = windows.end(EndWindow(by="bob", number=1))
    assert [each.number for each in windows.listed] == [2]
    with pytest.raises(CommandRejected, match="No maintenance window 1"):
        windows.end(EndWindow(by="bob", number=1))
    over = windows.without_past(at(30))
    assert (over.listed, over.next_end) == ((), None)
    assert over.start(START, at(31)).listed[0].number == 3, "a number is never given twice"


@pytest.mark.parametrize(
    ("until", "why"), [(T0, "ended already"), (T0 + LONGEST + timedelta(seconds=1), "lasts at most 7d")]
)
def test_15_a_window_ends_in_the_future_and_not_too_late(until: object, why: str) -> None:
    with pytest.raises(CommandRejected, match=why):
        StartedWindows().start(START.model_copy(update={"until": until}), T0)


def test_15_they_are_bounded_in_number() -> None:
    windows = StartedWindows()
    for _ in range(MOST):
        windows = windows.start(START, T0)
    with pytest.raises(CommandRejected, match="run already"):
        windows.start(START, T0)


def test_15_a_repeated_delivery_changes_nothing() -> None:
    once = StartedWindows().start(START.replace(id="a"), T0)
    assert once.start(START.replace(id="a"), at(1)) == once
    ended = once.end(EndWindow(by="ann", number=1, id="b"))
    assert ended.end(EndWindow(by="ann", number=1, id="b")) == ended


def test_15_it_is_described_in_one_line() -> None:
    [started] = StartedWindows().start(START, T0).listed
    assert describe(started.window) == "service dashboard until 2026-11-23 15:00 UTC (upgrade)"
    assert describe(started.window.replace(service="")).startswith("everything until")
