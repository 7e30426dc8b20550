"""Preserving evidence: every source by itself and side by side, then the manifest of what came of it."""

import asyncio
from datetime import timedelta

from temporalio.exceptions import ActivityError, is_cancelled_exception

from incidents.domain.activity_requests import ActivityResult
from incidents.domain.evidence.manifest import Item, Part, Scope
from incidents.domain.rollback.activity_requests import CaptureEvidence, WriteManifest
from incidents.domain.rollback.config import Rollback
from incidents.priority import FIRST_RANK
from workflows.activity_options import capture, perform, why
from workflows.obligation_loop import force_history_event

_MANIFEST_PATIENCE = timedelta(seconds=30)


async def preserve(
    key: str,
    incident: str,
    folder: str,
    phase: str,
    items: tuple[Item, ...],
    scope: Scope,
    rules: Rollback,
    budget: timedelta,
) -> ActivityResult:
    """Write every item, each within `budget`, and the manifest. What fails is a gap in the manifest and stops nothing.

    Never fails: if even the manifest cannot be written, the outcome says so.
    """

    async def one(item: Item) -> Part:
        effect = CaptureEvidence(key=f"{key}/{item.name}", folder=folder, item=item, scope=scope, rules=rules)
        try:
            part = await capture(effect, f"Preserve {item.name}", budget)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            part = gap(item, scope, why(error))
        force_history_event(len(items))  # the others go on: this task may command nothing else
        return part

    parts = tuple(await asyncio.gather(*(one(item) for item in items)))
    wanted = WriteManifest(key=f"{key}/manifest", folder=folder, incident=incident, phase=phase, parts=parts)
    try:
        return await perform(wanted, "Write the manifest of the evidence", FIRST_RANK, _MANIFEST_PATIENCE)
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return ActivityResult(detail=f"no manifest could be written: {why(error)}")


def gap(item: Item, scope: Scope, reason: str) -> Part:
    """Return the gap that a source leaves."""
    return Part(name=item.name, source=item.source, query=item.query, since=scope.since, until=scope.until, gap=reason)
