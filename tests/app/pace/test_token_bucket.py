"""A bucket never gives more than its burst and what was refilled since, in any window of time."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.app.pace.token_bucket import TokenBucket

ROUNDING = 1e-6
PAUSES = st.floats(0, 120)


def assert_paced(taken: Sequence[float], burst: float, per_second: float) -> None:
    """Hold each window from one token to another to what may be taken in it."""
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            allowed = burst + per_second * (taken[last] - start)
            assert last - first + 1 <= allowed + ROUNDING


def make_all(bucket: TokenBucket, now: float) -> list[float]:
    """Make every call that can be made now."""
    made = []
    while not bucket.reserve(now):
        bucket.make(now)
        made.append(now)
    return made


STEPS = st.lists(
    st.sampled_from(["reserve", "reserve", "make", "make", "give back"]) | st.floats(0, 5), min_size=20, max_size=150
)


@given(burst=st.integers(1, 5), per_minute=st.integers(1, 600), steps=STEPS)
def test_no_window_has_more_calls_than_burst_and_refill(burst: int, per_minute: int, steps: list[float | str]) -> None:
    now, reserved, made = 1_000.0, 0, list[float]()
    bucket = TokenBucket(burst, per_minute / 60, now)
    for step in steps:
        match step:
            case float():
                now += step
            case "reserve":
                reserved += not bucket.reserve(now)
            case "give back" if reserved:
                bucket.give_back()
                reserved -= 1
            case "make" if reserved:
                bucket.make(now)
                made.append(now)
                reserved -= 1
    assert_paced(made, burst, per_minute / 60)


@given(burst=st.integers(1, 20), per_minute=st.integers(1, 600), pauses=st.lists(PAUSES, max_size=60))
def test_who_takes_all_that_there_is_keeps_the_pace(burst: int, per_minute: int, pauses: list[float]) -> None:
    now, made = 1_000.0, list[float]()
    bucket = TokenBucket(burst, per_minute / 60, now)
    for pause in pauses:
        made += make_all(bucket, now)
        now += pause
    assert_paced(made, burst, per_minute / 60)


@given(burst=st.integers(1, 20), per_minute=st.integers(1, 600))
def test_the_wait_that_it_names_is_long_enough_and_not_longer(burst: int, per_minute: int) -> None:
    bucket = TokenBucket(burst, per_minute / 60, 0.0)
    assert len(make_all(bucket, 0.0)) == burst
    wait = bucket.reserve(0.0)
    assert bucket.reserve(wait * 0.99) > 0
    assert not bucket.reserve(wait + ROUNDING)


def test_a_full_bucket_does_not_overflow() -> None:
    assert len(make_all(TokenBucket(10, 1.0, 0.0), 3_600.0)) == 10


def test_a_call_that_is_given_back_can_be_made_by_another() -> None:
    bucket = TokenBucket(1, 1.0, 0.0)
    assert not bucket.reserve(0.0)
    assert bucket.reserve(0.0) == float("inf"), "the only token is spoken for, and no other will fit"
    bucket.give_back()
    assert not bucket.reserve(0.0)


@pytest.mark.parametrize(("burst", "per_second"), [(0, 1.0), (1, 0.0)])
def test_a_bucket_that_never_gives_a_token_is_an_error(burst: int, per_second: float) -> None:
    with pytest.raises(ValueError, match="at least one token"):
        TokenBucket(burst, per_second, 0.0)


@given(st.integers(1, 10), st.integers(1, 20), st.lists(st.tuples(PAUSES, st.integers(0, 9)), max_size=40))
def test_those_who_share_a_bucket_make_no_more_calls_than_it_allowed(
    among: int, each: int, steps: list[tuple[float, int]]
) -> None:
    now, made = 0.0, list[float]()
    buckets = [TokenBucket(each * among, 1 / 3, now) for _ in range(among)]
    for bucket in buckets:
        bucket.share(among, now)
    for pause, one in steps:
        now += pause
        made += make_all(buckets[one % among], now)
    assert_paced(made, each * among, 1 / 3)


def test_among_more_than_it_has_tokens_each_has_one() -> None:
    bucket = TokenBucket(2, 1.0, 0.0)
    bucket.share(5, 0.0)
    assert len(make_all(bucket, 0.0)) == 1
    assert bucket.reserve(0.0) == pytest.approx(5.0), "and together they are refilled as it was alone"


def test_a_share_grows_again_when_others_leave() -> None:
    bucket = TokenBucket(10, 1.0, 0.0)
    bucket.share(5, 0.0)
    assert len(make_all(bucket, 100.0)) == 2
    bucket.share(1, 100.0)
    assert len(make_all(bucket, 104.0)) == 4
    assert len(make_all(bucket, 200.0)) == 10


def test_what_was_reserved_before_the_bucket_is_shared_is_owed_afterwards() -> None:
    bucket = TokenBucket(4, 1.0, 0.0)
    for _ in range(4):
        assert not bucket.reserve(0.0)
    bucket.share(4, 0.0)
    for _ in range(4):
        bucket.make(0.0)
    assert bucket.reserve(0.0) == pytest.approx(4 / 0.25), "three that it had no longer, and the one asked for"
