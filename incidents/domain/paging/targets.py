"""The response targets of a severity (runbook, "Severity Levels"): what must have happened how long after the start."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.chat.channel import war_room_key
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.status import Status
from incidents.domain.core.time.duration import Term
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.investigation.keys import investigation_key
from incidents.domain.obligation import Source


class Target(Frozen):
    """A target: what is promised, in words, and by when."""

    name: str
    summary: str
    due: datetime


def open_targets(incident: Incident, runbook: RunbookConfig, since: datetime) -> Iterator[Target]:
    """Yield the targets of the current severity that are not met yet, counted from `since`."""
    policy = runbook.policy(incident.severity)
    promises: tuple[tuple[str, str, Term | None, bool], ...] = (
        ("acknowledge", "acknowledged", policy.acknowledge_within, _acknowledged(incident)),
        ("war-room", "war room open", policy.war_room_within, _war_room_open(incident)),
        ("investigate", "investigation begun", policy.investigate_within, _investigated(incident)),
        ("fix", "fixed", policy.fix_within, incident.mitigated_at is not None),
    )
    for name, summary, term, met in promises:
        if term is not None and not met:
            # A re-page restarts the acknowledgement target.
            start = max(since, incident.paging.last_paged_at or since) if name == "acknowledge" else since
            due = runbook.calendar.deadline(start, term)
            yield Target(name=name, summary=f"{summary} within {term.words}", due=due)


def _acknowledged(incident: Incident) -> bool:
    return incident.paging.attended or incident.status == Status.MONITORING


def _war_room_open(incident: Incident) -> bool:
    skipped = incident.standing(war_room_key()) is StepStatus.SKIPPED
    return incident.resources.bridge_url is not None or skipped


def _investigated(incident: Incident) -> bool:
    return any(incident.standing(investigation_key(incident, source)) is StepStatus.DONE for source in Source)
