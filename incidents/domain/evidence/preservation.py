"""The evidence of one incident: where it goes, what it is about, and what is kept when it is over."""

from bisect import bisect
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate

from pydantic_core import to_json

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import SYSTEM, Entry, Kind
from incidents.domain.evidence.archive import Fetch, archived_entries
from incidents.domain.evidence.manifest import (
    EvidenceSource,
    Item,
    Part,
    Scope,
    items,
    scope,
)
from incidents.domain.incident.incident import Incident

LARGEST_TEXT = 1_000_000
"""Bytes of one file of the incident's own record, as it travels in a request. Temporal takes 2 MB in one payload."""
_GAP_ROOM = 1_000
"""Bytes for the words that state a gap."""


def evidence_folder(incident: Incident) -> str:
    """Return the folder of the incident's evidence, below the evidence URL."""
    return f"INC-{incident.number}" if incident.number is not None else f"run-{incident.first_run_id}"


def incident_scope(incident: Incident, runbook: RunbookConfig, until: datetime) -> Scope:
    """Return what the evidence of the incident is about, until then."""
    regions, channel = runbook.regions_of(incident.service), incident.resources.channel_id or ""
    asked, rules = runbook.investigation, runbook.evidence
    about = scope(incident.service, asked, regions, rules, incident.started_at, until, channel)
    return about.replace(former_channels=incident.chat.former_channels)


def with_archived(incident: Incident, fetch: Fetch) -> Incident:
    """Return the incident with its whole timeline: the archived entries, and those that it carries."""
    return incident.replace(timeline=(*archived_entries(incident.evidence.archive, fetch), *incident.timeline))


def archived_parts(incident: Incident) -> tuple[Part, ...]:
    """Return the chunks of the archive as parts of a manifest: they are evidence that was written before."""
    return tuple(
        Part(
            name=ref.path.removeprefix(f"{evidence_folder(incident)}/"),
            source=EvidenceSource.RUNBOOK,
            query="",
            since=incident.started_at,
            until=ref.until,
            bytes=ref.bytes,
            sha256=ref.sha256,
        )
        for ref in incident.evidence.archive.chunks
    )


def resolution_phase(incident: Incident) -> str:
    """Return what the evidence of a resolution is filed under: another one for each reopening."""
    return f"resolution-{incident.paging.repage_count + 1}"


def resolution_items(incident: Incident, runbook: RunbookConfig) -> tuple[Item, ...]:
    """Return what is kept when the incident is over: its record, its timeline, and what every source tells.

    The record and the timeline travel as text in the request: an activity that queried its own incident could make
    the incident's history impossible to replay.
    """
    phase, regions = resolution_phase(incident), runbook.regions_of(incident.service)
    own = {"record.json": record_text(incident), "timeline.txt": timeline_text(incident)}
    return items(own, regions, runbook.investigation.preserved, phase)


def record_text(incident: Incident, largest: int = LARGEST_TEXT) -> str:
    """Return the incident as JSON. If it is too large, an entry in the middle of its timeline says what is left out.

    `largest`: bytes that the text may take in a request.
    """
    text = incident.model_dump_json(indent=1)
    if _size(text) <= largest:
        return text
    room = largest - _size(incident.replace(timeline=()).model_dump_json(indent=1)) - _GAP_ROOM
    if room < 0:
        return to_json({"gap": f"the record of {incident.name} is larger than {largest} bytes"}).decode()
    entries = incident.timeline
    # An indent of 3 is more than an entry has within the record: the estimate errs to the safe side.
    first, last = _both_ends([_size(entry.model_dump_json(indent=3)) for entry in entries], room)
    kept = (*entries[:first], _gap_entry(entries[first : len(entries) - last]), *entries[len(entries) - last :])
    return incident.replace(timeline=kept).model_dump_json(indent=1)


def timeline_text(incident: Incident, largest: int = LARGEST_TEXT) -> str:
    """Return the timeline, an entry a line; a line for each archived chunk with entries says where they are.

    If it is too large, a line in its middle says how many are left out. `largest`: bytes that the text may take in a
    request.
    """
    lines = [
        f"{ref.until.isoformat()} {SYSTEM} [{Kind.NOTE}] Entries {ref.first} to {ref.last} are in {ref.path}\n"
        for ref in incident.evidence.archive.chunks
        if ref.has_entries
    ]
    lines += [f"{e.at.isoformat()} {e.actor} [{e.kind}] {e.text}\n" for e in incident.timeline]
    sizes = [_size(line) for line in lines]
    if sum(sizes) <= largest:
        return "".join(lines)
    first, last = _both_ends(sizes, largest - _GAP_ROOM)
    gap = f"{_left_out(len(lines) - first - last)}\n"
    return "".join((*lines[:first], gap, *lines[len(lines) - last :]))


def _gap_entry(left_out: Sequence[Entry]) -> Entry:
    head = left_out[0]
    return Entry(sequence=head.sequence, at=head.at, actor=SYSTEM, kind=Kind.NOTE, text=_left_out(len(left_out)))


def _left_out(count: int) -> str:
    return f"{count} entries are left out here: the timeline is too large to keep in one file"


def _both_ends(sizes: Sequence[int], room: int) -> tuple[int, int]:
    """Return how many of the first and of the last rows fit; each end gets half of the room."""
    half = room // 2
    return bisect(list(accumulate(sizes)), half), bisect(list(accumulate(reversed(sizes))), half)


def _size(text: str) -> int:
    """Return the bytes that a text takes in a request, where JSON escapes its quotes and line ends."""
    return len(to_json(text))
