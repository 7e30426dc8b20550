"""Record the review of a drill."""

from datetime import datetime

from incidents.domain.core.base import CommandRejected
from incidents.domain.core.timeline import Kind
from incidents.domain.drill.state import DrillReview
from incidents.domain.incident.commands import ReviewDrill
from incidents.domain.incident.incident import Incident


def review_drill(command: ReviewDrill, incident: Incident, at: datetime) -> Incident:
    """Record the review of a drill. A later review replaces the earlier one; the timeline keeps both.

    Raises:
        CommandRejected: it is a real incident, which has a post-mortem, or it is not over yet.
    """
    number = incident.number
    if not incident.drill:
        raise CommandRejected(f"{incident.name} is not a drill. Its post-mortem: `incident postmortem show {number}`.")
    if not incident.over:
        raise CommandRejected(
            f"{incident.name} is still open. Nothing was recorded. Resolve it first: `incident resolve {number}`."
        )
    review = DrillReview(at=at, by=command.by, text=command.text)
    incident = incident.replace(exercise=incident.exercise.replace(review=review))
    return incident.logged(at, command.by, Kind.POSTMORTEM, f"Drill review: {command.text}", announce=True)
