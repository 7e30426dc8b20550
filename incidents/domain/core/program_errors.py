"""What an incident does about an error in this program: that obligation fails, the others go on (behaviour 108)."""

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen

MOST = 20
"""Errors that are reported one by one. Further ones most likely have the same cause."""
_LONGEST = 300


class Fault(Frozen):
    """An error of this program. `where`: what it was doing, in words; `error`: its class and first line."""

    where: str
    error: str
    at: AwareDatetime


def in_one_line(error: BaseException) -> str:
    """Return an exception as `ValueError: its first line`, bounded."""
    said = str(error).splitlines()
    return f"{type(error).__name__}: {said[0]}"[:_LONGEST] if said else type(error).__name__


def settle_hint(step: str, number: int | None) -> str:
    """Return the command by which a responder settles a failed step or obligation."""
    return f"`incident step {number if number is not None else 'NUMBER'} {step}` with --retry, --skip or --done"


def what_to_do(key: str, number: int | None) -> str:
    """Return the remedy that follows the statement that an obligation failed through an error of this program."""
    name = number if number is not None else "NUMBER"
    return f"Do it by hand, then `incident step {name} {key} --done`; or `--retry` once the error is fixed."
