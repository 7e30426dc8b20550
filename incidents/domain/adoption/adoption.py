"""Another runbook for a running incident: what it must have, what changes, and what was promised before."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from incidents.cutting import cut
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import Entry, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.steps import update_steps
from incidents.domain.incident.visibility import require_access

REPLACED = "Runbook replaced:"
"""What the timeline entry of an adoption begins with."""
_SHOWN = 5
"""Changes that the timeline names; of the others it says how many they are."""


class AdoptRunbook(Command):
    """Move the incident to that runbook. Contacts' addresses are not written with it."""

    name = "adopt_runbook"
    help_text = "Move a running incident to another runbook. What is done stays done; the new policy applies from now."
    runbook: RunbookConfig


def adopt(incident: Incident, command: AdoptRunbook, old: RunbookConfig, at: datetime) -> Incident:
    """Return the incident under the command's runbook; the timeline says what changes.

    What is fulfilled keeps its key, so that nothing is sent twice. The next status update comes when customers were
    promised it; the new cadence counts from there.

    Raises:
        CommandRejected: the incident is closed, or the new runbook lacks something of it.
        PrivateIncident: its sender may not see the incident.
        AlreadyDone: it has this runbook.
    """
    require_access(incident, command, old)
    new = command.runbook
    if incident.closed:
        raise CommandRejected(f"{incident.name} is closed. A new incident starts with the new runbook.")
    if new == old:
        raise AlreadyDone(f"{incident.name} has this runbook.")
    if lack := next(_lacks(incident, old, new, at), ""):
        raise CommandRejected(f"{lack} Nothing was changed.")
    kept = ". The post-mortem keeps the runbook that it was started with" if incident.postmortem.handed_over else ""
    text = f"{entry_text(old, new)}{kept}"
    incident = incident.logged(at, command.by, Kind.STATUS, text, announce=True)
    return update_steps(_keep_promise(incident, new, at), new, at)


def entry_text(old: RunbookConfig, new: RunbookConfig) -> str:
    """Return what the timeline entry of an adoption begins with."""
    return f"{REPLACED} {changes_in_words(old, new)}"


def adoptions_of(incident: Incident) -> tuple[Entry, ...]:
    """Return the timeline entries of the adoptions."""
    return tuple(entry for entry in incident.timeline if entry.text.startswith(REPLACED))


def _lacks(incident: Incident, old: RunbookConfig, new: RunbookConfig, at: datetime) -> Iterator[str]:
    """Yield what keeps the incident from being moved, in a sentence each."""
    used = dict.fromkeys((incident.severity, incident.highest_severity, *(e.severity for e in incident.episodes)))
    for severity in used:
        if severity not in new.severities:
            yield f"The new runbook lacks severity {severity}, which this incident has or had."
    if _lists(incident.service, old) and not _lists(incident.service, new):
        yield f"The new runbook lacks service {one_line(incident.service, 100)}."
    for contact in dict.fromkeys(call.contact for call in incident.paging.calls):
        if contact not in new.contacts:
            yield f"The new runbook lacks contact {one_line(contact, 100)}, who was called for this incident."
    if any(state.status.under_way for state in incident.rollback.clusters):
        yield "A rollback is under way. Try again when it has ended."
    clusters = {region.cluster for region in new.regions}
    for state in incident.rollback.clusters:
        if state.offer.cluster not in clusters:
            yield f"The new runbook lacks cluster {state.offer.cluster}, of this incident's rollback."
    if (promised := _promised(incident, at)) is not None and new.policy(incident.severity).updates.every is None:
        yield f"The new runbook has no updates for {incident.severity}, and one is promised at {promised:%H:%M} UTC."


def _lists(service: str, runbook: RunbookConfig) -> bool:
    return any(listed.name == service for listed in runbook.services)


def _promised(incident: Incident, at: datetime) -> datetime | None:
    """Return when customers were promised the next update; None if they were not, or if that time is past."""
    promised = incident.updates.published[-1].next_at if incident.updates.published else None
    return promised if promised is not None and promised > at and not incident.over else None


def _keep_promise(incident: Incident, new: RunbookConfig, at: datetime) -> Incident:
    """Move the anchor of the cadence, so that the next update is due when it was promised."""
    promised, every = _promised(incident, at), new.policy(incident.severity).updates.every
    if promised is None or every is None or incident.updates.anchor is None:
        return incident
    return incident.replace(updates=incident.updates.replace(anchor=promised - every))


def changes_in_words(old: RunbookConfig, new: RunbookConfig) -> str:
    """Return what differs, such as `severities.P0.updates.every 30m → 1h`; the first few, and how many more."""
    found = list(_changes(old.model_dump(), new.model_dump(), ""))
    rest = len(found) - _SHOWN
    shown = "; ".join(found[:_SHOWN]) or "people's addresses only"
    return f"{shown}; and {rest} more" if rest > 0 else shown


def _changes(old: Any, new: Any, place: str) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _changes(old.get(key), new.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for index, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from _changes(was, now, f"{place}.{index}")
    else:
        yield f"{place} {_value(old)} → {_value(new)}"


def _value(value: Any) -> str:
    if isinstance(value, timedelta):
        return in_words(value)
    if isinstance(value, list | tuple | Mapping):
        return f"{len(value)} entries" if value else "none"
    return "none" if value is None else cut(one_line(str(value), 60), 60) or '""'
