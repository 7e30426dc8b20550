"""What a scenario expects of the runbook, and whether a rehearsal has met it.

Times are whole minutes, as people read them: what is due at T+0:30 has reached nobody at T+0:30:00 exactly.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import parse_duration
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.foresight.facts import known_facts, named_alike
from incidents.domain.foresight.rehearsal.effects import Effect, EffectKind, Rehearsed

_MINUTE = timedelta(minutes=1)


def _since_alert(value: Any) -> Any:
    return timedelta() if value in (0, "0", "0m", "0s") else parse_duration(value)


def _moment(value: Any) -> Any:
    """Return a time, or the name of a fact as it is."""
    return value if isinstance(value, str) and value in known_facts() else _since_alert(value)


After = Annotated[timedelta, BeforeValidator(_since_alert), Field(ge=timedelta())]
"""A time since the alert, such as 30m; 0 is the alert itself."""


class Expectation(Frozen):
    """One line of `expect`: which effects are meant, and when or how many of them there must be.

    `to`, `text`: a part of a recipient or channel, or of the text; capitals make no difference. `after`, `until`: only
    effects from then on, or up to then, are meant. `not_before`: a time, or a fact: the first one of that name. `line`:
    of the file.
    """

    what: EffectKind
    to: str = ""
    text: str = ""
    after: After | None = None
    until: After | None = None
    by: After | None = None
    not_before: Annotated[timedelta | str, BeforeValidator(_moment)] | None = None
    at_least: int | None = Field(default=None, ge=1)
    at_most: int | None = Field(default=None, ge=1)
    exactly: int | None = Field(default=None, ge=1)
    none: bool = False
    line: int = 0

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        conditions = (self.by, self.not_before, self.at_least, self.at_most, self.exactly)
        if not self.none and all(condition is None for condition in conditions):
            raise ValueError("needs by, not_before, at_least, at_most, exactly or none")
        if self.none and any(condition is not None for condition in conditions):
            raise ValueError("none stands alone")
        return self

    @property
    def summary(self) -> str:
        """What is expected, in one line."""
        return " ".join([*self._pattern(), "-", *self._conditions()])

    def _pattern(self) -> Iterator[str]:
        yield self.what.value.replace("_", " ")
        if self.to:
            yield f"to {self.to}"
        if self.text:
            yield f"with {self.text!r}"
        if self.after is not None:
            yield f"after {clock(self.after)}"
        if self.until is not None:
            yield f"until {clock(self.until)}"

    def _conditions(self) -> Iterator[str]:
        said = []
        if self.none:
            said.append("none")
        for words, count in (("at least", self.at_least), ("at most", self.at_most), ("exactly", self.exactly)):
            if count is not None:
                said.append(f"{words} {count}")
        if self.by is not None:
            said.append(f"by {clock(self.by)}")
        if self.not_before is not None:
            named = self.not_before if isinstance(self.not_before, str) else clock(self.not_before)
            said.append(f"not before {named}")
        yield ", ".join(said)


class Verdict(Frozen):
    """Whether an expectation is met. `why`: what was found instead; "" if it is met."""

    expectation: Expectation
    why: str = ""

    @property
    def met(self) -> bool:
        """Whether it is."""
        return not self.why


def clock(at: timedelta) -> str:
    """Return a time since the alert as T+1:05."""
    minutes = int((at + timedelta(seconds=1)).total_seconds() // 60)
    return f"T-{in_words(-at)}" if at < timedelta(seconds=-1) else f"T+{minutes // 60}:{minutes % 60:02}"


def check(rehearsed: Rehearsed, expectations: Sequence[Expectation]) -> tuple[Verdict, ...]:
    """Return the verdict on each expectation, in their order."""
    return tuple(_verdict(expected, rehearsed) for expected in expectations)


def _verdict(expected: Expectation, rehearsed: Rehearsed) -> Verdict:
    found = [effect for effect in rehearsed.effects if _meant(expected, effect)]
    return Verdict(expectation=expected, why="; ".join(dict.fromkeys(_faults(expected, found, rehearsed))))


def _meant(expected: Expectation, effect: Effect) -> bool:
    if effect.kind is not expected.what:
        return False
    if expected.after is not None and effect.at < expected.after - timedelta(seconds=1):
        return False
    if expected.until is not None and effect.at >= expected.until + _MINUTE:
        return False
    recipients = " ".join((*effect.to, effect.where)).casefold()
    return expected.to.casefold() in recipients and expected.text.casefold() in effect.text.casefold()


def _faults(expected: Expectation, found: Sequence[Effect], rehearsed: Rehearsed) -> Iterator[str]:
    times = _times(found)
    if expected.none and found:
        yield f"found {len(found)} ({times})"
    if expected.at_most is not None and len(found) > expected.at_most:
        yield f"found {len(found)} ({times})"
    if expected.exactly is not None and len(found) != expected.exactly:
        yield f"found {len(found)} ({times})" if found else "found none"
    needed = expected.at_least or expected.exactly or 1
    if expected.by is not None:
        early = [effect for effect in found if effect.at < expected.by + _MINUTE]
        if len(early) < needed:
            yield f"first at {times}" if found else "found none"
    elif expected.at_least is not None and len(found) < needed:
        yield f"found {len(found)} ({times})" if found else "found none"
    yield from _too_early(expected, found, rehearsed)


def _too_early(expected: Expectation, found: Sequence[Effect], rehearsed: Rehearsed) -> Iterator[str]:
    first = expected.not_before
    if isinstance(first, str):
        happened = [fact.at for fact in rehearsed.facts if named_alike(fact.name, first) and not fact.rejected]
        if not happened:
            if found:
                yield f"{first} never happened, and found {len(found)} ({_times(found)})"
            return
        first = happened[0]
    elif first is not None:
        first -= timedelta(seconds=1)
    early = [effect for effect in found if first is not None and effect.at < first]
    if early:
        yield f"{len(early)} before ({_times(early)})"


_SHOWN = 5


def _times(found: Sequence[Effect]) -> str:
    more = ", ..." if len(found) > _SHOWN else ""
    return ", ".join(clock(effect.at) for effect in found[:_SHOWN]) + more
