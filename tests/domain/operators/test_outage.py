"""When an outage is reported, and when it is over; what operators read of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.operators.outage import LIMITS, Notice, OutageKind, OutageState, Reading, observe
from incidents.domain.operators.outage_texts import outage_line, outage_message, outage_title

T0 = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
STEP = timedelta(seconds=15)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def reading(kind: OutageKind, since: datetime | None = None, until: datetime | None = None) -> Reading:
    subject = {OutageKind.TEMPORAL: "", OutageKind.WORKERS: "incidents", OutageKind.VENDOR: "acme"}[kind]
    return Reading(kind=kind, subject=subject, name=subject, failing_since=since, failed_until=until)


class Rounds:
    """Rounds every 15 s in which one thing works or fails; what was reported, by seconds since T0."""

    def __init__(self, kind: OutageKind) -> None:
        self.kind, self.state, self.at = kind, OutageState(), T0
        self.since: datetime | None = None
        self.notices: list[tuple[float, bool]] = []
        self.last: Notice | None = None

    def go(self, works: bool, rounds: int = 1) -> None:
        for _ in range(rounds):
            self.since = None if works else self.since or self.at
            found = [reading(self.kind, self.since, None if works else self.at)]
            self.state, notices = observe(self.state, found, self.at)
            for notice in notices:
                self.notices.append(((self.at - T0).total_seconds(), notice.over))
                self.last = notice
            self.at += STEP


def began_in(rounds: Rounds) -> list[float]:
    return [at for at, over in rounds.notices if not over]


@pytest.mark.parametrize("kind", [OutageKind.TEMPORAL, OutageKind.WORKERS])
def test_109_an_outage_is_reported_once_after_30_seconds_and_once_when_it_is_over(kind: OutageKind) -> None:
    rounds = Rounds(kind)
    rounds.go(works=False, rounds=2)
    assert rounds.notices == [], "15 s"
    rounds.go(works=False, rounds=400)
    assert rounds.notices == [(30, False)]
    rounds.go(works=True, rounds=20)
    assert rounds.notices == [(30, False)], "it has worked for less than 5 min"
    rounds.go(works=True, rounds=400)
    back = 402 * 15
    assert rounds.notices == [(30, False), (back + 300, True)]
    assert rounds.last is not None
    assert (rounds.last.since, rounds.last.until) == (T0, after(back)), "from when to when, not when it was noticed"


def test_109_an_outage_that_comes_and_goes_is_a_single_one() -> None:
    rounds = Rounds(OutageKind.TEMPORAL)
    for _ in range(50):
        rounds.go(works=False, rounds=4)
        rounds.go(works=True, rounds=10)
    assert rounds.notices == [(30, False)]
    rounds.go(works=True, rounds=20)
    rounds.go(works=False, rounds=3)
    assert [over for _, over in rounds.notices] == [False, True, False], "after the quiet time, it is another one"


def test_109_a_vendor_must_fail_for_an_hour_and_calls_must_show_it() -> None:
    def told(since: datetime, until: datetime, at: datetime) -> int:
        return len(observe(OutageState(), [reading(OutageKind.VENDOR, since, until)], at)[1])

    assert told(T0, after(3599), after(3600)) == 0
    assert told(T0, after(3600), after(3600)) == 1
    assert told(T0, after(60), after(9000)) == 0, "nobody called it again: how it is now is not known"


def test_109_what_cannot_be_read_changes_nothing() -> None:
    state, [began] = observe(OutageState(), [reading(OutageKind.WORKERS, T0, after(60))], after(60))
    assert not began.over
    assert observe(state, [], after(9000)) == (state, ())


def test_109_a_process_that_starts_later_ends_what_another_one_reported_unless_nothing_is_shared() -> None:
    for kind, ends in ((OutageKind.WORKERS, [True]), (OutageKind.VENDOR, [True]), (OutageKind.TEMPORAL, [])):
        rounds = Rounds(kind)
        rounds.go(works=True, rounds=400)
        assert [over for _, over in rounds.notices] == ends, kind


def test_109_a_process_that_starts_in_an_outage_reports_it() -> None:
    """Whether another process did so before is not known here: the lock tells."""
    rounds = Rounds(OutageKind.WORKERS)
    rounds.go(works=True, rounds=2)
    rounds.go(works=False, rounds=10)
    assert [over for _, over in rounds.notices] == [False]


@given(st.sampled_from(OutageKind), st.lists(st.tuples(st.booleans(), st.integers(1, 300)), max_size=12))
def test_109_beginnings_and_ends_alternate_and_keep_their_distance(
    kind: OutageKind, phases: list[tuple[bool, int]]
) -> None:
    rounds = Rounds(kind)
    history: list[tuple[float, bool]] = []
    for works, count in phases:
        start = (rounds.at - T0).total_seconds()
        history += [(start + 15 * index, works) for index in range(count)]
        rounds.go(works, count)
    seen = [over for _, over in rounds.notices]
    if seen[:1] == [True]:  # what an earlier process may have reported
        seen = seen[1:]
    assert seen == [bool(index % 2) for index in range(len(seen))], "begun, over, begun, over …"
    works_at = dict(history)
    for at, over in rounds.notices:
        span = (LIMITS.works_for if over else LIMITS.fails_for(kind)).total_seconds()
        before = [works_at[at - back] for back in range(0, int(span) + 1, 15) if at - back in works_at]
        assert set(before) == {over}, "for its whole threshold"


KINDS = [(kind, over) for kind in OutageKind for over in (False, True)]


@pytest.mark.parametrize(("kind", "over"), KINDS)
def test_109_operators_read_what_happened_what_it_means_and_what_to_do(kind: OutageKind, over: bool) -> None:
    subject = reading(kind).subject
    notice = Notice(kind=kind, subject=subject, name="the Acme", over=over, since=T0, until=after(3700))
    message = outage_message(notice)
    assert message.subject == f"Operators: {outage_title(notice)}"
    assert "\n" not in outage_line(notice)
    assert ("What to do:" in message.body) is not over
    assert ("2026-11-29 04:01 UTC" if over else "2026-11-29 03:00 UTC") in message.body
    if over:
        assert ", after 1h 1m" in message.body
    if kind is OutageKind.VENDOR:
        assert "he Acme" in message.subject


def test_109_the_operators_learn_that_alerts_are_kept_and_on_call_is_paged() -> None:
    notice = Notice(kind=OutageKind.TEMPORAL, over=False, since=T0, until=T0)
    assert "alerts are kept on disk, and on-call is paged" in outage_message(notice).body


def test_109_an_end_whose_beginning_another_process_saw_does_not_name_it() -> None:
    notice = Notice(kind=OutageKind.WORKERS, subject="incidents", over=True, since=None, until=T0)
    assert outage_message(notice).body.startswith("Workers are running again since 2026-11-29 03:00 UTC.\n")
