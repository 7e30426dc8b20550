"""How much one sender may send, and what a key remembers; by a clock of the test's own."""

from datetime import UTC, datetime

import pytest

from incidents.app.api_tokens import ApiToken, Scope
from incidents.gateway.api import idempotency
from incidents.gateway.api.idempotency import IdempotencyKeys
from incidents.gateway.api.rate_limit import RateLimit
from incidents.gateway.api.refusals import Refused


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_sender_has_a_burst_and_then_its_share() -> None:
    clock = Clock()
    limit = RateLimit(per_minute=60, burst=3, clock=clock)
    assert [limit.wait("a") for _ in range(5)] == [0, 0, 0, 1, 1]
    assert limit.wait("b") == 0, "another sender"
    clock.now += 1
    assert [limit.wait("a") for _ in range(2)] == [0, 1]
    clock.now += 3600
    assert [limit.wait("a") for _ in range(4)] == [0, 0, 0, 1], "no more than the burst is saved up"


def test_it_says_after_how_many_seconds() -> None:
    limit = RateLimit(per_minute=6, burst=1, clock=Clock())
    assert [limit.wait("a"), limit.wait("a")] == [0, 10]


def test_a_series_of_refusals_is_told_once() -> None:
    clock = Clock()
    limit = RateLimit(per_minute=60, burst=1, clock=clock)
    told = []
    for _ in range(2):
        limit.wait("a")
        for _ in range(3):
            limit.wait("a")
            told.append(limit.is_first_refusal("a"))
        clock.now += 1
    assert told == [True, False, False] * 2


def test_it_remembers_so_many_senders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimit, "MOST_SENDERS", 2)
    limit = RateLimit(per_minute=1, burst=1, clock=Clock())
    for sender in ("a", "b", "b", "c"):
        limit.wait(sender)
    assert limit.wait("b") > 0
    assert limit.wait("a") == 0, "forgotten"


def a_token(token_id: str) -> ApiToken:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    return ApiToken(id=token_id, name="ann", scopes=(Scope.RESPOND,), digest="", created_at=now)


def test_a_key_is_one_request_of_one_token() -> None:
    keys, ann, bob = IdempotencyKeys(), a_token("1"), a_token("2")
    made = keys.id_of(ann, "k", "/note", "{}")
    assert made == keys.id_of(ann, "k", "/note", "{}") == IdempotencyKeys().id_of(ann, "k", "/note", "{}")
    assert len({made, keys.id_of(bob, "k", "/note", "{}"), keys.id_of(ann, "l", "/note", "{}")}) == 3
    for path, body in (("/ack", "{}"), ("/note", '{"text": "x"}')):
        with pytest.raises(Refused, match="was used for another request"):
            keys.id_of(ann, "k", path, body)
    assert keys.id_of(ann, None, "/note", "{}") == ""


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "é", "a\n"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(Refused, match="Idempotency-Key must be"):
        IdempotencyKeys().id_of(a_token("1"), key, "/note", "{}")


def test_it_remembers_so_many_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "_MOST", 2)
    keys, ann = IdempotencyKeys(), a_token("1")
    for key in ("a", "b", "c"):
        keys.id_of(ann, key, "/note", "1")
    assert keys.id_of(ann, "a", "/note", "2"), "forgotten; Temporal still knows it"
    with pytest.raises(Refused):
        keys.id_of(ann, "c", "/note", "2")
