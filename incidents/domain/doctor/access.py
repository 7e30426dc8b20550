"""What the answers of integrations mean, and what the clocks of their servers say of this machine's."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from statistics import median
from typing import assert_never

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.doctor.finding import Finding, error, ok, unknown, warning

CLOCK = "clock"
SKEWED, BADLY_SKEWED = timedelta(seconds=5), timedelta(seconds=60)
"""Clock skew that makes times in timelines wrong, and that breaks signatures and tokens."""


class Answer(StrEnum):
    """How an integration answered a harmless call."""

    ACCEPTED = "accepted"
    UNAUTHORIZED = "unauthorized"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"


class AccessReading(Frozen):
    """How an integration answered. `name`: for people. `variables`: the settings that it needs.

    `missing`: rights that the credentials lack. `untold`: what the call cannot tell. `problem`: why it failed.
    """

    check: str
    name: str
    variables: tuple[str, ...]
    answer: Answer
    who: str = ""
    missing: tuple[str, ...] = ()
    untold: str = ""
    problem: str = ""


class ClockReading(Frozen):
    """How far this machine's clock is ahead of another one's; negative if it is behind."""

    of: str
    ahead: timedelta


def check_access(reading: AccessReading) -> Finding:
    """Return what the answer means. A vendor that is down proves nothing of our credentials."""
    set_them = " and ".join(reading.variables) or "the settings"
    match reading.answer:
        case Answer.ACCEPTED:
            return _accepted(reading, set_them)
        case Answer.UNAUTHORIZED:
            what = f"{reading.name} rejected our credentials ({reading.problem})"
            return error(reading.check, what, f"Replace {set_them}, and restart worker and gateway")
        case Answer.REJECTED:
            what = f"{reading.name} rejected a harmless request ({reading.problem})"
            return error(reading.check, what, f"Check {set_them}")
        case Answer.UNAVAILABLE:
            what = f"{reading.name} could not be asked ({reading.problem})"
            return unknown(reading.check, what, "Check its address and the network from here, then try again")
        case _:
            assert_never(reading.answer)


def _accepted(reading: AccessReading, set_them: str) -> Finding:
    if reading.missing:
        what = f"{reading.name} accepts our credentials, but they lack {', '.join(reading.missing)}"
        return error(reading.check, what, f"Grant that, and replace {set_them} if the vendor issues new ones")
    if reading.untold:
        what = f"{reading.name} accepts our credentials, but does not report {reading.untold}"
        return unknown(reading.check, what, "Check that by hand, or with a drill (docs/drills.md)")
    return ok(reading.check, f"accepted{f' as {reading.who}' if reading.who else ''}")


def half_set(check: str, reason: str) -> Finding:
    """Return that some of an integration's settings are set and others are not."""
    return error(check, f"Off, and half set: {reason}", "Set all of its variables, or none")


def check_clock(readings: Sequence[ClockReading]) -> Finding:
    """Compare this machine's clock with most of the others': a single one may itself be wrong."""
    if not readings:
        return unknown(CLOCK, "No server reported its time", "Compare this machine's clock by hand (`timedatectl`)")
    ahead = timedelta(seconds=median(reading.ahead.total_seconds() for reading in readings))
    if abs(ahead) < SKEWED:
        return ok(CLOCK, f"within {in_words(SKEWED)} of {len(readings)} others")
    direction = "ahead of" if ahead > timedelta() else "behind"
    others = sorted({reading.of for reading in readings})
    what = f"This machine is {in_words(abs(ahead))} {direction} {', '.join(others[:3])}"
    remedy = "Synchronize it (`timedatectl set-ntp true`); worker and gateway may run elsewhere: check there, too"
    return (error if abs(ahead) >= BADLY_SKEWED else warning)(CLOCK, what, remedy)
