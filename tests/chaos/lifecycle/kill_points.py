"""Points of a run at which a worker kills itself: right before or right after the first activity of a kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

POINTS, FLAGS = "CHAOS_KILL_POINTS", "CHAOS_KILL_FLAGS"
"""Variables of the worker of tests: the points, and the folder in which it notes those that it has died at."""
KILLED_WORKER = "tests.chaos.lifecycle.killed_worker"

ROLLBACK_STEPS = (
    "RollbackWorkflow.measure_baseline",
    "RollbackWorkflow.capture_evidence",
    "RollbackWorkflow.write_manifest",
    "RollbackWorkflow.check_rollback",
    "RollbackWorkflow.redeploy",
    "RollbackWorkflow.follow_deployment",
    "RollbackWorkflow.verify_region",
)
PUBLICATION_STEPS = (
    "IncidentWorkflow.publish_status",
    "IncidentWorkflow.send_mail",
    "PostmortemWorkflow.keep_document",
    "PostmortemWorkflow.write_postmortem",
    "PostmortemWorkflow.propose_document",
    "PostmortemWorkflow.post_message",
    "PostmortemWorkflow.open_ticket",
    "PostmortemWorkflow.send_mail",
)
STEPS = (*ROLLBACK_STEPS, *PUBLICATION_STEPS)
"""Workflow and activity of each step of a rollback, of an update's publication and of a post-mortem's."""


class Side(StrEnum):
    """When the worker dies: before the activity has begun, or when it has ended and nobody knows."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class KillPoint:
    """The first activity of a step, and the side of it."""

    side: Side
    step: str

    def __str__(self) -> str:
        return f"{self.side}:{self.step}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the point that was written by `str`."""
        side, _, step = text.partition(":")
        return cls(Side(side), step)

    def flag(self, home: Path) -> Path:
        """Return the file that is there once a worker has died at this point."""
        return home / f"died-{self.side}-{self.step}"


def kill_environment(points: Sequence[KillPoint], home: Path) -> dict[str, str]:
    """Return the variables for the workers of a run."""
    return {POINTS: ",".join(map(str, points)), FLAGS: str(home)}
