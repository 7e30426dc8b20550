"""The search attributes of an incident: the one list that the worker, the tests and the compose file share.

The models are imported where their values are read: `incident list` needs the names only.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

if TYPE_CHECKING:
    from incidents.domain.incident.incident import Incident
    from incidents.domain.incident.parts import Opening
    from incidents.domain.postmortem.postmortem import Postmortem

NUMBER = SearchAttributeKey.for_int("IncidentNumber")
SEVERITY = SearchAttributeKey.for_keyword("IncidentSeverity")
STATUS = SearchAttributeKey.for_keyword("IncidentStatus")
SERVICE = SearchAttributeKey.for_keyword("IncidentService")
COMMANDER = SearchAttributeKey.for_keyword("IncidentCommander")
ACK_SECONDS = SearchAttributeKey.for_int("IncidentAckSeconds")
RESOLVE_SECONDS = SearchAttributeKey.for_int("IncidentResolveSeconds")
DRILL = SearchAttributeKey.for_bool("IncidentDrill")
BAD_RELEASES = SearchAttributeKey.for_keyword_list("IncidentBadReleases")
"""Releases that later incidents must not roll back to (activities/past.py reads them)."""

POSTMORTEM = SearchAttributeKey.for_keyword("IncidentPostmortem")
"""Where the post-mortem stands; `overdue` is the breach of its deadline."""
POSTMORTEM_DUE = SearchAttributeKey.for_datetime("IncidentPostmortemDue")

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
    POSTMORTEM,
    POSTMORTEM_DUE,
)

_LONGEST = 200
"""Characters of a value: one over 2,048 bytes would fail the workflow."""


Values = dict[str, str | int | bool | datetime | list[str]]
"""Attribute name to value."""


def at_start(opening: Opening) -> TypedSearchAttributes:
    """Return what is known when the incident is started: free of charge then."""
    from incidents.domain.incident.parts import Status

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
    return {key.name: list(value) if key == BAD_RELEASES else value for key, value in held}


def changes(old: Values, new: Values) -> list[SearchAttributeUpdate[Any]]:
    """Return the updates that lead from the old values to the new ones."""
    fresh = [key for key in SEARCH_ATTRIBUTES if key.name in new and new[key.name] != old.get(key.name)]
    gone = [key for key in SEARCH_ATTRIBUTES if key.name in old and key.name not in new]
    return [*(key.value_set(new[key.name]) for key in fresh), *(key.value_unset() for key in gone)]


def values(incident: Incident) -> Values:
    """Return the attributes' values as the incident stands; what is not known yet is left out."""
    from incidents.domain.rollback.events import bad_releases

    found: dict[str, str | int | bool | list[str] | None] = {
        NUMBER.name: incident.number,
        SEVERITY.name: str(incident.severity),
        STATUS.name: str(incident.status),
        SERVICE.name: incident.service[:_LONGEST],
        COMMANDER.name: incident.commander[:_LONGEST] or None,
        DRILL.name: incident.drill,
        BAD_RELEASES.name: [version[:_LONGEST] for version in bad_releases(incident)] or None,
    }
    if incident.acknowledged_at is not None:
        found[ACK_SECONDS.name] = int((incident.acknowledged_at - incident.started_at).total_seconds())
    if incident.resolved_at is not None:
        found[RESOLVE_SECONDS.name] = int((incident.resolved_at - incident.started_at).total_seconds())
    return {name: value for name, value in found.items() if value is not None}
