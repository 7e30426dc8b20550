"""What became of each obligation, by key."""

from collections.abc import Collection
from typing import Self

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen
from incidents.domain.core.keys import Key


def in_attempts(count: int) -> str:
    """Return a number of attempts in words."""
    return f"{count} attempt{'' if count == 1 else 's'}"


class Unfulfilled(Frozen):
    """An obligation that was not done, and why: it failed for good, or it was skipped.

    `attempts`: how often it was tried; None if that is unknown or it was skipped.
    """

    key: Key
    reason: str
    at: AwareDatetime
    attempts: int | None = None

    @property
    def described(self) -> str:
        """The reason, with the attempts where they are known."""
        return self.reason if self.attempts is None else f"{self.reason} ({in_attempts(self.attempts)})"


class Postponed(Frozen):
    """An obligation that failed and is tried again at `until`. `since`: its first failure; `times`: how many."""

    key: Key
    reason: str
    since: AwareDatetime
    until: AwareDatetime
    times: int = 1


class Begun(Frozen):
    """An obligation that was begun. `kind`: its `ObligationKind` or `PostmortemObligationKind`."""

    key: Key
    kind: str


class Ledger(Frozen):
    """What became of each obligation, by its key.

    `begun`: an attempt was made and its result is not known; the next one looks for its effect before it acts.
    `postponed`: attempts failed, and it is still owed.
    """

    fulfilled: tuple[Key, ...] = ()
    begun: tuple[Begun, ...] = ()
    failures: tuple[Unfulfilled, ...] = ()
    skips: tuple[Unfulfilled, ...] = ()
    postponed: tuple[Postponed, ...] = ()

    @property
    def keys(self) -> frozenset[Key]:
        """The keys of everything that was begun, fulfilled or skipped, or that failed for good."""
        undone = (obligation.key for obligation in (*self.failures, *self.skips))
        return frozenset((*self.fulfilled, *undone, *(attempt.key for attempt in self.begun)))

    def without(self, keys: Collection[str]) -> Self:
        """Return the ledger without these keys."""
        return self.replace(
            fulfilled=tuple(key for key in self.fulfilled if key not in keys),
            begun=tuple(attempt for attempt in self.begun if attempt.key not in keys),
            failures=tuple(failure for failure in self.failures if failure.key not in keys),
            skips=tuple(skip for skip in self.skips if skip.key not in keys),
        )

    def settled(self, key: str) -> bool:
        """Tell whether the obligation of that key was fulfilled, skipped, or failed for good."""
        return key in self.fulfilled or any(obligation.key == key for obligation in (*self.failures, *self.skips))

    def is_begun(self, key: str) -> bool:
        """Tell whether an attempt at that obligation was made whose result is not known."""
        return any(attempt.key == key for attempt in self.begun)

    def unsettled(self, kind: str) -> tuple[Key, ...]:
        """Return the keys of the obligations of that kind that were begun and are not settled."""
        return tuple(a.key for a in self.begun if a.kind == kind and not self.settled(a.key))

    def begin(self, key: Key, kind: str) -> Self:
        """Return the ledger with that obligation begun."""
        return self if self.is_begun(key) else self.replace(begun=(*self.begun, Begun(key=key, kind=kind)))

    def end_attempt(self, key: str) -> Self:
        """Return the ledger with the result of that obligation's attempt known."""
        return self.replace(begun=tuple(attempt for attempt in self.begun if attempt.key != key))

    def postponement(self, key: str) -> Postponed | None:
        """Return until when an obligation that failed is postponed; None if it is not."""
        return next((postponed for postponed in self.postponed if postponed.key == key), None)

    def postpone(self, postponed: Postponed) -> Self:
        """Return the ledger with an obligation postponed; its attempt has ended."""
        ledger = self.end_attempt(postponed.key).resume(postponed.key)
        return ledger.replace(postponed=(*ledger.postponed, postponed))

    def resume(self, key: str) -> Self:
        """Return the ledger with an obligation no longer postponed."""
        return self.replace(postponed=tuple(postponed for postponed in self.postponed if postponed.key != key))


class Owing(Frozen):
    """A value with obligations, which records their results by key."""

    ledger: Ledger = Ledger()

    def with_fulfilled(self, *keys: Key) -> Self:
        """Return the value with these obligations fulfilled, each once."""
        fulfilled = tuple(dict.fromkeys((*self.ledger.fulfilled, *keys)))
        return self.replace(ledger=self.ledger.replace(fulfilled=fulfilled))

    def with_failure(self, failure: Unfulfilled) -> Self:
        """Return the value with one more obligation that failed for good."""
        return self.replace(ledger=self.ledger.replace(failures=(*self.ledger.failures, failure)))

    def with_skips(self, *skips: Unfulfilled) -> Self:
        """Return the value with these obligations skipped."""
        return self.replace(ledger=self.ledger.replace(skips=(*self.ledger.skips, *skips)))
