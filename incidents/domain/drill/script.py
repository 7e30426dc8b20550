"""The script of a drill: how it opens, the notes that it posts, and what its alert does, each at its time."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self, assert_never

from pydantic import Field

from incidents.domain.alerting.alert import Alert
from incidents.domain.core.base import Frozen
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.incident.commands import AddNote
from incidents.domain.incident.state import Opening

BY = "drill"
"""Who writes the notes of a script."""
MOST_STEPS = 200


class StepKind(StrEnum):
    """What a step of a script does."""

    NOTE = "note"
    ALERT_FIRED = "alert fired"
    ALERT_ENDED = "alert ended"


class DrillStep(Frozen):
    """`at` so long after the drill has opened. `text`: what a note says."""

    at: timedelta
    kind: StepKind
    text: str = ""

    @property
    def summary(self) -> str:
        """What happens, in one line."""
        match self.kind:
            case StepKind.NOTE:
                return one_line(self.text, 200)
            case StepKind.ALERT_FIRED:
                return "The alert fires again"
            case StepKind.ALERT_ENDED:
                return "The alert ends"
            case _:
                assert_never(self.kind)

    def note(self, key: str) -> AddNote:
        """Return the command that posts the note. `key` makes it the same command if it is sent again."""
        return AddNote(by=BY, text=self.text, id=key)


class DrillScript(Frozen):
    """What is played. `steps`: the earliest first. `left_to_people`: facts of the scenario that nobody plays."""

    scenario: str
    opening: Opening
    alert: Alert
    steps: tuple[DrillStep, ...] = Field((), max_length=MOST_STEPS)
    left_to_people: int = 0

    def begun(self, key: str, at: datetime) -> Self:
        """Return it as it begins: the opening with its key, and both opening and alert of that time."""
        opening = self.opening.replace(key=key, alerted_at=at)
        return self.replace(opening=opening, alert=self.alert.replace(started_at=at))

    def alert_of(self, step: DrillStep, at: datetime) -> Alert:
        """Return the alert as it is after a step."""
        ended = step.kind is StepKind.ALERT_ENDED
        return self.alert.replace(ended_at=at) if ended else self.alert.replace(started_at=at)


def started_lines(script: DrillScript, drill: str, number: int | None) -> list[str]:
    """Return what a started drill will do, and how to stop it. `number`: None until a worker has numbered it."""
    name = f"INC-{number}" if number is not None else "number pending: no worker answered"
    lines = [
        f"Drill started: {script.scenario}, {script.opening.severity} of {script.opening.service} ({name}, {drill})"
    ]
    lines += [f"  after {in_words(step.at):<8} {step.summary}" for step in script.steps]
    if script.left_to_people:
        facts = "fact" if script.left_to_people == 1 else "facts"
        lines.append(f"Left to people: {script.left_to_people} {facts} of the scenario")
    shown = number if number is not None else "NUMBER"
    if not script.steps:
        return [*lines, f"Nothing else happens in it. How it went: incident drill score {shown}"]
    return [*lines, f"To stop it: incident drill stop {shown}; how it went: incident drill score {shown}"]
