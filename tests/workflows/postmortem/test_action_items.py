"""Action items, over months of virtual time: opened as issues, followed, chased, and at last learnt from (74 to 77)."""

from datetime import date, timedelta
from itertools import pairwise

from incidents.domain.activity_results import IssueFact
from incidents.domain.incident.commands import Resolve
from incidents.domain.postmortem import commands as l
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.document.sections import ItemState
from incidents.domain.recipients import AddressBook
from tests.support.environment import RUNBOOK, World, result_of
from tests.support.incidents import WRITTEN
from tests.support.postmortems import (
    process,
    publish,
    quiet,
    state,
    tell,
    written,
)

WEEK = timedelta(days=7)
WHEN = date(2026, 12, 24)
FILE = "\n\n".join(
    (
        f"## Summary\n\n{WRITTEN.summary}",
        "## Root cause\n\n**Kind of cause:** deployment\n\n**Root cause:** ...",
        "## What went well\n\n- ...",
        "## What could be better\n\n- ...",
        "## Action items\n\n| # | Action | Owner | Due | Done when | Issue | State |\n|---|---|---|---|---|---|---|\n"
        "| 1 | Test it | on_call_backup | 2026-12-24 | It runs in CI. | | open |",
    )
)
"""A document of ours in the repository, with one action item."""


async def with_items(world: World, *titles: str, owner: str = "on_call_backup", history_limit: int = 0) -> None:
    """A published post-mortem with these action items, due in 30 days."""
    await world.open(history_limit=history_limit)
    await world.at(10)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await quiet(world)
    due = (await world.now() + timedelta(days=30)).date()
    for title in titles:
        await tell(world, l.SetActionItem(by="ann", title=title, owner=owner, due=due, outcome="It runs in CI."))
    await quiet(world)
    await publish(world)


def chased(world: World) -> list[tuple[int, tuple[str, ...]]]:
    """The reminders of overdue items: the day since T0, and who got them."""
    find = AddressBook(contacts=RUNBOOK.contacts).find
    return [(minute // (24 * 60), find(mail.to)) for minute, mail in world.sent("send_mail", "/chase/")]


async def test_each_item_becomes_one_issue_with_owner_date_and_a_way_back(world: World) -> None:
    await with_items(world, "Test with old caches", "Alert sooner")
    opened = [ticket for _, ticket in world.sent("open_ticket", "/issue/")]
    assert [ticket.title.partition(" (")[0] for ticket in opened] == ["Test with old caches", "Alert sooner"]
    first = opened[0]
    assert first.labels == ("action-item",)
    assert "Owner: on_call_backup" in first.body
    assert "Acceptance criterion: It runs in CI." in first.body
    assert "post-mortem of INC-1: file:///evidence/postmortem-1.md" in first.body
    assert first.marker.startswith("<!-- incident-runbook postmortem-1 item-1 ")
    items = (await state(world)).document.items
    assert [item.issue for item in items] == [7, 8]


async def test_77_an_overdue_item_is_chased_week_by_week_with_the_incident_long_closed(world: World) -> None:
    await with_items(world, "Test with old caches")
    assert (await world.ended()).closed
    await world.env.sleep(timedelta(days=90))
    days, people = zip(*chased(world), strict=True)
    assert days[0] in range(30, 34), "when its last day is over and people are at work"
    assert [later - earlier for earlier, later in pairwise(days)] == [7] * (len(days) - 1)
    assert len(days) >= 8
    assert people[0] == ("ops-lead@featuresignals.com",)
    assert set(people[1:]) == {("ops-lead@featuresignals.com", "em@featuresignals.com")}, "then the manager, too"

    events = (await process(world).fetch_history()).events
    weeks = 90 / 7
    assert len(events) / weeks < 60, "a few events a week"

    world.activities.issues[7] = IssueFact(number=7, state="closed", reason="completed")
    before = len(chased(world))
    await world.env.sleep(timedelta(days=21))
    assert (await state(world)).document.items[0].state is ItemState.DONE
    assert len(chased(world)) == before, "nobody is asked for what is done"
    await tell(world, l.RecordReview(by="ann", outcome="Read by all."))
    over = await result_of(process(world))
    assert over.stage == "completed"
    assert over.timeline[-1].text.startswith(
        "Lessons learned: Releases are not tested against what their predecessors left"
    )
    assert "Test with old caches: done" in over.timeline[-1].text


async def test_74_not_planned_needs_a_reason_and_reopened_reopens(world: World) -> None:
    await with_items(world, "Test with old caches")
    world.activities.issues[7] = IssueFact(number=7, state="closed", reason="not_planned")
    await world.env.sleep(timedelta(days=1))
    item = (await state(world)).document.items[0]
    assert (item.state, item.settled, item.flag) == (
        ItemState.WONT_DO,
        False,
        "closed as not planned without a reason",
    )
    await tell(
        world, l.SettleActionItem(by="bob", number=1, state=ItemState.WONT_DO, reason="the cache is gone with v3")
    )
    await quiet(world)
    assert (await state(world)).document.items[0].settled

    world.activities.issues[7] = IssueFact(number=7, state="open", reason="reopened")
    await world.env.sleep(timedelta(days=2))
    item = (await state(world)).document.items[0]
    assert (item.state, item.reason) == (ItemState.OPEN, "")


async def test_74_a_deleted_or_transferred_issue_is_flagged_not_dropped(world: World) -> None:
    await with_items(world, "Test with old caches", "Alert sooner")
    world.activities.issues |= {7: IssueFact(number=7, state="gone"), 8: IssueFact(number=8, state="moved")}
    await world.env.sleep(timedelta(days=1))
    one, two = (await state(world)).document.items
    assert (one.state, one.flag) == (ItemState.GONE, "its issue was deleted")
    assert (two.state, two.flag) == (ItemState.GONE, "its issue was moved elsewhere")
    await world.env.sleep(timedelta(days=36))
    [text] = {mail.text for _, mail in world.sent("send_mail", "/chase/1/")}
    assert "Problem with its issue" in text
    await tell(world, l.SettleActionItem(by="bob", number=1, state=ItemState.DONE))
    assert not world.sent("comment_ticket", "/close/1/"), "there is no issue to close"


async def test_an_item_that_is_settled_here_has_its_issue_closed(world: World) -> None:
    await with_items(world, "Test with old caches")
    await tell(world, l.SettleActionItem(by="bob", number=1, state=ItemState.WONT_DO, reason="replaced by v3"))
    await quiet(world)
    [(_, asked)] = world.sent("comment_ticket", "/close/1/")
    assert (asked.ticket, asked.close, asked.not_planned) == (7, True, True)
    assert "replaced by v3" in asked.body


async def test_76_with_github_down_the_alarms_go_on_from_what_is_known(world: World) -> None:
    world.activities.faults["watch_issues"] = 10_000
    await with_items(world, "Test with old caches")
    await world.env.sleep(timedelta(days=45))
    assert len(chased(world)) >= 2
    asked = [call for call in world.activities.calls if call.name == "watch_issues"]
    waits = [later.at - earlier.at for earlier, later in pairwise(asked)]
    assert max(waits) >= timedelta(minutes=59), "it asks less and less often"
    world.activities.faults["watch_issues"] = 0
    world.activities.issues[7] = IssueFact(number=7, state="closed", reason="completed")
    await world.env.sleep(timedelta(days=9))
    assert (await state(world)).document.items[0].state is ItemState.DONE


async def test_the_review_is_on_the_next_all_hands_and_moves_on_if_nobody_tells_of_it(world: World) -> None:
    await with_items(world)
    first = (await state(world)).review.at
    assert first is not None
    [(_, invitation)] = world.sent("send_mail", "/invite/")
    assert AddressBook(contacts=RUNBOOK.contacts).find(invitation.to) == ("em@featuresignals.com",)
    assert "BEGIN:VCALENDAR" in invitation.invitation
    assert f"DTSTART:{first:%Y%m%dT%H%M%SZ}" in invitation.invitation
    await world.env.sleep(first - await world.now() + timedelta(days=2))
    moved = (await state(world)).review.at
    assert moved == first + WEEK, "no outcome: the next one"
    assert len(world.sent("send_mail", "/invite/")) == 2
    reminders = [call.at for call in world.activities.calls if "/review-reminder/" in call.effect.key]
    assert len(reminders) <= 1
    await world.env.sleep(moved - await world.now() + timedelta(hours=2))
    reminders = [call.at for call in world.activities.calls if f"/review-reminder/{moved:%Y-%m-%d}" in call.effect.key]
    assert [round((moved - at).total_seconds() / 60) for at in reminders] == [24 * 60], "the day before"
    await tell(world, l.RecordReview(by="ann", outcome="Read by all."))
    over = await result_of(process(world))
    assert over.stage == "completed"
    assert "Read by all." in over.timeline[-1].text


async def test_edits_in_the_pull_request_are_read_back(world: World) -> None:
    rules = world.runbook.postmortem.replace(proposal=Proposal.PULL_REQUEST, read_back_every=timedelta(minutes=37))
    world.runbook = world.runbook.replace(postmortem=rules)
    await world.open()
    await world.at(10)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await quiet(world)
    assert (await state(world)).repository.proposal_url == "https://github.example/pull/1"
    await written(world)
    await quiet(world)
    text = "\n\n".join(
        (
            "## Summary\n\nWritten at GitHub.",
            "## Root cause\n\n**Kind of cause:** capacity\n\n1. One.\n2. Two.\n\n**Root cause:** Too small.",
            "## What went well\n\n- Nobody panicked.",
            "## What could be better\n\n- More room.",
            "## Action items\n\n**No action items because:** it is bigger now",
        )
    )
    await world.env.sleep(timedelta(minutes=1))
    await quiet(world)
    assert (await state(world)).repository.seen == (await state(world)).document
    world.activities.edits.append(text.replace("## Summary", "## Sumary"))
    await world.env.sleep(timedelta(hours=1))
    broken = await state(world)
    assert broken.repository.unreadable
    assert (
        'were not merged, and the file was left as it is: The heading "## Summary" is missing.'
        in broken.timeline[-1].text
    )
    await tell(world, l.AddLine(by="bob", section=l.Section.BETTER, text="Said at the same time."))
    world.activities.edits.append(text)
    await world.env.sleep(timedelta(hours=2))
    read = (await state(world)).document
    assert (read.summary, read.cause, read.whys) == ("Written at GitHub.", "capacity", ("One.", "Two."))
    assert read.better == ("More room.", "Said at the same time."), "what was written here meanwhile is kept"
    proposed = [effect for _, effect in world.sent("propose_document")]
    assert proposed[-1].known == "theirs", "what people wrote is not overwritten unread"
    await tell(world, l.WaivePostmortem(by="vp", reason="enough"))
    assert (await result_of(process(world))).stage == "waived"


async def test_what_is_read_back_while_its_proposal_is_under_way_is_no_edit(world: World) -> None:
    """That the file is ours is known from the proposal's result only: its item is not added again."""
    rules = world.runbook.postmortem.replace(proposal=Proposal.PULL_REQUEST, read_back_every=timedelta(minutes=5))
    world.runbook = world.runbook.replace(postmortem=rules)
    await world.open()
    await world.at(10)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await quiet(world)
    await written(world)
    await world.env.sleep(timedelta(minutes=1))
    await quiet(world)
    world.activities.faults["propose_document"] = 100
    item = l.SetActionItem(by="ann", title="Test it", owner="on_call_backup", due=WHEN, outcome="It runs in CI.")
    await tell(world, item)
    await world.env.sleep(timedelta(minutes=1))
    assert (await state(world)).repository.seen != (await state(world)).document, "it is not proposed yet"
    world.activities.edits_digest = "ours"
    world.activities.edits.append(FILE)
    await world.env.sleep(timedelta(hours=3))
    assert not world.activities.edits, "it was read back"
    assert [item.title for item in (await state(world)).document.items] == ["Test it"]
