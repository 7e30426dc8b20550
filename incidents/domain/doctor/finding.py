"""A finding of `incident doctor`, and what several of them amount to."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from incidents.domain.core.base import Frozen


class Level(StrEnum):
    """How bad a finding is. UNKNOWN: it could not be checked, which is never OK."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


_WORST_FIRST = (Level.ERROR, Level.UNKNOWN, Level.WARNING, Level.OK)


class Finding(Frozen):
    """What a check found. `what`: one line. `remedy`: what to do, in one line; "" if nothing is to be done."""

    check: str
    level: Level
    what: str
    remedy: str = ""


def ok(check: str, what: str) -> Finding:
    """Return that all is well."""
    return Finding(check=check, level=Level.OK, what=what)


def warning(check: str, what: str, remedy: str) -> Finding:
    """Return what will do harm some day, or does some now."""
    return Finding(check=check, level=Level.WARNING, what=what, remedy=remedy)


def error(check: str, what: str, remedy: str) -> Finding:
    """Return what keeps an incident from being handled as the runbook says."""
    return Finding(check=check, level=Level.ERROR, what=what, remedy=remedy)


def unknown(check: str, what: str, remedy: str) -> Finding:
    """Return what could not be checked."""
    return Finding(check=check, level=Level.UNKNOWN, what=what, remedy=remedy)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings, errors first; those of a level as they are."""
    return sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.level))


def has_error(findings: Iterable[Finding]) -> bool:
    """Tell whether one of them is an error."""
    return any(finding.level is Level.ERROR for finding in findings)


def count(findings: Sequence[Finding]) -> str:
    """Return how many there are of each level, such as `1 error, 2 unknown, 20 ok`."""
    numbers = {level: sum(finding.level is level for finding in findings) for level in _WORST_FIRST}
    return ", ".join(
        f"{number} {_PLURALS.get(level, level) if number != 1 else level}"
        for level, number in numbers.items()
        if number
    )


_PLURALS = {Level.ERROR: "errors", Level.WARNING: "warnings"}
