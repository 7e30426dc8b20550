"""What an incident does about an error in this program: that obligation fails, the others go on (behaviour 108)."""

from datetime import datetime
from typing import Protocol, TypeVar

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen

MOST = 20
"""Errors that are told one by one. More of them have a common cause that the first ones show."""
_LONGEST = 300


class Fault(Frozen):
    """An error of this program. `where`: what it was doing, in words; `error`: its class and first line."""

    where: str
    error: str
    at: AwareDatetime


class Faulty(Protocol):
    """What remembers its faults."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those that were told, the oldest first."""


F = TypeVar("F", bound=Faulty)


def in_one_line(error: BaseException) -> str:
    """Return an exception as `ValueError: its first line`, bounded."""
    said = str(error).splitlines()
    return f"{type(error).__name__}: {said[0]}"[:_LONGEST] if said else type(error).__name__


def with_fault(state: F, where: str, error: str, at: datetime) -> tuple[Fault, ...]:
    """Return the faults with one more, unless the same one is known or there are too many."""
    known = any(fault.where == where and fault.error == error for fault in state.faults)
    if known or len(state.faults) >= MOST:
        return state.faults
    return (*state.faults, Fault(where=where, error=error, at=at))


def what_to_do(key: str, number: int | None) -> str:
    """Return the remedy that follows the statement that an obligation failed through an error of this program."""
    name = number if number is not None else "NUMBER"
    return f"Do it by hand, then `incident step {name} {key} --done`; or `--retry` once the error is fixed."
