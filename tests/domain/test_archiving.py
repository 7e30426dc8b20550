"""What moves to the archive is owed by nobody: the agenda is the same before and after, now and later."""

import json
import os
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import ActivityResult
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.archiving import Limits, apply_chunk, archiving_failed, next_chunk
from incidents.domain.chat.channel import channel_key
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.severity import Severity
from incidents.domain.core.timeline import Entry, Kind
from incidents.domain.evidence.archive import ChunkMissing, archived_entries, faults
from incidents.domain.evidence.state import EvidenceState
from incidents.domain.incident import commands as c
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.display.summary import digest_text, topic_text
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind
from incidents.domain.reporting.record import record_of
from incidents.domain.updates.publishing import superseded, used_channels
from tests.domain.test_properties import PAUSE, STEP, Step
from tests.support.incidents import RUNBOOK, T0, at, firing, fulfil, keys, opened, settled
from tests.support.thoroughness import by_thoroughness

EAGER = Limits(window=0, most=1, least=0)
"""Move everything that can move."""


class Store:
    """An evidence store in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise ChunkMissing("there is no such file")
        return self.files[path]

    def archived(self, incident: Incident, limits: Limits = EAGER) -> Incident:
        """Move what can move."""
        chunk = next_chunk(incident, limits)
        if chunk is None:
            return incident
        ref = chunk.ref("INC-1", incident.timeline[-1].at)
        self.files[ref.path] = chunk.text.encode()
        return apply_chunk(incident, chunk, ref)


def whole(incident: Incident, store: Store) -> tuple[Entry, ...]:
    return (*archived_entries(incident.evidence.archive, store.read), *incident.timeline)


def derived(incident: Incident) -> object:
    """Whatever rules derive from an incident."""
    record = record_of(incident, RUNBOOK) if incident.number is not None else None
    places = tuple(RUNBOOK.policy(incident.severity).updates.channels)
    texts = (topic_text(incident), digest_text(incident), incident.steps, incident.resources)
    return agenda(incident, RUNBOOK), record, used_channels(incident), superseded(incident, places), texts


def has_channel(incident: Incident) -> bool:
    """Whether there is a channel, or will be: for what is owed without one, see the test of that rule."""
    return incident.standing(channel_key(incident)) not in (StepStatus.FAILED, StepStatus.SKIPPED)


# --- the property -----------------------------------------------------------------------------------------------------


@settings(max_examples=by_thoroughness(25, 60), deadline=None)
@given(st.sampled_from(RUNBOOK.severity_names), st.lists(st.tuples(PAUSE, STEP, st.booleans()), max_size=25))
def test_whatever_moves_the_agenda_is_the_same_now_and_later(
    severity: Severity, steps: list[tuple[timedelta, Step, bool]]
) -> None:
    """Two incidents live through the same; only one of them is archived, as often as possible."""
    now, store = T0, Store()
    plain = settled(opened(severity), now)
    slim = plain
    for pause, step, moves in steps:
        now += pause
        plain, slim = step(plain, now), step(slim, now)
        if moves and has_channel(slim):
            slim = store.archived(slim)
        assert derived(slim) == derived(plain)
        assert whole(slim, store) == plain.timeline
    assert not faults(slim.evidence.archive, store.read, right_store=True)
    assert set(slim.ledger.keys) <= set(plain.ledger.keys)


def stormy(hours: int, *, moves: bool = True) -> tuple[Incident, Store]:
    """A P0 of some hours with an alert that comes and goes, archived every two hours unless nothing `moves`."""
    store, incident = Store(), settled(opened(), T0)
    incident = apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1))
    for minute in range(30, hours * 60, 30):
        for step in (_fires_and_ends, settled, _speaks):
            incident = step(incident, at(minute))
        if moves and minute % 120 == 0:
            incident = store.archived(incident, SMALL)
    return incident, store


SMALL = Limits(window=4_000, most=10, least=2_000)


def _fires_and_ends(incident: Incident, when: datetime) -> Incident:
    incident = facts.alert_fired(incident, (firing("Flapping", when),), RUNBOOK, when)
    return facts.alert_resolved(incident, (firing("Flapping", when).replace(ended_at=when),), RUNBOOK, when)


def _speaks(incident: Incident, when: datetime) -> Incident:
    """Somebody says something, so that on-call is not paged anew."""
    return apply_command(incident, c.AddNote(by="ann", text="still looking"), RUNBOOK, when)


def test_the_state_stays_small_and_the_timeline_complete() -> None:
    (plain, _), (slim, store) = stormy(12, moves=False), stormy(12)
    assert derived(slim) == derived(plain)
    assert whole(slim, store) == plain.timeline
    assert len(store.files) == len(slim.evidence.archive.chunks) >= 5
    assert plain.updates.count == slim.updates.count > 22
    assert len(slim.updates.published) < 10


def test_the_state_of_a_long_incident_is_no_larger_than_that_of_a_short_one() -> None:
    """But for a line for each chunk: what recurs leaves nothing behind."""
    short, long = stormy(10)[0], stormy(30)[0]
    sizes = [len(incident.replace(evidence=EvidenceState()).model_dump_json()) for incident in (short, long)]
    assert abs(sizes[1] - sizes[0]) < 1_000
    assert len(long.ledger.keys) < len(short.ledger.keys) + 10
    assert long.paging.repage_count > 50, "on-call was paged anew every half hour"
    recurring = ("page", "page-ack", "page-resolve", "silence", "quiet", "listen", "topic", "summary", "digest")
    for kind in (*recurring, "alerts-check", "left-open"):
        assert sum(key.startswith(f"{kind}/") for key in long.ledger.keys) <= 15, kind
    assert len(long.paging.open_pages) <= 15


def test_79_and_102_a_p0_of_weeks_stays_below_half_a_megabyte() -> None:
    """An update each 30 minutes, and alerts that come and go; at each seam what a run of 500 events has left behind.

    One day in `make test`; `make long` lets 60 days pass with 10,000 alert signals.
    """
    store, incident, largest = Store(), settled(opened(), T0), 0
    incident = apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1))
    for step in range(1, HOURS * 2):
        for number in range(SIGNALS * step // (HOURS * 2), SIGNALS * (step + 1) // (HOURS * 2)):
            incident = _signal(incident, number, at(step * 30))
        incident = settled(incident, at(step * 30))
        if step % 12 == 0:
            largest = max(largest, len(incident.model_dump_json()))
            incident = store.archived(incident, Limits())
    entries = whole(incident, store)
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert largest < 500_000
    assert store.files
    assert not faults(incident.evidence.archive, store.read, right_store=True)
    print(
        f"{HOURS} hours, {SIGNALS} signals: {incident.updates.count} updates, {len(entries)} entries,"
        f" {len(store.files)} chunks, largest state {largest} bytes, last {len(incident.model_dump_json())} bytes"
    )


HOURS, SIGNALS = int(os.environ.get("HOURS", "24")), int(os.environ.get("SIGNALS", "400"))


def _signal(incident: Incident, number: int, when: datetime) -> Incident:
    alert = firing(f"Alert{number % 20}", when)
    if number // 20 % 5 == 4:
        return facts.alert_resolved(incident, (alert.replace(ended_at=when),), RUNBOOK, when)
    return facts.alert_fired(incident, (alert,), RUNBOOK, when)


# --- each rule --------------------------------------------------------------------------------------------------------


def noted(incident: Incident, count: int, *, announce: bool = False) -> Incident:
    for number in range(count):
        incident = incident.logged(at(1), "ann", Kind.NOTE, f"note {number}", announce=announce)
    return incident


def test_an_entry_that_is_still_to_be_posted_stays_with_all_after_it() -> None:
    store = Store()
    incident = noted(settled(opened(), T0), 3, announce=True)
    waiting = next(key for key in keys(incident) if key.startswith("notice/"))
    slim = store.archived(noted(incident, 5))
    assert slim.timeline[0].sequence == int(waiting.split("/")[1])
    assert keys(slim) == keys(noted(incident, 5))
    assert store.archived(settled(slim, at(2))).timeline[0].sequence > slim.timeline[0].sequence


def test_without_a_channel_nothing_waits_to_be_posted() -> None:
    """Slack is not configured, or its channel could not be opened: the state stays small all the same."""
    incident = opened()
    for _ in range(20):
        due = [o for o in agenda(incident, RUNBOOK) if o.due <= T0]
        if not due:
            break
        off = due[0].kind is ObligationKind.CHANNEL
        skipped = ActivityResult(skipped="Slack is not configured")
        incident = outcomes.fulfilled(incident, due[0], skipped, RUNBOOK, T0) if off else fulfil(incident, due[0], T0)
    slim = Store().archived(noted(incident, 50, announce=True))
    assert len(slim.timeline) == 1
    assert keys(slim) == keys(noted(incident, 50, announce=True))


def test_nothing_moves_before_the_incident_has_its_number_or_for_a_few_lines() -> None:
    assert next_chunk(noted(opened(), 500)) is None
    assert next_chunk(noted(settled(opened(), T0), 100)) is None
    assert next_chunk(noted(settled(opened(), T0), 1000)) is not None


def test_the_newest_entries_stay_also_if_they_are_long() -> None:
    incident = settled(opened(), T0)
    for _ in range(200):
        incident = incident.logged(at(1), "ann", Kind.NOTE, "x" * 4000)
    left = Store().archived(incident, Limits(largest=10_000_000))
    assert 0 < len(left.timeline) <= 12, "50 kB of entries"
    assert len(Store().archived(noted(incident, 300), Limits(largest=10_000_000)).timeline) == 100


def test_a_chunk_is_never_larger_than_a_payload_takes() -> None:
    incident = settled(opened(), T0)
    for _ in range(400):
        incident = incident.logged(at(1), "ann", Kind.NOTE, "x" * 4000)
    store, before = Store(), incident
    while next_chunk(incident) is not None:
        incident = store.archived(incident, Limits())
    assert len(store.files) > 3
    assert max(len(data) for data in store.files.values()) < 600_000
    assert whole(incident, store) == before.timeline


def test_sizes_are_bytes_also_of_text_that_is_not_ascii() -> None:
    """A character of Japanese takes three bytes."""
    incident = settled(opened(), T0)
    for _ in range(400):
        incident = incident.logged(at(1), "ann", Kind.NOTE, "障害" * 1000)
    store = Store()
    for _ in range(3):
        incident = store.archived(incident, Limits())
    assert max(len(data) for data in store.files.values()) < 600_000
    left = Store().archived(incident, Limits(largest=10_000_000))
    assert 0 < len(left.timeline) <= 8, "50 kB of entries"
    few = settled(opened(), T0).replace(timeline=incident.timeline[-5:])
    assert next_chunk(few, Limits(window=0, most=1, least=20_000))


def test_46_a_view_older_than_an_archived_change_is_stale() -> None:
    incident = apply_command(settled(opened(), T0), c.Acknowledge(by="ann"), RUNBOOK, at(1))
    turn = next(entry.sequence for entry in incident.timeline if entry.kind is Kind.ACKNOWLEDGED)
    slim = Store().archived(noted(settled(incident, at(1)), 30))
    assert slim.timeline[0].sequence > turn
    with pytest.raises(CommandRejected, match="has changed"):
        apply_command(slim, c.Escalate(by="bob", revision=turn - 1), RUNBOOK, at(2))


def test_a_chunk_of_which_something_is_needed_again_is_not_taken_out() -> None:
    """While the chunk was written, a responder had a failed notice tried again."""
    incident = noted(settled(opened(), T0), 1, announce=True)
    notice = next(o for o in agenda(incident, RUNBOOK) if o.key.startswith("notice/"))
    incident = noted(outcomes.failed(incident, notice, "Slack is down", RUNBOOK, at(1)), 20)
    chunk = next_chunk(settled(incident, at(1)), EAGER)
    assert chunk is not None
    assert notice.key in chunk.keys
    retried = apply_command(
        settled(incident, at(1)), c.SettleStep(by="ann", step=notice.key, how="retry"), RUNBOOK, at(2)
    )
    assert apply_chunk(retried, chunk, chunk.ref("INC-1", at(2))) is retried
    assert notice.key in keys(retried)


def test_what_happens_while_a_chunk_is_written_is_kept() -> None:
    incident = noted(settled(opened(), T0), 20)
    chunk = next_chunk(incident, EAGER)
    assert chunk is not None
    slim = apply_chunk(noted(incident, 2), chunk, chunk.ref("INC-1", at(2)))
    assert [entry.text for entry in slim.timeline[-2:]] == ["note 0", "note 1"]
    assert slim.timeline[-1].sequence == len(incident.timeline) + 2
    assert apply_chunk(slim, chunk, chunk.ref("INC-1", at(2))) is slim, "a second report changes nothing"


def test_a_store_that_is_away_is_told_once_and_loses_nothing() -> None:
    incident = noted(settled(opened(), T0), 20)
    away = archiving_failed(archiving_failed(incident, "io", at(1)), "still io", at(2))
    assert away.evidence.archive.problem == "still io"
    assert away.timeline[: len(incident.timeline)] == incident.timeline
    assert [entry.text for entry in away.timeline[len(incident.timeline) :]] == [
        "Older entries could not be moved to the evidence store: io. Nothing is lost; they stay here"
    ]
    assert Store().archived(away).evidence.archive.problem == ""


# --- the running hash -------------------------------------------------------------------------------------------------


def chunks(count: int) -> tuple[Incident, Store]:
    store, incident = Store(), settled(opened(), T0)
    for _ in range(count):
        incident = store.archived(noted(incident, 20))
    return incident, store


def test_a_missing_chunk_is_said_in_one_line_in_its_place() -> None:
    incident, store = chunks(3)
    lost = incident.evidence.archive.chunks[1]
    del store.files[lost.path]
    entries = whole(incident, store)
    [gap] = [entry for entry in entries if "cannot be read" in entry.text]
    assert gap.text.startswith(
        f"Entries {lost.first} to {lost.last} cannot be read from the evidence store: {lost.path}"
    )
    numbers = [entry.sequence for entry in entries]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == incident.timeline[-1].sequence - (lost.last - lost.first)
    assert faults(incident.evidence.archive, store.read, right_store=True) == [f"{lost.path}: there is no such file"]


def test_a_changed_or_foreign_chunk_shows() -> None:
    incident, store = chunks(3)
    first, second, third = incident.evidence.archive.chunks
    store.files[first.path] = store.files[first.path].replace(b"note 3", b"note 4")
    [said] = faults(incident.evidence.archive, store.read, right_store=True)
    assert said.startswith(first.path)
    assert "changed" in said
    archive = incident.evidence.archive
    assert faults(archive.replace(chunks=(second, third)), store.read, right_store=True)[0].startswith(second.path), (
        "a gap shows"
    )


def test_a_chunk_is_json_lines_and_the_same_contents_have_the_same_name() -> None:
    incident = noted(settled(opened(), T0), 20).logged(at(1), "ann", Kind.NOTE, "a\u2028b \x85 c\nd")
    chunk = next_chunk(noted(incident, 3), EAGER)
    assert chunk is not None
    rows = [json.loads(line) for line in chunk.text.removesuffix("\n").split("\n")]
    assert rows[0] == {"incident": "INC-1", "number": 1, "previous": "", "first": 1}
    assert chunk.ref("INC-1", T0) == chunk.ref("INC-1", T0)
    store = Store()
    slim = store.archived(noted(incident, 3))
    assert whole(slim, store) == noted(incident, 3).timeline
    assert list(store.files) == [slim.evidence.archive.chunks[0].path]
    assert slim.evidence.archive.chunks[0].path.startswith("INC-1/archive/0001-")
