"""The four severities (runbook, "Severity Levels")."""

from enum import StrEnum


class Severity(StrEnum):
    """P0 critical, P1 high, P2 medium, P3 low."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"

    @property
    def rank(self) -> int:
        """Return its place among the four: 1 for P0 to 4 for P3."""
        return list(Severity).index(self) + 1

    def outranks(self, other: "Severity") -> bool:
        """Tell whether this severity is strictly more severe than `other` (P0 outranks P1)."""
        return self.value < other.value


def highest(first: Severity, *others: Severity) -> Severity:
    """Return the most severe of those given."""
    return min((first, *others), key=lambda severity: severity.value)
