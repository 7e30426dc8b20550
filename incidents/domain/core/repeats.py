"""What happens if a request is carried out a second time: declared by each request, once (docs/effects.md)."""

from dataclasses import dataclass
from enum import StrEnum


class RepeatKind(StrEnum):
    """What a second attempt does. The order is from harmless to not."""

    READS = "nothing: it only reads"
    DEDUPLICATED = "nothing: the receiver deduplicates by key"
    OVERWRITES = "sets the same value again"
    LOOKED_FOR = "nothing, once the first is visible"
    SENT_AGAIN = "repeats the effect"


@dataclass(frozen=True)
class Repeat:
    """What a second attempt does. `known_by`: by what the first one is recognized, for people."""

    kind: RepeatKind
    known_by: str = ""

    @property
    def is_safe_at_once(self) -> bool:
        """Tell whether a second one may be sent while the first is still on its way.

        What only sets a value may not: the first, arriving late, would undo what was set after it.
        """
        return self.kind is RepeatKind.DEDUPLICATED

    @property
    def has_effect(self) -> bool:
        """Tell whether it changes anything outside."""
        return self.kind is not RepeatKind.READS


READS = Repeat(RepeatKind.READS)


def deduplicated(by: str) -> Repeat:
    """Return the repeat of what its receiver deduplicates, at any time."""
    return Repeat(RepeatKind.DEDUPLICATED, by)


def overwrites(what: str) -> Repeat:
    """Return the repeat of what sets a value, which is then as it was."""
    return Repeat(RepeatKind.OVERWRITES, what)


def looked_for(by: str) -> Repeat:
    """Return the repeat of what the activity looks for before it acts."""
    return Repeat(RepeatKind.LOOKED_FOR, by)


def sent_again(why: str) -> Repeat:
    """Return the repeat of what nobody can look up."""
    return Repeat(RepeatKind.SENT_AGAIN, why)
