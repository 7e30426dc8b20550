"""The first-response checklist: seven steps and their status (runbook, "First Response Checklist")."""

from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen


class Step(StrEnum):
    """The seven steps, in the runbook's order."""

    ACKNOWLEDGE = "acknowledge"
    ASSESS = "assess"
    SEVERITY = "severity"
    TIMER = "timer"
    CHANNEL = "channel"
    COMMUNICATE = "communicate"
    INVESTIGATE = "investigate"


TITLES: dict[Step, str] = {
    Step.ACKNOWLEDGE: "Acknowledge the alert",
    Step.ASSESS: "Assess blast radius",
    Step.SEVERITY: "Declare severity",
    Step.TIMER: "Start the incident timer",
    Step.CHANNEL: "Open an incident channel",
    Step.COMMUNICATE: "Send initial communication",
    Step.INVESTIGATE: "Begin investigation",
}


class StepStatus(StrEnum):
    """Status of a step."""

    PENDING = "pending"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class StepState(Frozen):
    """State of one step: who did it and when, or why it was not done and what to do next."""

    step: Step
    status: StepStatus = StepStatus.PENDING
    at: AwareDatetime | None = None
    by: str = ""
    detail: str = ""

    @property
    def title(self) -> str:
        """The step's title in the runbook."""
        return TITLES[self.step]


def combine_statuses(parts: list[StepStatus]) -> StepStatus:
    """Return the status of a step from its parallel parts.

    Pending while any part is pending, failed if any failed, done if any is done, skipped if all were skipped.
    """
    for status in (StepStatus.PENDING, StepStatus.FAILED, StepStatus.DONE):
        if status in parts:
            return status
    return StepStatus.SKIPPED
