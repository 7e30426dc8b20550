"""96: the owner of a post-mortem and of an action item is reached."""

import pytest

from incidents.domain.activity_requests import OpenTicket, SendMail
from incidents.domain.activity_results import DocumentProposed, DocumentRead
from incidents.domain.apply_command import apply_command as apply_to_incident
from incidents.domain.apply_event import postmortem_waived
from incidents.domain.chat.activity_requests import DirectMessage, PostMessage
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.keys import Key
from incidents.domain.core.ledger import Unfulfilled
from incidents.domain.core.time.duration import Term
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem import commands as l
from incidents.domain.postmortem.apply_command import apply_command
from incidents.domain.postmortem.build_request import postmortem_request
from incidents.domain.postmortem.current_details import due_text, render_current_details
from incidents.domain.postmortem.document.edits import apply_document_edits, own_version, recognize_own_version
from incidents.domain.postmortem.document.markdown import Page, render
from incidents.domain.postmortem.document.sections import ActionItem
from incidents.domain.postmortem.figures.impact import figures
from incidents.domain.postmortem.obligations.obligation import PostmortemObligation
from incidents.domain.postmortem.obligations.registry import postmortem_agenda
from incidents.domain.postmortem.postmortem import (
    Postmortem,
    RepositoryState,
    Stage,
    Version,
    open_postmortem,
    take_over_channel,
)
from incidents.domain.recipients import PersonNamed, staff
from tests.support.incidents import RUNBOOK, T0, WRITTEN, at, keys, opened, settled

PEOPLE = RUNBOOK.replace(people=RUNBOOK.people.replace(names=("ann", "bob")))


def resolved() -> Incident:
    incident = apply_to_incident(settled(opened(), T0), c.Acknowledge(by="ann"), RUNBOOK, at(1))
    incident = apply_to_incident(incident, c.Resolve(by="ann"), RUNBOOK, at(10))
    return settled(incident, at(10))


def owed() -> Postmortem:
    return open_postmortem(resolved(), PEOPLE, at(10)).replace(draft_url="file:///draft.md")


def test_before_resolution_the_deadline_is_named_as_the_runbook_has_it() -> None:
    started = open_postmortem(settled(opened(), T0), PEOPLE, at(1))
    rules = PEOPLE.postmortem.replace(within=Term(business_days=3))
    assert due_text(started, PEOPLE.replace(postmortem=rules)) == "3 business days after resolution"
    assert "due 3 business days after resolution" in render_current_details(started, PEOPLE.replace(postmortem=rules))
    assert due_text(owed(), PEOPLE) == "2026-11-25 14:10 UTC (19:40 IST)"


def test_a_state_of_before_the_rename_of_round_is_read() -> None:
    new = owed().model_dump_json()
    old = new.replace('"times_resolved":', '"round":')
    assert old != new
    assert Postmortem.model_validate_json(old) == Postmortem.model_validate_json(new) == owed()


def reminder(postmortem: Postmortem, prefix: str) -> PostmortemObligation:
    return next(o for o in postmortem_agenda(postmortem, PEOPLE) if o.key.startswith(prefix))


def test_96_each_reminder_goes_to_the_owner_by_every_way() -> None:
    postmortem = owed()
    asked = {
        kind: postmortem_request(reminder(postmortem, f"{kind}/1/4h before"), postmortem, PEOPLE, at(44 * 60))
        for kind in ("remind", "direct_message", "mail")
    }
    channel, direct, mail = asked["remind"], asked["direct_message"], asked["mail"]
    assert isinstance(channel, PostMessage)
    assert channel.mentions == ("ann",)
    assert isinstance(direct, DirectMessage)
    assert (direct.person, direct.email) == ("ann", "")
    assert isinstance(mail, SendMail)
    assert (mail.to, mail.fallback) == ((PersonNamed(name="ann"),), staff(("em@featuresignals.com",)))
    assert channel.text == direct.text == mail.text


def test_96_without_slack_the_owner_is_told_by_mail() -> None:
    postmortem = owed()
    bare = postmortem.incident.resources.replace(channel_id=None)
    postmortem = postmortem.replace(incident=postmortem.incident.replace(resources=bare))
    asked = postmortem_request(reminder(postmortem, "announce/1"), postmortem, PEOPLE, at(11))
    assert isinstance(asked, SendMail)
    assert asked.to == (PersonNamed(name="ann"),)
    assert not [o for o in postmortem_agenda(postmortem, PEOPLE) if o.key.startswith("remind/")]
    assert reminder(postmortem, "direct_message/1/"), "a way that is off is skipped when it is due, with the reason"


def test_96_an_unknown_owner_of_an_action_item_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(CommandRejected) as refused:
        apply_command(owed(), l.SetActionItem(by="ann", title="Test it", owner="zoe"), PEOPLE, at(20))
    assert str(refused.value) == (
        "zoe is not in runbook.yaml. Owners: ann, bob, on_call, on_call_backup, engineering_manager, vp_engineering,"
        " cto, ceo, support; or an e-mail address or @login. Nothing was changed."
    )
    for owner in ("bob", "cto", "CTO", "zoe@example.com", "@zoe"):
        changed = apply_command(owed(), l.SetActionItem(by="ann", title="Test it", owner=owner), PEOPLE, at(20))
        assert changed.document.items[0].owner == owner


def test_96_a_persons_issue_is_assigned_by_the_directory() -> None:
    item = l.SetActionItem.model_validate(
        {"by": "ann", "title": "Test it", "owner": "bob", "due": "2027-01-15", "outcome": "CI"}
    )
    postmortem = apply_command(owed(), item, PEOPLE, at(20))
    asked = postmortem_request(reminder(postmortem, "issue/1"), postmortem, PEOPLE, at(20))
    assert isinstance(asked, OpenTicket)
    assert (asked.people, asked.assignees) == (("bob",), ())


def test_96_the_channel_stays_until_the_post_mortem_is_published_or_waived() -> None:
    incident = resolved().replace(closed=True)
    assert not keys(incident, "archive/"), "its post-mortem is being written"
    assert keys(postmortem_waived(incident, at(20)), "archive/")
    owing = incident.replace(postmortem=incident.postmortem.replace(handed_over=False))
    assert keys(owing, "archive/"), "without a post-mortem the incident archives it at once"
    postmortem = take_over_channel(owed())
    assert not [o for o in postmortem_agenda(postmortem, PEOPLE) if o.key == "archive"]
    waived = apply_command(postmortem, l.WaivePostmortem(by="vp", reason="known"), PEOPLE, at(30))
    assert [o.key for o in postmortem_agenda(waived, PEOPLE) if o.key == "archive"] == ["archive"]


@pytest.mark.parametrize("owner", ["@", "@zoe smith", "zoe@", "@zoe@example.com", "a@b c.com"])
def test_96_what_is_no_address_and_no_login_is_refused(owner: str) -> None:
    with pytest.raises(CommandRejected, match="is not in runbook"):
        apply_command(owed(), l.SetActionItem(by="ann", title="Test it", owner=owner), PEOPLE, at(20))


def _edited(owner: str) -> str:
    """The file in which somebody added an action item for that owner."""
    return render(
        Page(
            incident=resolved(),
            document=WRITTEN.replace(items=(ActionItem(id=1, title="Test it", owner=owner),), no_items_because=""),
            owner="ann",
            due="tomorrow",
            standing="Draft.",
            impact="Half of Europe.",
            figures=figures(resolved(), PEOPLE),
            rows=(),
        )
    )


def test_96_an_unknown_owner_in_a_replaced_document_is_refused() -> None:
    with pytest.raises(CommandRejected, match=r"zoe is not in runbook.yaml. Owners: ann, bob, .* Nothing was changed."):
        apply_command(owed(), l.ReplaceDocument(by="ann", markdown=_edited("zoe")), PEOPLE, at(20))
    changed = apply_command(owed(), l.ReplaceDocument(by="ann", markdown=_edited("bob")), PEOPLE, at(20))
    assert changed.document.items[0].owner == "bob"


def test_96_an_unknown_owner_in_the_pull_request_is_said_and_the_file_is_left() -> None:
    after = apply_document_edits(owed(), DocumentRead(text=_edited("zoe"), digest="d"), PEOPLE, at(20))
    assert after.document.items == ()
    assert after.repository.unreadable
    assert "the file was left as it is: zoe is not in runbook.yaml. Owners: ann, bob, " in after.timeline[-1].text
    kept = owed().replace(document=WRITTEN.replace(items=(ActionItem(id=1, title="Old", owner="zoe"),)))
    after = apply_document_edits(kept, DocumentRead(text=_edited("zoe"), digest="d"), PEOPLE, at(20))
    assert after.document.items[0].title == "Test it", "an owner of before is no new one"


def test_a_version_of_ours_that_is_read_back_is_no_edit() -> None:
    """The file was read after it was proposed and before that was known: the base still lacks the action item."""
    document = WRITTEN.replace(items=(ActionItem(id=1, title="Test it", owner="bob"),), no_items_because="")
    repository = RepositoryState(seen=WRITTEN, versions=(Version(digest="ours", document=document),))
    written, read = owed().replace(document=document, repository=repository), _edited("bob")
    own = own_version(written, DocumentRead(text=read, digest="ours"))
    assert own == document
    after = apply_document_edits(
        recognize_own_version(written, own), DocumentRead(text=read, digest="ours"), PEOPLE, at(20)
    )
    assert [item.title for item in after.document.items] == ["Test it"]
    assert own_version(written, DocumentRead(text=read, digest="theirs")) is None
    assert own_version(written, DocumentProposed(digest="ours")) is None, "nothing was read"


def test_71_an_overdue_day_is_over_when_every_way_was_tried() -> None:
    postmortem = owed().replace(stage=Stage.OVERDUE)
    for kind in ("mail", "direct_message"):
        failure = Unfulfilled(key=f"{kind}/1/1d overdue", reason="is down", at=at(80 * 60))
        postmortem = postmortem.with_failure(failure)
    left = [o.key for o in postmortem_agenda(postmortem, PEOPLE) if "overdue" in o.key]
    assert left == ["remind/1/1d overdue"], "the channel was not told yet"
    postmortem = postmortem.with_fulfilled(Key("remind", 1, "1d overdue"))
    left = [o.key for o in postmortem_agenda(postmortem, PEOPLE) if "overdue" in o.key]
    assert left == ["direct_message/1/2d overdue", "mail/1/2d overdue", "remind/1/2d overdue"]
