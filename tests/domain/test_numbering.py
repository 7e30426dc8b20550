"""What the counter of incident numbers knows: recurrences (behaviour 9) and surges (behaviour 14)."""

from datetime import timedelta
from typing import Any

from incidents.domain.numbering import Allocated, Allocation, Ledger
from incidents.domain.surge.state import SurgeParent
from tests.support.incidents import at

DAY = 24 * 60


def asked(run: str, minute: float, workflow_id: str = "", **more: Any) -> Allocation:
    base = Allocation(
        first_run_id=run,
        workflow_id=workflow_id or f"incident-{run}",
        opened_at=at(minute),
        severity="P1",
        rank=1,
        surge_per_minute=2,
        recurrence_within=timedelta(days=30),
    )
    return base.replace(**more)


def answered(*requests: Allocation) -> list[Allocated]:
    ledger, answers = Ledger(), []
    for request in requests:
        ledger, answer = ledger.allocate(request)
        answers.append(answer)
    return answers


def parents(*requests: Allocation) -> list[int | None]:
    return [answer.surge_parent.number if answer.surge_parent else None for answer in answered(*requests)]


def test_9_an_incident_of_the_same_key_within_the_time_repeats_the_latest_one() -> None:
    key = "incident-flag-evaluation:production"
    runs = [asked("a", 0, key), asked("b", 1), asked("c", 9, key), asked("d", 40 * DAY, key), asked("e", 41 * DAY, key)]
    assert [answer.recurrence_of for answer in answered(*runs)] == [None, None, 1, None, 4]
    never = asked("f", 5, key, recurrence_within=timedelta())
    assert answered(asked("a", 0, key), never)[1].recurrence_of is None


def test_14_over_the_threshold_the_first_incident_informs_the_customers_for_those_that_follow() -> None:
    storm = [asked(str(n), n / 10) for n in range(5)]
    assert parents(*storm) == [None, None, 1, 1, 1]
    assert answered(*storm)[2].surge_parent == SurgeParent(number=1, workflow_id="incident-0", severity="P1")
    assert parents(*(each.replace(surge_per_minute=0) for each in storm)) == [None] * 5, "off"
    assert parents(*(asked(str(n), n / 2) for n in range(5))) == [None] * 5, "two a minute are no surge"


def test_14_a_surge_keeps_its_parent_as_long_as_it_lasts() -> None:
    long_storm = [asked(str(n), n / 4) for n in range(13)]
    assert parents(*long_storm) == [None, None, *([1] * 11)]
    assert parents(*long_storm, asked("later", 10)) == [None, None, *([1] * 11), None]


def test_14_the_parent_is_at_least_as_severe_and_drills_keep_apart() -> None:
    minor: dict[str, Any] = {"severity": "P3", "rank": 3}
    worst: dict[str, Any] = {"severity": "P0", "rank": 0}
    storm = [asked("a", 0, **minor), asked("b", 0.1, **minor), asked("c", 0.2, **worst), asked("d", 0.3, **worst)]
    assert parents(*storm, asked("e", 0.4)) == [None, None, None, 3, 3]
    assert parents(asked("a", 0), asked("b", 0.1), asked("c", 0.2, drill=True), asked("d", 0.3)) == [
        None,
        None,
        None,
        1,
    ]


def test_14_one_that_informs_no_customers_takes_no_part() -> None:
    assert parents(asked("a", 0, apart=True), asked("b", 0.1), asked("c", 0.2), asked("d", 0.3)) == [None] * 3 + [2]
    assert parents(asked("a", 0), asked("b", 0.1), asked("c", 0.2, apart=True)) == [None] * 3


def test_14_a_repeated_request_gets_the_same_answer() -> None:
    storm = [asked(str(n), n / 10) for n in range(4)]
    answers = answered(*storm, storm[2], storm[0])
    assert answers[4] == answers[2]
    assert answers[5] == answers[0]


def test_2_a_storm_leaves_a_small_ledger() -> None:
    ledger = Ledger()
    for n in range(700):
        ledger, _ = ledger.allocate(asked(str(n), n / 1000))
    assert len(ledger.openings) <= 302
    ledger, _ = ledger.allocate(asked("later", 30))
    assert len(ledger.openings) == 1
