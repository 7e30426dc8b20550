"""The incident's own record, as it travels in the request that keeps it."""

import json

from pydantic_core import to_json

from incidents.domain.archiving import Limits, apply_chunk, next_chunk
from incidents.domain.core.timeline import Kind
from incidents.domain.evidence.archive import ChunkRef
from incidents.domain.evidence.manifest import EvidenceSource
from incidents.domain.evidence.preservation import (
    LARGEST_TEXT,
    archived_parts,
    record_text,
    resolution_items,
    timeline_text,
    with_archived,
)
from incidents.domain.incident.incident import Incident
from tests.support.incidents import RUNBOOK, T0, at, opened, settled

GAP = "entries are left out here: the timeline is too large to keep in one file"


def noted(count: int, text: str) -> Incident:
    """An incident with so many notes, the first of which is numbered 0."""
    incident = settled(opened(), at(1))
    for number in range(count):
        incident = incident.logged(at(2), "ann", Kind.NOTE, f"note {number}: {text}")
    return incident


def size(text: str) -> int:
    """Its bytes in a request."""
    return len(to_json(text))


def test_a_record_travels_whole_with_its_request() -> None:
    incident = noted(3, 'a "quoted" word\nand a second line')
    record, timeline = resolution_items(incident, RUNBOOK)[:2]
    assert (record.name, timeline.name) == ("resolution-1/record.json", "resolution-1/timeline.txt")
    assert {record.source, timeline.source} == {EvidenceSource.RUNBOOK}, "nobody is asked for it"
    assert Incident.model_validate_json(record.text) == incident
    assert timeline.text == timeline_text(incident)
    assert timeline.text.count("[note] note ") == 3
    assert GAP not in record.text + timeline.text


def test_a_timeline_that_is_too_large_keeps_both_ends_and_says_what_is_missing() -> None:
    incident = noted(900, '"x" ' * 400)
    whole = incident.model_dump_json(indent=1)
    assert size(whole) > LARGEST_TEXT
    record = Incident.model_validate_json(record_text(incident))
    assert LARGEST_TEXT * 0.9 < size(record_text(incident)) <= LARGEST_TEXT
    [gap] = [entry for entry in record.timeline if entry.text.endswith(GAP)]
    left_out = int(gap.text.split()[0])
    assert len(record.timeline) - 1 + left_out == len(incident.timeline)
    where = record.timeline.index(gap)
    assert record.timeline[:where] == incident.timeline[:where]
    assert record.timeline[where + 1 :] == incident.timeline[where + left_out :]
    assert 0 < where < len(record.timeline) - 1
    assert record.replace(timeline=()) == incident.replace(timeline=()), "nothing else is left out"


def test_the_timeline_as_text_is_cut_in_the_same_way() -> None:
    incident = noted(200, "x" * 100)
    whole = timeline_text(incident)
    cut = timeline_text(incident, 10_000)
    assert 8_000 < size(cut) <= 10_000
    head, _, tail = cut.partition(GAP)
    before, _, count = head.rpartition("\n")
    assert whole.startswith(before)
    assert whole.endswith(tail)
    assert len(cut.splitlines()) - 1 + int(count) == len(incident.timeline)


def test_a_record_that_is_too_large_without_its_timeline_says_so() -> None:
    text = record_text(noted(10, "x"), 2_000)
    assert size(text) <= 2_000
    assert json.loads(text) == {"gap": "the record of INC-1 is larger than 2000 bytes"}


def test_what_is_in_the_archive_is_part_of_the_evidence() -> None:
    incident = noted(40, "x")
    chunk = next_chunk(incident, Limits(window=0, most=1, least=0))
    assert chunk is not None
    ref = chunk.ref("INC-1", at(2))
    slim = apply_chunk(incident, chunk, ref)
    first = timeline_text(slim).splitlines()[0]
    assert first.endswith(f"Entries 1 to {ref.last} are in {ref.path}")
    assert len(timeline_text(slim).splitlines()) == 1 + len(slim.timeline)
    [part] = archived_parts(slim)
    assert (f"INC-1/{part.name}", part.sha256, part.bytes) == (ref.path, ref.sha256, len(chunk.text.encode()))
    assert with_archived(slim, lambda path: chunk.text.encode()).timeline == incident.timeline


def test_a_chunk_without_entries_is_no_range_in_the_timeline() -> None:
    empty = ChunkRef(number=1, path="p", bytes=1, sha256="s", first=120, last=119, until=T0, chain="c")
    full = empty.replace(number=2, path="q", last=150)
    incident = opened()
    archive = incident.evidence.archive.replace(chunks=(empty, full))
    text = timeline_text(incident.replace(evidence=incident.evidence.replace(archive=archive)))
    assert "Entries 120 to 150 are in q" in text
    assert "119" not in text
