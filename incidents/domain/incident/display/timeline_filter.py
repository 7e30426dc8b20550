"""Parts of a timeline: what people did, what the system did, what customers read."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from incidents.domain.core.timeline import SYSTEM, Entry, Kind
from incidents.domain.updates.state import StatusUpdate


class Part(StrEnum):
    """A part of the timeline. `public` is made of the status updates, not of entries (`public_entries`)."""

    ALL = "all"
    PEOPLE = "people"
    SYSTEM = "system"
    PUBLIC = "public"


def machine_actors(entries: Sequence[Entry]) -> frozenset[str]:
    """Return the actors that are no people: the system, and the sources of alerts."""
    return frozenset({SYSTEM, *(entry.actor for entry in entries if entry.kind is Kind.ALERT)})


def select_entries(
    entries: Sequence[Entry], part: Part, since: datetime | None, machines: frozenset[str]
) -> tuple[Entry, ...]:
    """Return the entries of that part, from that time on (aware UTC; None: all), in their order.

    Args:
        entries: of the timeline; for the public part, those of `public_entries`.
        part: which ones.
        since: the earliest time; None for all.
        machines: `machine_actors` of the whole timeline.
    """
    recent = (entry for entry in entries if since is None or entry.at >= since)
    if part in (Part.ALL, Part.PUBLIC):
        return tuple(recent)
    return tuple(entry for entry in recent if (entry.actor in machines) is (part is Part.SYSTEM))


def public_entries(updates: Sequence[StatusUpdate]) -> tuple[Entry, ...]:
    """Return what customers read as entries: the text of each update that went to a channel of theirs."""
    return tuple(
        Entry(
            sequence=update.sequence,
            at=update.at,
            actor=update.by,
            kind=Kind.UPDATE,
            text=f"Update {update.sequence} ({update.status}; {', '.join(read_on)}): {update.text}",
        )
        for update in updates
        if (read_on := [channel for channel in update.channels if channel.read_by_customers])
    )
