"""The response targets of a severity (runbook, "Severity Levels"): what must have happened how long after the start."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Term, in_words
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status

_INVESTIGATIONS = ("investigate/deployments", "investigate/metrics", "investigate/logs")


class Target(Frozen):
    """A target: what is promised, in words, and by when."""

    name: str
    says: str
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
    for name, says, term, met in promises:
        if term is not None and not met:
            # Whoever is called again has as long again to acknowledge.
            start = max(since, incident.last_paged_at or since) if name == "acknowledge" else since
            due = runbook.calendar.deadline(start, term)
            yield Target(name=name, says=f"{says} within {_term(term)}", due=due)


def _acknowledged(incident: Incident) -> bool:
    return incident.attended or incident.status == Status.MONITORING


def _war_room_open(incident: Incident) -> bool:
    skipped = incident.standing("war-room") is StepStatus.SKIPPED
    return incident.resources.bridge_url is not None or skipped


def _investigated(incident: Incident) -> bool:
    return any(incident.standing(key) is StepStatus.DONE for key in _INVESTIGATIONS)


def _term(term: Term) -> str:
    if term.business_days is not None:
        return f"{term.business_days} business day{'s' if term.business_days != 1 else ''}"
    return in_words(term.elapsed) if term.elapsed is not None else "no time"
