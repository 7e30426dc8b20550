"""The post-mortem's own process: draft, reminders, deadline, breach, publication, and what a reopening does to it."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from incidents.domain.core.command import Command
from incidents.domain.incident.commands import (
    Acknowledge,
    AssignRole,
    Cancel,
    CorrectTime,
    DeclareSeverity,
    Mark,
    Reopen,
    Resolve,
    Role,
    StartPostmortem,
)
from incidents.domain.postmortem import commands as l
from incidents.domain.recipients import AddressBook, PersonNamed, staff
from incidents.domain.reporting.record import PostmortemRecord, Record
from tests.support.environment import RUNBOOK, World, result_of
from tests.support.postmortems import (
    ended,
    process,
    publish,
    quiet,
    state,
    tell,
    written,
)


async def resolved(world: World, minute: float = 60) -> None:
    """A P0 of ann's that is resolved at that minute."""
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.at(minute)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await quiet(world)


async def refused(world: World, command: Command) -> str:
    """What the process answers to a command that it refuses."""
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await tell(world, command)
    assert isinstance(refusal.value.cause, ApplicationError)
    return refusal.value.cause.message


async def test_68_it_is_due_48_hours_after_the_resolution_and_71_reminds_and_escalates(world: World) -> None:
    await resolved(world)
    due = 60 + 48 * 60
    postmortem = await state(world)
    assert postmortem.due is not None
    assert round((postmortem.due - world.t0).total_seconds() / 60) == due
    assert postmortem.owner == "ann"
    [(minute, draft)] = world.sent("write_postmortem")
    assert minute == 60
    assert draft.postmortem.incident.evidence.manifests, "the evidence is there when the draft is written"

    await world.env.sleep(timedelta(hours=48 + 24 * 3 + 6))
    sent = world.sent("send_mail", "postmortem/mail")
    assert [minute for minute, _ in sent] == [due + h * 60 for h in (-24, -4, 0, 24, 48, 72)]
    assert [sorted(AddressBook(contacts=RUNBOOK.contacts).find(mail.to)) for _, mail in sent[2:]] == [
        ["em@featuresignals.com"],
        ["em@featuresignals.com"],
        ["em@featuresignals.com", "vp@featuresignals.com"],
        ["em@featuresignals.com", "vp@featuresignals.com"],
    ], "ann is no contact: the manager; from the second overdue day on the VP, too"
    assert (await state(world)).stage == "overdue"
    assert "OVERDUE by 3d" in sent[-1][1].text
    assert "0 of at least 3 whys" in sent[-1][1].text
    attributes = (await process(world).describe()).typed_search_attributes
    assert [pair.value for pair in attributes if pair.key.name == "IncidentPostmortem"] == ["overdue"]

    before = len(world.sent("send_mail", "postmortem/mail"))
    await publish(world)
    await world.env.sleep(timedelta(days=2))
    assert len(world.sent("send_mail", "postmortem/mail")) == before, "it stops on publication"


async def test_69_the_highest_severity_ever_reached_decides(world: World) -> None:
    await world.open()
    await world.at(5)
    await world.tell(DeclareSeverity(by="ann", severity="P2"))
    await world.tell(Resolve(by="ann"))
    assert (await state(world)).stage == "owed"
    await ended(world)


async def test_70_a_p2_owes_none_and_one_may_be_started_all_the_same(world: World) -> None:
    await world.open(severity="warning")
    await world.at(3)
    await world.tell(StartPostmortem(by="ann"))
    begun = await state(world)
    assert (begun.stage, begun.due) == ("started", None)
    await quiet(world)
    await written(world)
    assert "INC-1 is still open. Your text is saved. Publish once it is resolved." in await refused(
        world, l.PublishPostmortem(by="ann")
    )
    await world.at(90)
    await world.tell(Resolve(by="ann"))
    await quiet(world)
    owed = await state(world)
    assert owed.stage == "owed"
    assert owed.due is not None
    assert round((owed.due - world.t0).total_seconds() / 60) == 90 + 48 * 60, "the deadline counts from the resolution"
    assert owed.document.whys, "what was written before is kept"
    await ended(world)


async def test_a_p2_owes_none(world: World) -> None:
    await world.open(severity="warning")
    await world.tell(Resolve(by="ann"))
    assert not world.sent("write_postmortem")
    [(_, kept)] = world.sent("keep_document", "record/")
    record = Record.model_validate_json(kept.text)
    assert (record.severity, record.status, record.postmortem_due) == ("P2", "resolved", None)


async def test_one_that_was_started_for_a_false_positive_ends_with_it(world: World) -> None:
    await world.open()
    await world.at(3)
    await world.tell(StartPostmortem(by="ann"))
    await quiet(world)
    await world.tell(Cancel(by="ann", reason="the probe"))
    assert (await result_of(process(world))).stage == "waived"


async def test_63_reopening_withdraws_the_deadline_and_the_new_resolution_restarts_it(world: World) -> None:
    await resolved(world, 10)
    await written(world)
    await world.at(100)
    await world.tell(Reopen(by="ann", reason="it is back"))
    assert (await state(world)).stage == "withdrawn"
    assert "INC-1 is still open" in await refused(world, l.PublishPostmortem(by="ann"))
    await world.at(200)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await quiet(world)
    again = await state(world)
    assert (again.stage, again.times_resolved) == ("owed", 2)
    assert again.due is not None
    assert round((again.due - world.t0).total_seconds() / 60) == 200 + 48 * 60
    assert again.document.root_cause, "the draft is kept"
    assert len(again.incident.intervals) == 2
    await ended(world)


async def test_64_what_is_published_cannot_be_reopened(world: World) -> None:
    await resolved(world, 10)
    await publish(world)
    incident = await world.ended()
    assert incident.closed
    assert incident.postmortem.published


async def test_71_a_waiver_has_a_name_and_a_reason(world: World) -> None:
    await resolved(world, 5)
    await tell(world, l.WaivePostmortem(by="vp", reason="same as INC-0"))
    over = await result_of(process(world))
    assert over.stage == "waived"
    assert (over.timeline[-1].actor, over.timeline[-1].text) == ("vp", "Waived: same as INC-0")
    record = PostmortemRecord.model_validate_json(world.sent("keep_document", "postmortem/record/")[-1][1].text)
    assert record.stage == "waived"


async def test_72_what_is_missing_is_listed_and_nothing_is_published(world: World) -> None:
    await resolved(world, 5)
    said = await refused(world, l.SubmitPostmortem(by="ann"))
    assert said == (
        'Not complete (no summary; 0 of at least 3 whys; no root cause yet; nothing under "What went well"; '
        'nothing under "What could be better"; no action items, and no reason for that). Your text is saved.'
    )
    await written(world)
    await tell(world, l.SetActionItem(by="ann", title="Test with old caches"))
    said = await refused(world, l.PublishPostmortem(by="ann"))
    assert said == (
        "Not complete (action item 1 has no owner; action item 1 has no due date; action item 1 has no acceptance "
        "criterion; action item 1 has no issue). Your text is saved."
    )
    assert (await state(world)).stage == "owed"
    await tell(world, l.WaivePostmortem(by="vp", reason="enough"))


async def test_73_the_owner_falls_back_to_the_commander_and_then_to_the_manager(world: World) -> None:
    await resolved(world, 5)
    await tell(world, l.AssignPostmortem(by="ann", person="on_call_backup"))
    assert (await state(world)).owner == "on_call_backup"
    await world.env.sleep(timedelta(hours=25))
    assert world.sent("send_mail", "postmortem/mail")[-1][1].to == staff(("contact:on_call_backup",))
    await tell(world, l.AssignPostmortem(by="vp"))
    assert (await state(world)).owner == "ann", "the commander"
    await tell(world, l.WaivePostmortem(by="vp", reason="enough"))


async def test_73_without_a_commander_it_is_the_managers(world: World) -> None:
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.tell(AssignRole(by="ann", role=Role.COMMANDER, unassign=True))
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await quiet(world)
    assert (await state(world)).owner == "Engineering manager"
    await tell(world, l.WaivePostmortem(by="vp", reason="enough"))


async def test_83_times_are_corrected_and_both_values_are_kept(world: World) -> None:
    await resolved(world)
    before = (await state(world)).incident.resolved_at
    assert before is not None
    earlier = before - timedelta(minutes=20)
    await world.tell(CorrectTime(by="ann", which=Mark.RESOLVED, to=earlier, reason="the probes were good by then"))
    await quiet(world)
    incident = await world.incident()
    [note] = incident.corrections
    assert (note.was, note.now, note.by) == (before, earlier, "ann")
    kept = [effect for _, effect in world.sent("keep_document") if effect.name == "record.json"]
    record = Record.model_validate_json(kept[-1].text)
    assert record.resolved_at == earlier, "figures use the new one"
    postmortem = await state(world)
    assert postmortem.due == earlier + timedelta(hours=48), "so does the deadline"
    with pytest.raises(WorkflowUpdateFailedError):
        await world.tell(CorrectTime(by="ann", which=Mark.STARTED, to=before, reason="wrong order"))

    await publish(world)
    await world.ended()
    later = earlier + timedelta(minutes=5)
    await tell(world, CorrectTime(by="bob", which=Mark.RESOLVED, to=later, reason="after all"))
    await quiet(world)
    record = Record.model_validate_json(world.sent("keep_document", "incident-record/")[-1][1].text)
    assert record.resolved_at == later, "also when the incident's own process has ended"


async def test_106_the_writer_is_warned_once_and_the_timeline_is_not(world: World) -> None:
    await resolved(world)
    first = await tell(world, l.EditDocument(by="ann", summary="Bob forgot to look."))
    assert first.message.startswith('Edited summary. Blameless check: "forgot to" says what')
    again = await tell(world, l.AddLine(by="ann", section="well", text="The rollback took a minute."))
    assert again.message == "Added to well"
    submitted = [entry.text for entry in (await state(world)).timeline]
    assert not [text for text in submitted if "Blameless" in text or "forgot" in text]
    await ended(world)


async def test_96_the_owner_is_reached_by_mention_direct_message_and_mail_until_it_is_published(world: World) -> None:
    await resolved(world)
    due = 60 + 48 * 60
    await world.env.sleep(timedelta(hours=49))
    when = [due - 24 * 60, due - 4 * 60, due]
    assert [m for m, e in world.sent("post_message", "postmortem/remind") if e.mentions == ("ann",)] == when
    direct = world.sent("direct_message", "postmortem/direct_message")
    assert [(m, e.person) for m, e in direct] == [(m, "ann") for m in when]
    mails = world.sent("send_mail", "postmortem/mail")
    named = [(m, [one for one in e.to if one.kind == "person"]) for m, e in mails]
    assert named == [(m, [PersonNamed(name="ann")]) for m in when]
    assert {e.fallback for _, e in mails[:2]} == {staff(("contact:engineering_manager",))}, (
        "if the directory does not know ann"
    )
    assert "ann@" not in repr([e for _, e in (*direct, *mails)]), "no address of hers is in the workflow's history"
    # Last: to wait for an end skips time, and so brings the next reminder.
    assert (await world.ended()).closed, "the incident is over before its post-mortem is due"
    assert not world.sent("archive_channel"), "the owner is reminded there"
    assert (await state(world)).archives_channel, "a later incident of the same alert is not asked to"

    await publish(world)
    await quiet(world)
    assert len(world.sent("archive_channel")) == 1


async def test_96_a_waived_post_mortem_leaves_the_channel_to_the_incident(world: World) -> None:
    await resolved(world, 5)
    await tell(world, l.WaivePostmortem(by="vp", reason="same as INC-0"))
    await result_of(process(world))
    assert not world.sent("archive_channel"), "the incident can still be reopened"
    await world.env.sleep(timedelta(hours=25))
    assert (await world.ended()).closed
    assert len(world.sent("archive_channel")) == 1
