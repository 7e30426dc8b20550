"""Run checks at the same time, each within a bound."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from temporalio.service import RPCError, RPCStatusCode

from incidents.client.problems import ConnectionProblem, Undecryptable
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.doctor.finding import Finding, unknown

SECONDS = 10.0
"""How long a check may take."""
_LONGEST = 200
_AGAIN = "Try again"
_NOT_ALLOWED = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)


class NotChecked(Exception):
    """A check cannot be done. The message says why."""


@dataclass(frozen=True)
class Check:
    """A check by the name that its findings have. What it yields before its time is over counts."""

    name: str
    run: Callable[[], AsyncIterator[Finding]]


class Progress:
    """Which checks are still running."""

    def __init__(self) -> None:
        """Begin without any."""
        self.waiting: list[str] = []
        self.total = 0

    def begin(self, names: Iterable[str]) -> None:
        """Record the checks that begin."""
        self.waiting = list(names)
        self.total = len(self.waiting)


async def run_checks(checks: list[Check], progress: Progress, seconds: float = SECONDS) -> list[Finding]:
    """Return the findings of all checks, in their order. A check that fails or takes too long is unknown."""
    progress.begin(check.name for check in checks)

    async def run(check: Check) -> list[Finding]:
        try:
            return await _run(check, seconds)
        finally:
            progress.waiting.remove(check.name)

    return [finding for found in await asyncio.gather(*map(run, checks)) for finding in found]


async def _run(check: Check, seconds: float) -> list[Finding]:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(seconds):
            async for finding in check.run():
                found.append(finding)
    except TimeoutError:
        found.append(unknown(check.name, f"No answer within {seconds:g} s", _AGAIN))
    except NotChecked as problem:
        found.append(unknown(check.name, f"{problem}", "Fix that first, then try again"))
    except Exception as error:  # one that fails must not keep the others from being read
        found.append(unknown(check.name, _said(error), _remedy(error)))
    return found


def _remedy(error: Exception) -> str:
    if isinstance(error, RPCError) and error.status in _NOT_ALLOWED:
        return "Give this process's API key or certificate the right to read the namespace"
    return _AGAIN


def _said(error: Exception) -> str:
    """Return why a check failed. The text of an error that is not known may hold anything: only its class."""
    if isinstance(error, RPCError):
        return f"Temporal answered {error.status.name}: {one_line(error.message, _LONGEST)}"
    if isinstance(error, ConnectionProblem | Undecryptable):
        return one_line(str(error), _LONGEST)
    return f"The check failed ({type(error).__name__})"
