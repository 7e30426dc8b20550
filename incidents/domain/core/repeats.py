"""What happens if a request is carried out a second time: declared by each request, once (docs/effects.md)."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a second time does. The order is from harmless to not."""

    READS = "nothing: it only reads"
    SAME = "nothing: whoever does it knows the key, at any time"
    SETS = "sets what is already so"
    FOUND = "nothing, once the first one can be seen"
    AGAIN = "the same once more"


@dataclass(frozen=True)
class Repeat:
    """What a second time does, and `known_by`: how the first one is recognized, for people."""

    kind: Kind
    known_by: str = ""

    @property
    def is_safe_at_once(self) -> bool:
        """Tell whether a second one may be sent while the first is still on its way.

        What only sets a value may not: the first, arriving late, would undo what was set after it.
        """
        return self.kind is Kind.SAME

    @property
    def has_effect(self) -> bool:
        """Tell whether it changes anything outside."""
        return self.kind is not Kind.READS


READS = Repeat(Kind.READS)


def same(known_by: str) -> Repeat:
    """Return the repeat of what a vendor or store deduplicates itself."""
    return Repeat(Kind.SAME, known_by)


def sets(known_by: str) -> Repeat:
    """Return the repeat of what sets a value, which is then as it was."""
    return Repeat(Kind.SETS, known_by)


def found(known_by: str) -> Repeat:
    """Return the repeat of what the activity looks for before it acts."""
    return Repeat(Kind.FOUND, known_by)


def again(why: str) -> Repeat:
    """Return the repeat of what nobody can look up."""
    return Repeat(Kind.AGAIN, why)
