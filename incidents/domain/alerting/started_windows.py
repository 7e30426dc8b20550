"""Maintenance windows that responders start and end by command (behaviour 15), beside those that runbook.yaml plans."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from pydantic import AwareDatetime, Field

from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.core.base import CommandRejected, Frozen
from incidents.domain.core.command import Command, remembered
from incidents.domain.core.time.elapsed import in_words

LONGEST = timedelta(days=7)
"""How long a started window may last: a forgotten one hides every alert within it."""
MOST = 50
"""Windows that run at once."""
Scope = Field(default="", max_length=200)


class StartWindow(Command):
    """Start a maintenance window now. A service, environment or region that is not named: every one."""

    name: ClassVar[str] = "start_window"
    help_text: ClassVar[str] = "Start a maintenance window now."
    until: AwareDatetime
    service: str = Scope
    environment: str = Scope
    region: str = Scope
    reason: str = Field(min_length=1, max_length=500)


class EndWindow(Command):
    """End a started window before its time: alerts that it covers open their incidents."""

    name: ClassVar[str] = "end_window"
    help_text: ClassVar[str] = "End a maintenance window now."
    number: int = Field(ge=1)


class StartedWindow(Frozen):
    """A started window. `number`: what people end it by."""

    number: int
    by: str
    window: MaintenanceWindow


class StartedWindows(Frozen):
    """The started windows that are not over. `last`: the number of the newest one that ever was."""

    last: int = 0
    listed: tuple[StartedWindow, ...] = ()
    handled: tuple[str, ...] = ()

    def start(self, command: StartWindow, at: datetime) -> Self:
        """Return the windows with a new one from `at` on; unchanged if the command came before.

        Raises:
            CommandRejected: it ends in the past, lasts too long, or there are too many.
        """
        if command.id and command.id in self.handled:
            return self
        if command.until <= at:
            raise CommandRejected(f"The window would have ended already ({command.until:%Y-%m-%d %H:%M} UTC).")
        if command.until - at > LONGEST:
            raise CommandRejected(f"A window lasts at most {in_words(LONGEST)}: plan a longer one in runbook.yaml.")
        if len(self.listed) >= MOST:
            raise CommandRejected(f"{MOST} maintenance windows run already: end one first.")
        window = MaintenanceWindow(
            since=at,
            until=command.until,
            service=command.service,
            environment=command.environment,
            region=command.region,
            reason=command.reason,
        )
        started = StartedWindow(number=self.last + 1, by=command.by, window=window)
        handled = remembered(self.handled, command)
        return self.replace(last=started.number, listed=(*self.listed, started), handled=handled)

    def end(self, command: EndWindow) -> Self:
        """Return the windows without one; unchanged if the command came before.

        Raises:
            CommandRejected: none of that number runs.
        """
        if command.id and command.id in self.handled:
            return self
        left = tuple(each for each in self.listed if each.number != command.number)
        if left == self.listed:
            raise CommandRejected(
                f"No maintenance window {command.number} was started and still runs. `incident maintenance list` shows"
                " them; one that runbook.yaml plans is ended there."
            )
        return self.replace(listed=left, handled=remembered(self.handled, command))

    def without_past(self, at: datetime) -> Self:
        """Return the windows without those that are over."""
        return self.replace(listed=tuple(each for each in self.listed if each.window.until > at))

    @property
    def windows(self) -> tuple[MaintenanceWindow, ...]:
        """The windows, as alerts are compared with them."""
        return tuple(each.window for each in self.listed)

    @property
    def next_end(self) -> datetime | None:
        """When the next window is over; None if there is none."""
        return min((each.window.until for each in self.listed), default=None)


def describe(window: MaintenanceWindow) -> str:
    """Return in one line what a window covers, until when, and why."""
    named = (("service", window.service), ("environment", window.environment), ("region", window.region))
    scope = ", ".join(f"{field} {name}" for field, name in named if name) or "everything"
    return f"{scope} until {window.until:%Y-%m-%d %H:%M} UTC ({window.reason})"
