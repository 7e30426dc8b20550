"""The search attributes of an incident: the one list that the worker, the tests and the compose file share.

The models are imported where their values are read: `incident list` needs the names only.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

if TYPE_CHECKING:
    from incidents.domain.config.model import RunbookConfig
    from incidents.domain.incident.incident import Incident
    from incidents.domain.incident.state import Opening
    from incidents.domain.postmortem.postmortem import Postmortem

NUMBER = SearchAttributeKey.for_int("IncidentNumber")
SEVERITY = SearchAttributeKey.for_keyword("IncidentSeverity")
STATUS = SearchAttributeKey.for_keyword("IncidentStatus")
MERGED = "merged"
"""Value of `STATUS` of an incident that goes on in another one; else it is the incident's status."""
SERVICE = SearchAttributeKey.for_keyword("IncidentService")
COMMANDER = SearchAttributeKey.for_keyword("IncidentCommander")
ACK_SECONDS = SearchAttributeKey.for_int("IncidentAckSeconds")
RESOLVE_SECONDS = SearchAttributeKey.for_int("IncidentResolveSeconds")
DRILL = SearchAttributeKey.for_bool("IncidentDrill")
BAD_RELEASES = SearchAttributeKey.for_keyword_list("IncidentBadReleases")
"""Releases that later incidents must not roll back to (activities/rollback/past.py reads them)."""

RESTORED = SearchAttributeKey.for_keyword_list("IncidentRestoredDeployments")
"""Deployments that a verified rollback made: no suspects in later incidents (behaviour 90)."""

POSTMORTEM = SearchAttributeKey.for_keyword("IncidentPostmortem")
"""Where the post-mortem stands; `overdue` is the breach of its deadline."""
POSTMORTEM_DUE = SearchAttributeKey.for_datetime("IncidentPostmortemDue")

UPDATE_OVERDUE_AT = SearchAttributeKey.for_datetime("IncidentUpdateOverdueAt")
"""From when a status update is overdue unless it goes out. In the past: one is."""

LAST_UPDATE_AT = SearchAttributeKey.for_datetime("IncidentLastUpdateAt")
"""When the newest status update was published."""

SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[Any], ...] = (
    NUMBER,
    SEVERITY,
    STATUS,
    SERVICE,
    COMMANDER,
    ACK_SECONDS,
    RESOLVE_SECONDS,
    DRILL,
    BAD_RELEASES,
    RESTORED,
    POSTMORTEM,
    POSTMORTEM_DUE,
    UPDATE_OVERDUE_AT,
    LAST_UPDATE_AT,
)

_RIDERS = (LAST_UPDATE_AT,)
"""Attributes that are sent only with another change: a command for them alone would not replay in older histories.

A publication moves `UPDATE_OVERDUE_AT`, so it takes them along; without `updates.overdue_after` they lag behind.
"""

_LONGEST = 200
"""Characters of a value: one over 2,048 bytes would fail the workflow."""


Values = dict[str, str | int | bool | datetime | list[str]]
"""Attribute name to value."""


def at_start(opening: Opening) -> TypedSearchAttributes:
    """Return what is known when the incident is started: free of charge then."""
    from incidents.domain.core.status import Status

    return TypedSearchAttributes(
        [
            SearchAttributePair(SEVERITY, opening.severity),
            SearchAttributePair(STATUS, Status.INVESTIGATING.value),
            SearchAttributePair(SERVICE, opening.service[:_LONGEST]),
            SearchAttributePair(DRILL, opening.drill),
        ]
    )


def postmortem_at_start(incident: Incident) -> TypedSearchAttributes:
    """Return what is known when a post-mortem is started."""
    number = [SearchAttributePair(NUMBER, incident.number)] if incident.number is not None else []
    return TypedSearchAttributes(
        [
            *number,
            SearchAttributePair(SEVERITY, str(incident.highest_severity)),
            SearchAttributePair(SERVICE, incident.service[:_LONGEST]),
            SearchAttributePair(DRILL, incident.drill),
        ]
    )


def of_postmortem(postmortem: Postmortem) -> Values:
    """Return the attributes' values as the post-mortem stands; what is not known yet is left out."""
    incident = postmortem.incident
    found: dict[str, str | int | bool | datetime | None] = {
        NUMBER.name: incident.number,
        SEVERITY.name: str(incident.highest_severity),
        SERVICE.name: incident.service[:_LONGEST],
        DRILL.name: incident.drill,
        POSTMORTEM.name: str(postmortem.stage),
        POSTMORTEM_DUE.name: postmortem.due,
    }
    return {name: value for name, value in found.items() if value is not None}


def known(attributes: TypedSearchAttributes) -> Values:
    """Return the values that the server has already."""
    held = ((pair.key, pair.value) for pair in attributes if pair.key in SEARCH_ATTRIBUTES)
    return {key.name: list(value) if key in (BAD_RELEASES, RESTORED) else value for key, value in held}


def changes(old: Values, new: Values) -> list[SearchAttributeUpdate[Any]]:
    """Return the updates that lead from the old values to the new ones."""
    fresh = [key for key in SEARCH_ATTRIBUTES if key.name in new and new[key.name] != old.get(key.name)]
    gone = [key for key in SEARCH_ATTRIBUTES if key.name in old and key.name not in new]
    if all(key in _RIDERS for key in (*fresh, *gone)):
        return []
    return [*(key.value_set(new[key.name]) for key in fresh), *(key.value_unset() for key in gone)]


def values(incident: Incident, runbook: RunbookConfig) -> Values:
    """Return the attributes' values as the incident stands; what is not known yet is left out."""
    from incidents.domain.incident.measures import time_to_acknowledge
    from incidents.domain.rollback.bad_releases import bad_releases
    from incidents.domain.updates.overdue import overdue_at

    found: dict[str, str | int | bool | datetime | list[str] | None] = {
        NUMBER.name: incident.number,
        SEVERITY.name: str(incident.severity),
        STATUS.name: MERGED if incident.merging.into is not None else str(incident.status),
        SERVICE.name: incident.service[:_LONGEST],
        COMMANDER.name: incident.roles.commander[:_LONGEST] or None,
        DRILL.name: incident.drill,
        BAD_RELEASES.name: [version[:_LONGEST] for version in bad_releases(incident)] or None,
        RESTORED.name: [deployment[:_LONGEST] for deployment in incident.rollback.restored] or None,
        UPDATE_OVERDUE_AT.name: overdue_at(incident, runbook),
        LAST_UPDATE_AT.name: incident.updates.published[-1].at if incident.updates.published else None,
    }
    if (acknowledged := time_to_acknowledge(incident)) is not None:
        found[ACK_SECONDS.name] = int(acknowledged.total_seconds())
    if incident.resolved_at is not None:
        found[RESOLVE_SECONDS.name] = int((incident.resolved_at - incident.started_at).total_seconds())
    return {name: value for name, value in found.items() if value is not None}
