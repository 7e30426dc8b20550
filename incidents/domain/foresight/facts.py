"""Facts of a scenario: what people, the alert and the world outside do, and when."""

from datetime import timedelta
from enum import StrEnum

from incidents.domain.apply_command import COMMANDS
from incidents.domain.core.base import Frozen
from incidents.domain.core.command import Command
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.foresight.rehearsal.outside import OUTSIDE, Deployed, Inject, Outage


class AlertFact(StrEnum):
    """What the alert does."""

    FIRED = "alert fired"
    ENDED = "alert ended"


class Fact(Frozen):
    """Something that happens `at` so long after the alert: a command, a change of the alert, or the world outside."""

    at: timedelta
    what: Command | AlertFact | Outage | Deployed | Inject

    @property
    def summary(self) -> str:
        """What happens, in one line."""
        if isinstance(self.what, Outage | Deployed | Inject):
            return one_line(self.what.summary, 200)
        if isinstance(self.what, AlertFact):
            return f"The {self.what}" + (" again" if self.what is AlertFact.FIRED else "")
        told = [f"{name} {_words(value)}" for name, value in self.what if name not in _UNSAID and value not in _UNSET]
        return one_line(f"{self.what.by}: {self.what.name.replace('_', ' ')} {', '.join(told)}".strip(), 200)


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


_UNSAID = {"by", "id", "origin", "runbook"}
_UNSET: tuple[object, ...] = (None, "", (), False)
_SHORT = {
    "ack": "acknowledge",
    "severity": "declare_severity",
    "update": "post_update",
    "hold": "hold_update",
    "private": "make_private",
    "note": "add_note",
    "role": "assign_role",
    "confirm": "confirm_recovery",
    "rollback": "request_rollback",
    "approve": "approve_rollback",
    "decline": "decline_rollback",
    "verdict": "judge_rollback",
    "flag": "flag_release",
    "step": "settle_step",
    "correct": "correct_time",
}
"""What the command line calls a command, where that differs from its name."""
_NAMED = {command.name: command for command in COMMANDS}


def command_named(name: str) -> type[Command] | None:
    """Return the command of that name, or of that subcommand of `incident`; None if there is none."""
    return _NAMED.get(_SHORT.get(name, name))


def known_facts() -> tuple[str, ...]:
    """Return everything that a fact may be."""
    return (*AlertFact, *OUTSIDE, *sorted({*_SHORT, *_NAMED}))


def named_alike(name: str, other: str) -> bool:
    """Tell whether two names are of the same fact, such as `ack` and `acknowledge`."""
    return _SHORT.get(name, name) == _SHORT.get(other, other)
