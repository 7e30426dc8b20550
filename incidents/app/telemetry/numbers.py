"""The numbers of the incidents that this process knows to be open, by workflow id: for log lines."""

from collections.abc import Mapping

_NUMBERS: dict[str, int] = {}
_NEW: dict[str, int] = {}


def remember_numbers(numbers: Mapping[str, int]) -> None:
    """Remember the numbers of all open incidents, in place of those known before.

    Those that were given since the last call are kept: they may have been opened after the incidents were listed.
    """
    _NUMBERS.clear()
    _NUMBERS.update(_NEW | dict(numbers))
    _NEW.clear()


def remember_number(workflow_id: str, number: int) -> None:
    """Remember the number of an incident that has just got it."""
    _NUMBERS[workflow_id] = _NEW[workflow_id] = number


def number_of(workflow_id: str) -> int | None:
    """Return the number of an incident; None if it is not known here."""
    return _NUMBERS.get(workflow_id)
