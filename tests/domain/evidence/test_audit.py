"""The timeline is a hash chain: whatever is changed, removed, inserted or moved shows, and where."""

import json
from datetime import UTC, timedelta, timezone
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.domain.apply_command import apply_command
from incidents.domain.archiving import Limits, next_chunk
from incidents.domain.build_request import request
from incidents.domain.chat.activity_requests import PostMessage
from incidents.domain.chat.channel import notice_key
from incidents.domain.core.timeline import Entry, Kind, TimelineHead, entry_hash, entry_hashes
from incidents.domain.evidence.archive import ChunkUnreadable
from incidents.domain.evidence.audit import Anchor, Audit, audit_timeline, timeline_head
from incidents.domain.evidence.manifest import manifest, timeline_of
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind, at_once
from tests.domain.test_archiving import Store, stormy
from tests.support.incidents import RUNBOOK, T0, at, opened

ENTRIES = st.builds(
    Entry,
    sequence=st.integers(1, 10_000),
    at=st.datetimes(
        min_value=T0.replace(year=2020, tzinfo=None),
        max_value=T0.replace(year=2040, tzinfo=None),
        timezones=st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=30)))),
    ),
    actor=st.text(max_size=8),
    kind=st.sampled_from(Kind),
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
    announce=st.booleans(),
    mentions=st.lists(st.text(alphabet="ab", max_size=3), max_size=2).map(tuple),
)


def audited(incident: Incident, store: Store, *anchors: TimelineHead) -> Audit:
    known = [Anchor(where="the manifest", head=head) for head in anchors]
    return audit_timeline(incident, store.read, known, right_store=True)


@cache
def life() -> tuple[Incident, Store]:
    """A P0 of eleven hours, of which the older entries are in several chunks."""
    incident, store = stormy(11)
    assert len(store.files) > 2
    assert len(incident.timeline) > 3
    return incident, store


@pytest.fixture
def lived() -> tuple[Incident, Store]:
    return life()


# --- the hash ---------------------------------------------------------------------------------------------------------


@given(ENTRIES, ENTRIES, st.sampled_from(["", "ab"]))
def test_only_an_equal_entry_has_the_same_hash(entry: Entry, other: Entry, previous: str) -> None:
    read_back = Entry.model_validate_json(entry.model_dump_json())
    assert entry_hash(previous, read_back) == entry_hash(previous, entry)
    assert entry_hash(f"{previous}c", entry) != entry_hash(previous, entry)
    assert (entry_hash(previous, other) == entry_hash(previous, entry)) is (other == entry)


def test_a_field_that_is_added_later_leaves_older_hashes_as_they_are() -> None:
    class Later(Entry):
        added: str = ""

    entry = Entry(sequence=1, at=T0, actor="ann", kind=Kind.NOTE, text="“ä”\x00\n")
    later = Later(**entry.model_dump())
    assert entry_hash("", later) == entry_hash("", entry)
    assert entry.canonical == (
        '{"actor":"ann","at":"2026-11-23T14:00:00Z","kind":"note","sequence":1,"text":"\\u201c\\u00e4\\u201d\\u0000\\n"}'
    )


def test_a_changed_order_or_a_left_out_entry_changes_the_head() -> None:
    one, two, three = (Entry(sequence=1, at=T0, actor="ann", kind=Kind.NOTE, text=text) for text in "abc")
    heads = {entry_hashes("", order)[-1] for order in ((one, two, three), (two, one, three), (one, three), (one, two))}
    assert len(heads) == 4


# --- the audit --------------------------------------------------------------------------------------------------------


def test_a_timeline_that_nobody_changed_is_sound(lived: tuple[Incident, Store]) -> None:
    incident, store = lived
    found = audited(incident, store, *(timeline_head(incident, e.sequence) for e in incident.timeline))
    assert found.faults == ()
    assert found.head == timeline_head(incident)
    assert (found.head.entries, found.archived) == (incident.timeline[-1].sequence, incident.evidence.archive.last)


def test_the_head_does_not_depend_on_what_was_archived(lived: tuple[Incident, Store]) -> None:
    plain, _ = stormy(11, moves=False)
    assert timeline_head(plain) == timeline_head(lived[0])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_first_archived_entry_that_was_tampered_with_is_named(data: st.DataObject) -> None:
    (incident, store), kept = life(), Store()
    kept.files = dict(store.files)
    ref = data.draw(st.sampled_from([ref for ref in incident.evidence.archive.chunks if ref.last > ref.first + 1]))
    lines = kept.files[ref.path].decode().splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.startswith('{"entries"')]
    index = data.draw(st.integers(0, len(places) - 2))
    place, first = places[index], ref.first + index
    how = data.draw(st.sampled_from(["change", "drop", "swap", "insert", "break"]))
    match how:
        case "change":
            row = json.loads(lines[place])
            row["entries"]["text"] += "!"
            lines[place] = f"{json.dumps(row)}\n"
        case "drop":
            del lines[place]
        case "swap":
            lines[place], lines[place + 1] = lines[place + 1], lines[place]
        case "insert":
            lines.insert(place, lines[places[index - 1 if index else index + 1]])
        case _:
            lines[place] = "[]\n"
    kept.files[ref.path] = "".join(lines).encode()
    found = audited(incident, kept)
    assert len(found.faults) == 1
    assert found.faults[0].startswith(f"entry {first} "), (how, found.faults)
    assert ref.path in found.faults[0]


def rewritten(incident: Incident, store: Store) -> Store:
    """Return the store with an entry changed and every hash in the file computed anew."""
    ref = incident.evidence.archive.chunks[0]
    rows = [json.loads(line) for line in store.files[ref.path].decode().splitlines()]
    previous = ""
    for row in rows:
        if "entries" in row:
            row["entries"]["actor"] = "mallory"
            previous = row["hash"] = entry_hash(previous, Entry.model_validate(row["entries"]))
    forged = Store()
    forged.files = store.files | {ref.path: "".join(f"{json.dumps(row)}\n" for row in rows).encode()}
    return forged


def test_a_chunk_that_was_rewritten_with_its_hashes_shows(lived: tuple[Incident, Store]) -> None:
    incident, store = lived
    [fault] = audited(incident, rewritten(incident, store), timeline_head(incident)).faults
    first = incident.evidence.archive.chunks[0]
    assert fault == f"entries 1 to {first.last}: {first.path} was rewritten, its hash is not the incident's"


def test_what_is_no_entry_is_covered_by_the_hash_of_the_file(lived: tuple[Incident, Store]) -> None:
    incident, store = lived
    ref, forged = incident.evidence.archive.chunks[0], Store()
    forged.files = store.files | {ref.path: store.files[ref.path] + b'{"fulfilled": "page/1"}\n'}
    assert audited(incident, forged).faults == (f"entries 1 to {ref.last}: {ref.path} was changed",)


def test_a_missing_chunk_is_a_fault_and_an_unreadable_store_is_none(lived: tuple[Incident, Store]) -> None:
    incident, store = lived
    first, *others = incident.evidence.archive.chunks
    some, nothing = Store(), Store()
    some.files = {ref.path: store.files[ref.path] for ref in others}
    assert audited(incident, some).faults == (f"entries 1 to {first.last}: {first.path} is missing",)
    with pytest.raises(ChunkUnreadable, match="nothing of it is there"):
        audit_timeline(incident, nothing.read, (), right_store=False)
    assert len(audited(incident, nothing).faults) == len(incident.evidence.archive.chunks)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_was_done_to_the_entries_at_hand_shows_at_a_head_kept_elsewhere(data: st.DataObject) -> None:
    incident, store = life()
    sequences = [entry.sequence for entry in incident.timeline]
    before, kept = (timeline_head(incident, number) for number in (sequences[0], sequences[-1]))
    index = data.draw(st.integers(1, len(sequences) - 1))
    entries = list(incident.timeline)
    how = data.draw(st.sampled_from(["change", "drop", "swap", "insert", "cut"]))
    match how:
        case "change":
            entries[index] = entries[index].replace(text="nothing happened")
        case "drop":
            del entries[index]
        case "swap":
            entries[index - 1], entries[index] = entries[index], entries[index - 1]
        case "insert":
            entries.insert(index, entries[index].replace(text="I approved it"))
        case _:
            entries = entries[:index]
    faults = audited(incident.replace(timeline=tuple(entries)), store, kept, before).faults
    assert faults, how
    if how == "change":
        assert faults == (f"{span(sequences[1], sequences[-1])}: not what the manifest has ({kept})",)
    if how == "cut":
        assert f"entry {sequences[index]} is missing: the manifest has {sequences[-1]} entries" in faults


def span(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"


def test_the_head_of_what_came_later_does_not_fit_an_older_one(lived: tuple[Incident, Store]) -> None:
    incident, store = lived
    shorter = timeline_head(incident).replace(sha256=timeline_head(incident).sha256[:16])
    assert audited(incident, store, shorter).faults == ()
    assert audited(incident, store, shorter.replace(sha256="0" * 16)).faults != ()


def test_chunks_of_a_version_before_the_chain_are_covered_as_files(lived: tuple[Incident, Store]) -> None:
    """The chain begins after them; a run that is replayed writes the file that it has written."""
    incident, store = lived
    archive = incident.evidence.archive
    old = archive.replace(chunks=tuple(ref.replace(head="") for ref in archive.chunks))
    earlier = incident.replace(evidence=incident.evidence.replace(archive=old))
    assert audited(earlier, store, timeline_head(earlier)).faults == ()
    ref, forged = archive.chunks[0], Store()
    forged.files = store.files | {ref.path: store.files[ref.path].replace(b"looking", b"sleeping")}
    assert audited(earlier, forged).faults == (f"entries 1 to {ref.last}: {ref.path} was changed",)
    assert audited(earlier, store, timeline_head(incident, 5)).faults == ()


def test_a_run_of_a_version_before_the_chain_writes_the_same_file_again() -> None:
    incident, _ = stormy(4, moves=False)
    small = Limits(window=4_000, most=10, least=2_000)
    new, old = next_chunk(incident, small), next_chunk(incident, small, hashed=False)
    assert new is not None
    assert old is not None
    rows = [json.loads(line) for line in old.text.splitlines()]
    assert all(list(row) == ["entries"] for row in rows if "entries" in row)
    assert old.ref("INC-1", T0).head == new.ref("INC-1", T0).head != ""


# --- where the head is kept -------------------------------------------------------------------------------------------


def test_the_last_message_to_the_channel_has_the_head() -> None:
    incident = apply_command(opened(), c.Acknowledge(by="ann"), RUNBOOK, at(1))
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="over"), RUNBOOK, at(9))
    incident = incident.replace(number=1, resources=incident.resources.replace(channel_id="C1"))
    said = next(entry for entry in incident.timeline if entry.kind is Kind.RESOLVED and entry.announce)
    posted = text_of(incident, said)
    assert posted == f"{said.text}\nTimeline head {timeline_head(incident, said.sequence)}"
    later = apply_command(incident, c.AddNote(by="ann", text="wrote the summary"), RUNBOOK, at(11))
    assert text_of(later, said) == posted, "it is of the entry, not of when it is posted"
    other = next(entry for entry in incident.timeline if entry.kind is Kind.ACKNOWLEDGED)
    assert "Timeline head" not in text_of(incident, other)


def text_of(incident: Incident, entry: Entry) -> str:
    key = notice_key(entry.sequence)
    obligation = at_once(ObligationKind.NOTICE, key, entry.at, "Post", sequence=entry.sequence)
    wanted = request(obligation, incident, RUNBOOK, entry.at)
    assert isinstance(wanted, PostMessage)
    return str(wanted.text)


def test_a_manifest_holds_the_head() -> None:
    head = timeline_head(opened())
    assert timeline_of(manifest("INC-1", "resolution-1", (), head)) == head
    assert timeline_of(manifest("INC-1", "before-rollback-1", ())) is None
    assert b"timeline" not in manifest("INC-1", "before-rollback-1", ()), "as older versions wrote it"
