"""Do all that is due at one instant: as `ObligationLoop` does, every activity is begun before the first one ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.foresight.answers import answer
from incidents.domain.foresight.tracks import IncidentTrack, O, Track
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.obligation_spec import WorkflowStep

_MOST = 1000
"""Rounds at one instant. More of them would be an endless loop."""


@dataclass(frozen=True)
class Done:
    """An obligation that was fulfilled. `request`: None if only the state changed, or nothing was asked for."""

    at: datetime
    key: str
    kind: str
    summary: str
    housekeeping: bool
    request: ActivityRequest | None
    step: WorkflowStep | None


def settle(track: Track[O], runbook: RunbookConfig, at: datetime, *, one_by_one: bool = False) -> Iterator[Done]:
    """Fulfil all that is due, and what follows from it, and yield each.

    `one_by_one`: nothing is begun before what was due earlier has ended; as if each activity took no time.

    Raises:
        RuntimeError: something is always due (an error of this program).
    """
    for _ in range(_MOST):
        track.owed = track.agenda()
        due = [obligation for obligation in track.owed if obligation.due <= at]
        if not due:
            return
        due = due[:1] if one_by_one else due
        if (inner := next((each for each in due if track.apply_inner(each, at)), None)) is not None:
            yield _done(track, inner, at, None)
            continue
        begun = [(obligation, track.begin(obligation, at)) for obligation in due]
        for obligation, asked in begun:
            track.finish(obligation, asked if isinstance(asked, ActivityResult) else answer(asked, runbook), at)
            yield _done(track, obligation, at, None if isinstance(asked, ActivityResult) else asked)
    raise RuntimeError(f"always something due: {due[0].key}")


def _done(track: Track[O], obligation: O, at: datetime, asked: ActivityRequest | None) -> Done:
    return Done(
        at=at,
        key=f"{track.prefix}{obligation.key}",
        kind=f"{track.prefix}{obligation.kind}",
        summary=obligation.summary,
        housekeeping=track.is_housekeeping(obligation),
        request=asked,
        step=track.workflow_step(obligation),
    )


def settled(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Return the incident after all that is due was done, one by one."""
    track = IncidentTrack(incident, runbook)
    for _ in settle(track, runbook, at, one_by_one=True):
        pass
    return track.incident


def fulfil(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Return the incident after one obligation was fulfilled."""
    track = IncidentTrack(incident, runbook)
    if not track.apply_inner(obligation, at):
        asked = track.begin(obligation, at)
        track.finish(obligation, asked if isinstance(asked, ActivityResult) else answer(asked, runbook), at)
    return track.incident
