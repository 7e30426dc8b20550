"""Preserves evidence: all sources in parallel, then the manifest of the results."""

import asyncio
from datetime import timedelta

from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as ActivityTimeout

from incidents.domain.activity_results import EvidencePreserved
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import TimelineHead
from incidents.domain.core.vendor_failure import EVIDENCE_STORES
from incidents.domain.evidence.manifest import Item, Part, Scope
from incidents.domain.rollback.activity_requests import CaptureEvidence, WriteManifest
from incidents.domain.rollback.config import Rollback
from incidents.priority import FIRST_RANK
from workflows.activity_failures import is_vendor, why
from workflows.activity_options import capture, perform
from workflows.obligation_loop import force_history_event

_MANIFEST_RETRY_FOR = timedelta(seconds=30)


async def preserve(
    key: str,
    incident: str,
    folder: str,
    phase: str,
    items: tuple[Item, ...],
    scope: Scope,
    rules: Rollback,
    budget: timedelta,
    *,
    written: tuple[Part, ...] = (),
    timeline: TimelineHead | None = None,
) -> tuple[EvidencePreserved, str]:
    """Write every item, each within `budget`, and the manifest. What fails is a gap in the manifest and stops nothing.

    Return also why the evidence store could not take all of it; "" if it could.

    `written`: what was written before, and is only listed. `timeline`: the head that the manifest keeps. Never fails:
    if even the manifest cannot be written, the outcome says so.
    """
    captures = tuple(
        CaptureEvidence(key=f"{key}/{item.name}", folder=folder, item=item, scope=scope, rules=rules) for item in items
    )
    parts, unsaved = await _capture_all(captures, budget)
    manifest = WriteManifest(
        key=f"{key}/manifest",
        folder=folder,
        incident=incident,
        phase=phase,
        parts=(*parts, *written),
        timeline=timeline,
    )
    preserved, unwritten = await _write_manifest(manifest)
    return preserved, unwritten or unsaved


async def _capture_all(captures: tuple[CaptureEvidence, ...], budget: timedelta) -> tuple[tuple[Part, ...], str]:
    """Return a part or a gap for each, and the first reason for which the evidence store could not take one."""
    captured = await asyncio.gather(*(_capture_or_gap(effect, budget, len(captures)) for effect in captures))
    return tuple(part for part, _ in captured), next((reason for _, reason in captured if reason), "")


async def _write_manifest(manifest: WriteManifest) -> tuple[EvidencePreserved, str]:
    """Write the manifest; return also why it could not be written, or ""."""
    try:
        preserved = await perform(manifest, "Write the manifest of the evidence", FIRST_RANK, _MANIFEST_RETRY_FOR)
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return EvidencePreserved(detail=f"no manifest could be written: {why(error)}"), why(error)
    return preserved, ""


async def _capture_or_gap(effect: CaptureEvidence, budget: timedelta, count: int) -> tuple[Part, str]:
    """Capture one of `count` items; what fails is a gap, with the reason if it was the evidence store that failed."""
    unsaved = ""
    try:
        part = await capture(effect, f"Preserve {effect.item.name}", budget)
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        part = gap(effect.item, effect.scope, gap_reason(error, budget))
        unsaved = why(error) if is_vendor(error, EVIDENCE_STORES) else ""
    force_history_event(count)  # the others go on: this task may command nothing else
    return part, unsaved


def gap_reason(error: ActivityError, budget: timedelta) -> str:
    """Return why a source left a gap: what it last answered, or that no worker finished an attempt.

    Of the latter Temporal says that it timed out, as if the source were slow.
    """
    if isinstance(error.cause, ActivityTimeout) and error.cause.cause is None:
        return f"not read within {in_words(budget)} (no worker finished an attempt)"
    return why(error)


def gap(item: Item, scope: Scope, reason: str) -> Part:
    """Return the gap that a source leaves."""
    return Part(name=item.name, source=item.source, query=item.query, since=scope.since, until=scope.until, gap=reason)
