"""The post-mortem's pure parts: the file and back, what is missing, blame, impact, the story, the review's calendar."""

import contextlib
import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from incidents.domain.apply_command import apply_command
from incidents.domain.core.severity import Severity
from incidents.domain.incident.commands import Acknowledge, Cancel, Reopen, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.state import Episode
from incidents.domain.postmortem.config import ReviewRules
from incidents.domain.postmortem.document.blameless import find_blame
from incidents.domain.postmortem.document.markdown import (
    Page,
    Unreadable,
    parse,
    plain,
    render,
)
from incidents.domain.postmortem.document.reconstructed_timeline import reconstruct_timeline, series
from incidents.domain.postmortem.document.sections import (
    ActionItem,
    Cause,
    Document,
    ItemState,
    list_missing,
    merge_edits,
)
from incidents.domain.postmortem.figures.impact import (
    Outage,
    downtime,
    figures,
    outages,
)
from incidents.domain.postmortem.obligations.review import summarize_learning
from incidents.domain.postmortem.postmortem import open_postmortem
from incidents.domain.postmortem.review import invitation, invite, next_meeting
from incidents.domain.reporting.record import postmortem_record, record_of
from tests.support.incidents import RUNBOOK, T0, WRITTEN, at, opened, settled
from tests.support.thoroughness import by_thoroughness

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60)
words = texts.map(lambda text: " ".join(text.split())).filter(bool)
items = st.builds(
    ActionItem,
    id=st.integers(1, 1),
    title=words,
    owner=words,
    due=st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    outcome=words,
    state=st.just(ItemState.OPEN),
)
documents = st.builds(
    Document,
    summary=st.lists(texts, max_size=3).map("\n\n".join),
    cause=st.sampled_from(Cause),
    whys=st.lists(words, max_size=4).map(tuple),
    root_cause=texts,
    well=st.lists(words, max_size=3).map(tuple),
    better=st.lists(words, max_size=3).map(tuple),
    items=st.lists(items, max_size=1).map(tuple),
    no_items_because=texts,
)


def resolved(severity: Severity = "P0", minutes: float = 43) -> Incident:
    """An incident that is over."""
    incident = apply_command(settled(opened(severity), at(1)), Acknowledge(by="ann"), RUNBOOK, at(4))
    return apply_command(incident, Resolve(by="ann", force=True, reason="fixed"), RUNBOOK, at(minutes))


def page(document: Document, incident: Incident | None = None) -> Page:
    incident = incident or resolved()
    return Page(
        incident=incident,
        document=document,
        owner="ann",
        due="tomorrow",
        standing="Draft.",
        impact="Half of Europe.",
        figures=figures(incident, RUNBOOK),
        rows=reconstruct_timeline(incident, {}),
        chart="chart.svg",
        blames=find_blame(document),
    )


@settings(max_examples=by_thoroughness(50, 150), deadline=None)
@given(documents)
def test_what_is_written_is_read_back(document: Document) -> None:
    assert parse(render(page(document)), document) == plain(document)


@settings(max_examples=by_thoroughness(40, 100), deadline=None)
@given(documents, documents, documents)
def test_a_merge_loses_nothing_that_one_side_wrote_alone(ours: Document, base: Document, theirs: Document) -> None:
    assert merge_edits(ours, base, base) == ours, "they changed nothing"
    assert merge_edits(base, base, theirs).replace(items=()) == theirs.replace(items=()), "we changed nothing"
    both = merge_edits(ours, base, theirs)
    for name in ("whys", "well", "better"):
        assert set(getattr(theirs, name)) - set(getattr(base, name)) <= set(getattr(both, name))
        assert set(getattr(ours, name)) - set(getattr(base, name)) <= set(getattr(both, name))


def test_action_items_are_merged_one_by_one() -> None:
    def item(number: int, **changes: Any) -> ActionItem:
        return ActionItem(id=number, title=f"Item {number}", owner="ann").replace(**changes)

    base = Document(items=(item(1), item(2, issue=7)))
    ours = Document(items=(item(1, outcome="CI"), item(2, issue=7, state=ItemState.DONE), item(3, issue=8)))
    theirs = Document(items=(item(1, owner="bob"), item(2, due=date(2027, 1, 1)), item(3, title="Theirs")))
    one, two, three, four = merge_edits(ours, base, theirs).items
    assert (one.owner, one.outcome) == ("bob", "CI")
    assert (two.due, two.issue, two.state) == (date(2027, 1, 1), 7, ItemState.DONE)
    assert (three.title, three.issue) == ("Item 3", 8)
    assert (four.id, four.title, four.issue) == (4, "Theirs", None), "two that were written at once are two"
    text = render(page(base))
    assert parse(text, ours, base).items[1].issue == 7, "an item of ours that its writer could not know is not missed"


def test_the_empty_draft_reads_as_an_empty_document() -> None:
    assert parse(render(page(Document())), Document()) == Document()


def test_people_may_write_as_people_write() -> None:
    text = render(page(WRITTEN)).replace("- The rollback took", "* The rollback\n  took").replace("\n", "\r\n")
    read = parse(text, WRITTEN)
    assert read.well == ("The rollback took three minutes.",)
    added = text.replace(
        "\r\n**No action items", "|  | Test it | bob | 2027-01-15 | CI is green |  |  |\r\n**No action items"
    )
    [item] = parse(added, WRITTEN).items
    assert (item.id, item.title, item.owner, item.due) == (1, "Test it", "bob", date(2027, 1, 15))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("## Summary", "## Sumary", 'The heading "## Summary" is missing.'),
        ("cause:** deployment", "cause:** gremlins", '"gremlins" is not a cause category'),
        ("2027-01-15", "soon", "invalid number or date (use 2026-12-31)"),
        (" | open |", " |", "needs 7 cells but has 6"),
    ],
)
def test_what_cannot_be_read_says_where(old: str, new: str, why: str) -> None:
    item = ActionItem(id=1, title="Test it", owner="bob", due=date(2027, 1, 15), outcome="CI", issue=7, issue_url="u")
    document = WRITTEN.with_item(item)
    text = render(page(document))
    assert old in text
    with pytest.raises(Unreadable, match=re.escape(why)):
        parse(text.replace(old, new), document)


@settings(max_examples=by_thoroughness(60, 200), deadline=None)
@given(st.lists(st.sampled_from(render(page(WRITTEN)).splitlines()) | texts, max_size=40), documents)
def test_whatever_people_do_to_the_file_it_is_read_or_refused(rows: list[str], old: Document) -> None:
    heads = ("Summary", "Root cause", "What went well", "What could be better", "Action items")
    for text in ("\n".join(rows), "\n".join(f"## {head}\n\n" + "\n".join(rows) for head in heads)):
        with contextlib.suppress(Unreadable):
            parse(text, old)


def test_a_file_that_is_too_large_is_refused() -> None:
    text = render(page(WRITTEN))
    with pytest.raises(Unreadable, match="sections exceed 100,000 characters"):
        parse(text.replace("## Summary", "## Summary\n\n" + "x " * 150_000), WRITTEN)
    with pytest.raises(Unreadable, match="characters; link to long material"):
        parse(text + "x" * 2_000_000, WRITTEN)


def test_an_item_with_an_issue_cannot_be_taken_out() -> None:
    item = ActionItem(id=1, title="Test it", owner="bob", due=date(2027, 1, 15), outcome="CI", issue=7)
    text = "\n".join(row for row in render(page(WRITTEN.with_item(item))).splitlines() if "Test it" not in row)
    with pytest.raises(Unreadable, match="mark it done or won't do instead"):
        parse(text, WRITTEN.with_item(item))


def test_72_a_complete_document_lacks_nothing() -> None:
    assert list_missing(WRITTEN, timeline=3, figures=True) == []
    assert list_missing(WRITTEN, timeline=0, figures=False) == [
        "empty timeline",
        "impact figures not computed yet",
    ]


@pytest.mark.parametrize(
    ("sentence", "blaming"),
    [
        ("Bob forgot to run the migration.", "forgot to"),
        ("It was human error.", "human error"),
        ("The on-call should have noticed.", "should have noticed"),
        ("This was obviously wrong.", "obviously"),
        ("The release did not read what its predecessor wrote.", ""),
        ("The runbook did not say which region to roll back first.", ""),
    ],
)
def test_blame_is_pointed_at_sentence_by_sentence(sentence: str, blaming: str) -> None:
    found = find_blame(Document(summary=f"All was calm. {sentence} Then it was calm again."))
    assert [(blame.words, blame.sentence, blame.section) for blame in found] == (
        [(blaming, sentence, "summary")] if blaming else []
    )


def test_the_runbook_may_name_further_words() -> None:
    [blame] = find_blame(Document(root_cause="The cowboys did it."), ("cowboys",))
    assert blame.why == "is on the list in runbook.yaml"


def test_downtime_is_what_p0_minutes_cost_until_it_is_mitigated() -> None:
    incident = resolved()
    assert outages(incident, RUNBOOK) == tuple(Outage(region=region, since=T0, until=at(43)) for region in ("eu", "us"))
    calmer = incident.replace(
        episodes=(
            Episode(severity="P0", since=T0, until=at(20)),
            Episode(severity="P2", since=at(20)),
        )
    )
    assert [outage.until for outage in outages(calmer, RUNBOOK)] == [at(20), at(20)]
    assert outages(resolved("P1"), RUNBOOK) == ()
    assert outages(incident.replace(mitigated_at=at(12)), RUNBOOK)[0].until == at(12)


def test_what_is_open_counts_until_now_after_a_reopening_too() -> None:
    reopened = apply_command(resolved(), Reopen(by="ann", reason="it is back"), RUNBOOK, at(60))
    assert [(o.since, o.until) for o in outages(reopened, RUNBOOK, at(70)) if o.region == "eu"] == [
        (T0, at(43)),
        (at(60), at(70)),
    ]
    assert len(outages(reopened, RUNBOOK)) == 2, "what was over is known without a clock"


def test_only_the_regions_that_alerts_name_were_down() -> None:
    incident = resolved()
    [alert] = opened_with_region("eu").alerting.alerts
    assert {
        outage.region
        for outage in outages(incident.replace(alerting=incident.alerting.replace(alerts=(alert,))), RUNBOOK)
    } == {"eu"}


def opened_with_region(region: str) -> Incident:
    from incidents.domain.alerting.state import AlertState
    from tests.support.incidents import firing

    alert = AlertState.of(firing().replace(labels={"region": region}), labelled=True)
    return opened().replace(alerting=opened().alerting.replace(alerts=(alert,)))


def test_overlapping_outages_count_once() -> None:
    def outage(since: float, until: float) -> Outage:
        return Outage(region="eu", since=at(since), until=at(until))

    assert downtime([outage(0, 10), outage(5, 12), outage(20, 21)], T0, at(60)) == {"eu": timedelta(minutes=13)}
    assert downtime([outage(0, 10)], at(4), at(6)) == {"eu": timedelta(minutes=2)}
    assert downtime([outage(0, 10)], at(20), at(60)) == {"eu": timedelta()}


def test_the_sla_says_what_is_left_of_the_month() -> None:
    other = Outage(region="eu", since=at(-600), until=at(-590))
    found = {budget.plan: budget for budget in figures(resolved(), RUNBOOK, others=[other]).budgets}
    pro = found["Pro"]
    assert pro.allowed == timedelta(days=30) * (1 - 99.9 / 100), "November has 30 days"
    assert (pro.consumed, pro.month) == (timedelta(minutes=43), timedelta(minutes=53))
    assert pro.remaining == pro.allowed - timedelta(minutes=53)
    assert pro.remaining < timedelta()


def test_the_story_has_every_source_in_one_order() -> None:
    said = {"ts": f"{at(2).timestamp()}", "user": "U1", "handle": "ann", "text": "I look", "by_person": True}
    said |= {"thread_ts": "", "reactions": {"eyes": 2}}
    answer = said | {"ts": f"{at(3).timestamp()}", "thread_ts": said["ts"], "text": "So do I", "reactions": {}}
    bot = said | {"by_person": False, "text": "our own"}
    deployed = [
        {"id": "d1", "cluster": "eu-001", "version": "v2", "status": "success", "started_at": at(30).isoformat()}
    ]
    files = {
        "resolution-1/chat.jsonl": "\n".join(json.dumps(row) for row in (bot, answer, said)).encode() + b"\n{broken",
        "resolution-1/deployments-eu-001.json": json.dumps(deployed).encode(),
    }
    moments = reconstruct_timeline(resolved(), files)
    assert [m.at for m in moments] == sorted(m.at for m in moments)
    assert {m.source for m in moments} >= {"incident", "chat", "deployments"}
    said_there = [(m.who, m.what, m.answer) for m in moments if m.source == "chat"]
    assert said_there == [("@ann", "I look :eyes: 2", False), ("@ann", "So do I", True)]
    assert "v2 deployed to eu-001 (success)" in {m.what for m in moments}


def test_metrics_tell_how_many_evaluations_failed() -> None:
    points = [[at(minute).isoformat(), value] for minute, value in ((0, "0"), (1, "0.4"), (3, "0.2"), (4, "NaN"))]
    data = json.dumps({"query": "q", "series": [{"labels": {"region": "eu"}, "points": points}]}).encode()
    lines = series({"resolution-1/metrics-error-ratio.json": data}, RUNBOOK.investigation.metrics)
    assert [(line.name, line.region, len(line.points)) for line in lines] == [("error ratio", "eu", 3)]
    [said] = figures(resolved(), RUNBOOK, lines).failures
    assert said == "error ratio (eu): peak 40.0% of requests at 14:01 UTC, above 1 % for 2m"


def test_the_review_keeps_its_hour_over_daylight_saving() -> None:
    rules = ReviewRules(rule="FREQ=WEEKLY;BYDAY=TH", time_zone="Europe/Berlin")
    summer = next_meeting(datetime(2026, 10, 20, tzinfo=UTC), rules)
    winter = next_meeting(summer, rules)
    assert (summer, winter) == (datetime(2026, 10, 22, 14, tzinfo=UTC), datetime(2026, 10, 29, 15, tzinfo=UTC))
    assert next_meeting(winter - timedelta(seconds=1), rules) == winter
    second = ReviewRules(rule="FREQ=MONTHLY;BYDAY=2TU", time_zone="Asia/Kolkata")
    assert next_meeting(datetime(2026, 12, 31, tzinfo=UTC), second) == datetime(2027, 1, 12, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("rule", ["every thursday", "FREQ=WEEKLY;COUNT=3", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", ""])
def test_a_rule_that_is_none_or_ends_is_refused(rule: str) -> None:
    with pytest.raises(ValidationError):
        ReviewRules(rule=rule)


def test_the_invitation_is_a_calendar_that_moves_the_earlier_one() -> None:
    rules = ReviewRules()
    first = invitation("uid", "Review", "https://x", at(60), rules, T0)
    later = invitation("uid", "Review", "https://x", at(120), rules, at(5))
    assert "METHOD:REQUEST" in first
    assert "ATTENDEE" not in first, "they are known only where the mail is sent"

    def sequence(text: str) -> int:
        return int(next(row for row in text.splitlines() if row.startswith("SEQUENCE")).partition(":")[2])

    assert sequence(later) > sequence(first)


def test_records_tell_no_words_of_a_private_incident() -> None:
    incident = resolved().replace(private=True)
    assert record_of(incident, RUNBOOK).title == ""
    item = ActionItem(id=1, title="Rotate the key", owner="bob")
    kept = postmortem_record(open_postmortem(incident, RUNBOOK, at(50)).replace(document=WRITTEN.with_item(item)))
    assert "Rotate" not in kept.model_dump_json()
    assert kept.root_cause == ""


def test_a_false_positive_does_not_count() -> None:
    incident = apply_command(settled(opened(), at(1)), Cancel(by="ann", reason="the probe"), RUNBOOK, at(4))
    record = record_of(incident, RUNBOOK)
    assert not record.counts
    assert record.postmortem_due is None


def test_what_was_learnt_is_one_line() -> None:
    document = WRITTEN.replace(items=(ActionItem(id=1, title="Test it", state=ItemState.WONT_DO, reason="gone"),))
    assert summarize_learning(
        open_postmortem(resolved(), RUNBOOK, at(50)).replace(
            document=document, review=open_postmortem(resolved(), RUNBOOK, at(50)).review.replace(outcome="Read.")
        )
    ) == (
        "Lessons learned: Releases are not tested against what their predecessors left behind. (deployment)."
        " Test it: wont do. Read."
    )


def test_who_is_mailed_is_an_attendee() -> None:
    text = invitation("uid", "Review", "https://x", at(60), ReviewRules(), T0)
    invited = invite(text, ("em@x.com", "ann@x.com"))
    assert [row for row in invited.splitlines() if row.startswith("ATTENDEE")] == [
        "ATTENDEE:mailto:em@x.com",
        "ATTENDEE:mailto:ann@x.com",
    ]
    assert "METHOD:REQUEST" in invited


def test_alike_error_lines_stand_once_in_the_timeline_with_their_count() -> None:
    def log(minute: float, body: str, severity: str = "ERROR") -> str:
        return json.dumps({"timestamp": at(minute).isoformat(), "data": {"severity_text": severity, "body": body}})

    lines = [log(m, f"pool exhausted after {m} ms") for m in (3, 1, 2)]
    lines += [log(4, "started", "INFO"), log(5, "no severity", ""), "{broken", '{"timestamp": 5}', '{"data": 1}']
    rows = reconstruct_timeline(resolved(), {"resolution-1/logs.jsonl": "\n".join(lines).encode()})
    assert [(row.at, row.what) for row in rows if row.source == "logs"] == [
        (at(1), "3x (14:01:00 to 14:03:00 UTC) pool exhausted after 3 ms"),
        (at(5), "1x (14:05:00 UTC) no severity"),
    ]


def test_the_timeline_has_the_most_frequent_error_lines_and_says_how_many_more_there_are() -> None:
    lines = [
        json.dumps({"timestamp": at(kind).isoformat(), "data": {"severity_text": "ERROR", "body": "x" * kind}})
        for kind in range(1, 13)
    ]
    rows = reconstruct_timeline(resolved(), {"resolution-1/logs.jsonl": "\n".join(lines).encode()})
    said = [row.what for row in rows if row.source == "logs"]
    assert len(said) == 11
    assert "2 more kinds of error lines (2 lines, see logs.jsonl in the evidence)" in said


def test_the_number_of_updates_counts_those_in_the_archive() -> None:
    incident = resolved()
    [*_, newest] = incident.updates.published
    long = incident.replace(updates=incident.updates.replace(published=(newest.replace(sequence=412),)))
    assert "| Status updates published | 412 |" in render(page(WRITTEN, long))
