"""What comes for one key together goes together: each item once, in order, and every caller is answered."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.client.delivery import gathering as module
from incidents.client.delivery.gathering import Bounds, Gathering, OneAtATime
from tests.support.thoroughness import by_thoroughness

FIRED, RESOLVED = "fired", "resolved"


class Away(Exception):
    """Says nothing about what was sent."""


class Bad(Exception):
    """Says that something in what was sent is bad."""


@dataclass
class Call:
    """One call, as the receiver sees it."""

    kind: str
    items: tuple[str, ...]
    ended: bool = False
    accepted: bool = False


@dataclass
class Receiver:
    """Receives calls, each of which lasts until it is let go; `bad` items are never accepted."""

    calls: list[Call] = field(default_factory=list)
    bad: frozenset[str] = frozenset()
    fault: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def sender(self, kind: str) -> module.Send[str, tuple[str, ...]]:
        """Return what sends parts of a kind; the result of each part are all items of its call."""

        async def send(parts: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
            call = Call(kind, tuple(item for part in parts for item in part))
            self.calls.append(call)
            try:
                await self.gate.wait()
                if self.fault is not None:
                    raise self.fault
                if self.bad & set(call.items):
                    raise Bad
                call.accepted = True
            finally:
                call.ended = True
            return [call.items] * len(parts)

        return send

    @property
    def sent(self) -> list[tuple[str, ...]]:
        """The items of each call."""
        return [call.items for call in self.calls]


def is_shared(error: Exception) -> bool:
    return isinstance(error, Away)


@dataclass
class Stand:
    """A gathering of at most four items, and of 40 letters, before a receiver."""

    receiver: Receiver = field(default_factory=Receiver)
    gathering: Gathering[str, tuple[str, ...]] = field(
        default_factory=lambda: Gathering(Bounds(4, 40, lambda items: sum(map(len, items))), is_shared)
    )

    def add(self, *items: str, kind: str = FIRED, key: str = "k") -> "asyncio.Future[tuple[str, ...]]":
        return self.gathering.add(key, kind, items, self.receiver.sender(kind))

    async def settle(self, calls: int) -> None:
        """Wait until so many calls have begun, and see that no other follows."""
        while len(self.receiver.calls) < calls:  # noqa: ASYNC110 - nothing else tells it
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(self.receiver.calls) == calls

    def is_empty(self) -> bool:
        return self.gathering._lanes == {}


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    """A stand on which a call holds back what follows for as long as it lasts."""
    monkeypatch.setattr(module, "GATHER", 3600)
    return Stand()


async def test_one_alone_is_sent_at_once_and_what_comes_meanwhile_goes_together(stand: Stand) -> None:
    first = stand.add("a")
    await stand.settle(1)
    behind = [stand.add("b"), stand.add("c", "d")]
    await stand.settle(1)
    assert not any(result.done() for result in (first, *behind)), "nobody is answered before it is accepted"
    stand.receiver.gate.set()
    assert await first == ("a",)
    assert await asyncio.gather(*behind) == [("b", "c", "d")] * 2
    assert stand.receiver.sent == [("a",), ("b", "c", "d")]
    await stand.settle(2)
    assert stand.is_empty()


async def test_what_comes_in_the_same_moment_waits_for_the_first(stand: Stand) -> None:
    stand.receiver.gate.set()
    await asyncio.gather(*(stand.add(item) for item in "abcd"))
    assert stand.receiver.sent == [("a",), ("b", "c", "d")]


async def test_keys_do_not_wait_for_each_other(stand: Stand) -> None:
    stand.add("a", key="one"), stand.add("b", key="other")
    await stand.settle(2)


async def test_a_call_holds_back_what_follows_no_longer_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER", 0.01)
    stand = Stand()
    stand.add("a")
    await stand.settle(1)
    stand.add("b"), stand.add("c")
    while len(stand.receiver.calls) < 2:  # noqa: ASYNC110 - nothing else tells it
        await asyncio.sleep(0.01)
    assert stand.receiver.sent == [("a",), ("b", "c")], "beside the first, which is still in progress"
    assert not stand.receiver.calls[0].ended
    stand.add("d"), stand.add("e"), stand.add("(a)", kind=RESOLVED)
    await asyncio.sleep(0.05)
    assert len(stand.receiver.calls) == 2, "no third beside them"
    stand.receiver.gate.set()
    await stand.settle(4)
    assert stand.receiver.sent[2:] == [("d", "e"), ("(a)",)]


async def test_an_end_overtakes_no_beginning_however_long_that_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER", 0.01)
    stand = Stand()
    stand.add("a"), stand.add("(a)", kind=RESOLVED)
    await asyncio.sleep(0.05)
    assert stand.receiver.sent == [("a",)]
    stand.receiver.gate.set()
    await stand.settle(2)
    assert stand.receiver.sent[1] == ("(a)",)


async def test_kinds_keep_their_order(stand: Stand) -> None:
    for item, kind in (("a", FIRED), ("b", FIRED), ("(a)", RESOLVED), ("(b)", RESOLVED), ("a", FIRED)):
        last = stand.add(item, kind=kind)
    stand.receiver.gate.set()
    await last
    assert stand.receiver.sent == [("a",), ("b",), ("(a)", "(b)"), ("a",)]


@pytest.mark.parametrize(
    ("parts", "sent"),
    [
        ([("b", "c"), ("d", "e"), ("f",)], [("b", "c", "d", "e"), ("f",)]),
        ([("b",) * 6, ("c",)], [("b",) * 6, ("c",)]),
        ([("b" * 30,), ("c" * 30,), ("d",)], [("b" * 30,), ("c" * 30, "d")]),
    ],
)
async def test_a_call_is_bounded_and_a_part_is_not_divided(
    stand: Stand, parts: list[tuple[str, ...]], sent: list[tuple[str, ...]]
) -> None:
    results = [stand.add("a"), *(stand.add(*part) for part in parts)]
    stand.receiver.gate.set()
    await asyncio.gather(*results)
    assert stand.receiver.sent == [("a",), *sent]


async def test_what_is_behind_a_call_that_does_not_arrive_fails_with_it(stand: Stand) -> None:
    stand.receiver.fault = Away()
    results = [stand.add("a"), stand.add("(a)", kind=RESOLVED)]
    stand.receiver.gate.set()
    found = await asyncio.gather(*results, return_exceptions=True)
    assert found == [stand.receiver.fault] * 2
    assert stand.receiver.sent == [("a",)], "the end would have overtaken the beginning, which is sent again later"
    stand.receiver.fault = None
    assert await stand.add("b") == ("b",)


async def test_one_that_is_bad_spoils_no_other(stand: Stand) -> None:
    stand.receiver.bad = frozenset("c")
    results = [stand.add(item) for item in "abcd"]
    stand.receiver.gate.set()
    found = await asyncio.gather(*results, return_exceptions=True)
    assert [type(each) for each in found] == [tuple, tuple, Bad, tuple]
    assert stand.receiver.sent == [("a",), ("b", "c", "d"), ("b",), ("c",), ("d",)]


async def test_what_is_taken_back_before_it_is_sent_is_not_sent(stand: Stand) -> None:
    first = stand.add("a")
    behind = [stand.add(item) for item in "bcd"]
    await stand.settle(1)
    assert behind[1].cancel()
    stand.receiver.gate.set()
    assert [await each for each in (first, behind[0], behind[2])] == [("a",), ("b", "d"), ("b", "d")]


async def test_who_goes_away_takes_nothing_from_the_others_nor_what_is_in_the_air(stand: Stand) -> None:
    async def wait_for(result: "asyncio.Future[tuple[str, ...]]") -> None:
        await result

    results = [stand.add(item) for item in "abc"]
    waiting = [asyncio.create_task(wait_for(result)) for result in results]
    await stand.settle(1)
    waiting[0].cancel()
    stand.receiver.gate.set()
    await asyncio.gather(*waiting[1:])
    assert stand.receiver.sent == [("a",), ("b", "c")]
    assert all(call.accepted for call in stand.receiver.calls)


async def test_a_call_waits_for_room_and_sends_what_is_still_wanted_then(stand: Stand) -> None:
    room = asyncio.Semaphore(1)
    send = stand.receiver.sender(FIRED)
    first, second, third = (stand.gathering.add(key, FIRED, (key,), send, room) for key in "abc")
    await stand.settle(1)
    second.cancel()
    stand.receiver.gate.set()
    assert [await first, await third] == [("a",), ("c",)]
    assert stand.receiver.sent == [("a",), ("c",)]


async def test_a_call_has_the_context_of_its_first_part(stand: Stand) -> None:
    name, seen = ContextVar("name", default=""), list[str]()

    async def send(parts: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        seen.append(name.get())
        return list(parts)

    results = []
    for each in ("one", "two", "three"):
        name.set(each)
        results.append(stand.gathering.add("k", FIRED, (each,), send))
    await asyncio.gather(*results)
    assert seen == ["one", "two"]


async def test_one_answer_is_for_all_who_came_before_it_was_asked_for() -> None:
    asked, gate = 0, asyncio.Event()

    async def ask() -> int:
        nonlocal asked
        asked += 1
        answer = asked
        await gate.wait()
        if answer == 3:
            raise Bad
        return answer

    one_at_a_time = OneAtATime(ask)
    first = [asyncio.create_task(one_at_a_time())]
    while not asked:  # noqa: ASYNC110 - nothing else tells it
        await asyncio.sleep(0)
    behind = [asyncio.create_task(one_at_a_time()) for _ in range(9)]
    await asyncio.sleep(0.1)
    assert asked == 1, "however long that takes"
    gate.set()
    assert await asyncio.gather(*first, *behind) == [1, *[2] * 9]
    with pytest.raises(Bad):
        await one_at_a_time()
    assert await one_at_a_time() == 4


# --- for every order of events ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Added:
    """One part of a script: what is added, and what happens until the next is."""

    key: str
    kind: str
    count: int
    is_bad: bool
    is_cancelled: bool
    turns: int
    """Turns of the event loop."""


ADDED = st.builds(
    Added,
    key=st.sampled_from("kl"),
    kind=st.sampled_from((FIRED, RESOLVED)),
    count=st.integers(1, 3),
    is_bad=st.integers(0, 9).map(lambda n: n == 0),
    is_cancelled=st.integers(0, 9).map(lambda n: n == 0),
    turns=st.integers(0, 5),
)


@dataclass
class Played:
    """A script that was played: the parts, what became of each, and the calls of each key."""

    parts: list[tuple[Added, tuple[str, ...]]]
    results: list[object]
    calls: dict[str, list[Call]]
    is_empty: bool


async def play(script: list[Added], turns: list[int], away: frozenset[int]) -> Played:
    """Add the parts. The n-th call lasts `turns[n]` turns of the loop, and fails if its number is in `away`."""
    calls: dict[str, list[Call]] = {"k": [], "l": []}
    numbers = iter(range(10_000))
    bad = {f"{n}.0" for n, added in enumerate(script) if added.is_bad}

    def sender(added: Added) -> module.Send[str, tuple[str, ...]]:
        async def send(parts: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
            call, number = Call(added.kind, tuple(item for part in parts for item in part)), next(numbers)
            calls[added.key].append(call)
            before = [each for each in calls[added.key][:-1] if not each.ended]
            assert all(each.kind == call.kind for each in before), "no kind overtakes another"
            for _ in range(turns[number % len(turns)]):
                await asyncio.sleep(0)
            call.ended = True
            if number in away:
                raise Away
            if bad & set(call.items):
                raise Bad
            call.accepted = True
            return list(parts)

        return send

    gathering: Gathering[str, tuple[str, ...]] = Gathering(Bounds(5, 1000, len), is_shared)
    parts = [(added, tuple(f"{n}.{i}" for i in range(added.count))) for n, added in enumerate(script)]
    results = []
    for added, items in parts:
        results.append(gathering.add(added.key, added.kind, items, sender(added)))
        for _ in range(added.turns):
            await asyncio.sleep(0)
        if added.is_cancelled:
            results[-1].cancel()
    found: list[object] = list(await asyncio.gather(*results, return_exceptions=True))
    for _ in range(sum(turns) + 100):  # calls whose callers went away
        await asyncio.sleep(0)
    return Played(parts, found, calls, gathering._lanes == {})


@settings(max_examples=by_thoroughness(300, 5000), deadline=None)
@given(
    script=st.lists(ADDED, min_size=1, max_size=25),
    turns=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    away=st.frozensets(st.integers(0, 20), max_size=4),
    gather=st.sampled_from((0.0, 3600.0)),
)
def test_each_item_is_accepted_once_in_order_and_every_caller_is_answered(
    script: list[Added], turns: list[int], away: frozenset[int], gather: float
) -> None:
    with mock.patch.object(module, "GATHER", gather):
        played = asyncio.run(asyncio.wait_for(play(script, turns, away), 30))
    assert played.is_empty
    accepted = {key: [call for call in calls if call.accepted] for key, calls in played.calls.items()}
    times = Counter(item for calls in accepted.values() for call in calls for item in call.items)
    for (added, items), result in zip(played.parts, played.results, strict=True):
        if isinstance(result, tuple):
            assert result == items
            assert [times[item] for item in items] == [1] * len(items)
        elif isinstance(result, asyncio.CancelledError):
            assert added.is_cancelled
            assert {times[item] for item in items} in ({0}, {1}), "all or nothing, and not twice"
        else:
            assert isinstance(result, Away if not added.is_bad else (Away, Bad))
            assert [times[item] for item in items] == [0] * len(items)
    for key, calls in accepted.items():
        added_items = [(added.kind, item) for added, items in played.parts if added.key == key for item in items]
        sent = [(call.kind, item) for call in calls for item in call.items]
        in_order = [each for each in added_items if each in sent]
        if gather:
            assert sent == in_order
        else:  # calls of one kind go side by side
            assert [sorted(group) for group in by_kind(sent)] == [sorted(group) for group in by_kind(in_order)]
        assert all(len(call.items) <= 5 for call in calls)


def by_kind(items: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Divide items wherever the kind changes."""
    return [list(group) for _, group in itertools.groupby(items, key=lambda each: each[0])]
