"""What the evidence store could not take is owed again: later, less and less often, and not for ever."""

from datetime import datetime, timedelta

from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import DocumentWritten, EvidencePreserved, ResourcesChanged
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.ledger import Ledger
from incidents.domain.core.postponing import TRIED_FOR, postpone
from incidents.domain.evidence.manifest import ManifestRef
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.state import Resources
from incidents.domain.obligation import Obligation
from incidents.domain.postmortem import events
from incidents.domain.postmortem.build_request import postmortem_request
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.obligations.obligation import PostmortemObligation
from incidents.domain.postmortem.obligations.registry import postmortem_agenda, spec_of
from incidents.domain.postmortem.postmortem import Postmortem, open_postmortem
from tests.support.incidents import RUNBOOK, T0, at, fulfil, keys, obligation, opened, settled

FULL = "evidence write: No space left on device"
STORED = ("record/", "evidence/")
PROPOSING = RUNBOOK.replace(postmortem=RUNBOOK.postmortem.replace(proposal=Proposal.PULL_REQUEST))


def resolved() -> Incident:
    """A P0 of which all is done but what goes to the store."""
    incident = apply_command(settled(opened(), T0), c.Acknowledge(by="ann"), RUNBOOK, at(1))
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="fixed"), RUNBOOK, at(10))
    return others_done(incident, at(10))


def others_done(incident: Incident, when: datetime) -> Incident:
    while due := [o for o in agenda(incident, RUNBOOK) if o.due <= when and not o.key.startswith(STORED)]:
        incident = fulfil(incident, due[0], when)
    return incident


def not_stored(incident: Incident, owed: Obligation, when: datetime) -> Incident:
    begun = outcomes.begun(incident, owed, RUNBOOK)
    return outcomes.failed(begun, owed, FULL, RUNBOOK, when, again=True)


def test_it_is_tried_again_less_and_less_often_and_given_up_after_a_week() -> None:
    ledger, now, pauses = Ledger(), T0, list[timedelta]()
    while (next_one := postpone(ledger, Key("record"), FULL, now)) is not None:
        pauses.append(next_one.until - now)
        ledger, now = ledger.postpone(next_one), next_one.until
    hours = [pause.total_seconds() / 3600 for pause in pauses]
    assert hours[:6] == [0.5, 1, 2, 4, 4, 4]
    assert set(hours[3:]) == {4}
    assert timedelta() <= now - T0 - TRIED_FOR < timedelta(hours=4)
    assert len(ledger.postponed) == 1


def test_a_record_is_owed_again_and_said_once_until_it_is_saved() -> None:
    incident = not_stored(resolved(), obligation(resolved(), "record/"), at(25))
    owed = obligation(incident, "record/")
    assert owed.due == at(55)
    said = incident.timeline[-1]
    assert said.announce
    assert said.text == (
        f"Not done yet: Save the record for reports ({FULL}). Nothing is lost: the next attempt is at 14:55 UTC,"
        " and it is repeated for 7 days"
    )
    assert incident.standing(owed.key) == "pending"
    later = not_stored(incident, owed, at(70))
    assert (obligation(later, "record/").due, later.timeline) == (at(130), incident.timeline)
    saved = outcomes.fulfilled(later, owed, ResourcesChanged(), RUNBOOK, at(131))
    assert saved.timeline[-1].text == "Save the record for reports: saved, after 2 attempts that failed"
    assert not saved.ledger.postponed
    assert not keys(saved, "record/")


def test_what_is_given_up_after_a_week_is_announced_and_can_be_retried() -> None:
    incident = not_stored(resolved(), obligation(resolved(), "record/"), at(25))
    owed = obligation(incident, "record/")
    incident = not_stored(incident, owed, at(25) + TRIED_FOR)
    assert not incident.ledger.postponed
    assert [failure.key for failure in incident.ledger.failures] == [owed.key]
    assert incident.timeline[-1].announce, "though its success would be silent"
    assert incident.timeline[-1].text.startswith(f"Failed: Save the record for reports: {FULL}")


def test_a_responder_need_not_wait_for_the_next_attempt() -> None:
    incident = not_stored(resolved(), obligation(resolved(), "record/"), at(25))
    owed = obligation(incident, "record/")
    again = apply_command(incident, c.SettleStep(by="ann", step=owed.key, how="retry"), RUNBOOK, at(26))
    assert obligation(again, "record/").due <= at(26)
    skipped = apply_command(
        incident, c.SettleStep(by="ann", step=owed.key, how="skip", reason="the bucket is gone"), RUNBOOK, at(26)
    )
    assert not keys(skipped, "record/")


def test_an_incident_closes_on_time_and_still_owes_what_was_not_saved() -> None:
    incident = resolved()
    for prefix in STORED:
        incident = not_stored(incident, obligation(incident, prefix), at(25))
    incident = others_done(incident, obligation(incident, "close/").due)
    assert incident.closed
    assert {key.partition("/")[0] for key in keys(incident)} >= {"record", "evidence"}
    for prefix in STORED:
        incident = fulfil(incident, obligation(incident, prefix), at(9999))
    assert not [key for key in keys(incident) if key.startswith(STORED)]


def test_a_cancelled_incident_does_not_stay_open_for_its_record() -> None:
    incident = apply_command(settled(opened(), T0), c.Cancel(by="ann", reason="a test"), RUNBOOK, at(5))
    incident = others_done(incident, at(5))
    assert not incident.closed, "the record is not saved, and it was not tried yet"
    for prefix in STORED:
        incident = not_stored(incident, obligation(incident, prefix), at(6))
    assert others_done(incident, at(6)).closed


def test_the_post_mortem_does_not_wait_for_the_store_and_gets_the_evidence_later() -> None:
    incident = resolved()
    assert not keys(incident, "postmortem")
    incident = not_stored(incident, obligation(incident, "evidence/"), at(25))
    incident = fulfil(incident, obligation(incident, "postmortem/"), at(25))
    assert not keys(incident, "postmortem")
    late, ref = obligation(incident, "evidence/"), ManifestRef(path="p", sha256="0", parts=1, gaps=0)
    saved = outcomes.fulfilled(incident, late, EvidencePreserved(manifest=ref), RUNBOOK, at(60))
    assert keys(saved, "postmortem") == ["postmortem-evidence/1"]
    assert keys(fulfil(saved, obligation(saved, "postmortem-evidence"), at(60)), "postmortem") == []
    published = saved.replace(postmortem=saved.postmortem.replace(published=True))
    assert not keys(published, "postmortem"), "no second post-mortem is started for one that may have ended"
    in_time = fulfil(resolved(), obligation(resolved(), "evidence/"), at(11))
    in_time = fulfil(in_time, obligation(in_time, "postmortem/"), at(11))
    assert not keys(in_time, "postmortem")


# --- the post-mortem's own --------------------------------------------------------------------------------------------


def owed_by(postmortem: Postmortem, prefix: str, runbook: RunbookConfig = RUNBOOK) -> list[PostmortemObligation]:
    return [o for o in postmortem_agenda(postmortem, runbook) if o.key.startswith(prefix)]


def undrafted() -> Postmortem:
    """A post-mortem whose draft the store could not take."""
    postmortem = open_postmortem(resolved(), RUNBOOK, at(10))
    [write] = owed_by(postmortem, "write/")
    assert not owed_by(postmortem, "announce/"), "the draft is awaited"
    begun = events.mark_begun(postmortem, write)
    return events.record_failure(begun, write, FULL, RUNBOOK, at(25), again=True)


def announced(postmortem: Postmortem, when: datetime) -> tuple[Postmortem, str]:
    """Notify the owner; return what was said."""
    [owed] = owed_by(postmortem, "announce/")
    said = postmortem_request(owed, postmortem, RUNBOOK, when)
    assert isinstance(said, ActivityRequest)
    begun = events.mark_begun(postmortem, owed)
    result = said.result_type()()
    return events.apply_result(begun, owed, result, RUNBOOK, when), str(getattr(said, "text", ""))


def drafted(postmortem: Postmortem, when: datetime) -> Postmortem:
    [write] = owed_by(postmortem, "write/")
    result = DocumentWritten(digest="d", resources=Resources(evidence_url="file:///draft.md"))
    return events.apply_result(events.mark_begun(postmortem, write), write, result, RUNBOOK, when)


def test_the_owner_is_notified_without_the_draft_and_again_with_it() -> None:
    postmortem = undrafted()
    assert owed_by(postmortem, "write/")[0].due == at(55)
    assert postmortem.timeline[-1].text.startswith(f"Not done yet: Write the draft ({FULL}). Nothing is lost")
    postmortem, said = announced(postmortem, at(25))
    assert f"The draft could not be saved yet ({FULL}); it follows when the evidence store takes it." in said
    assert not owed_by(postmortem, "announce/")
    postmortem = drafted(postmortem, at(56))
    assert [o.key for o in owed_by(postmortem, "announce/")] == ["announce/1/draft"]
    postmortem, said = announced(postmortem, at(56))
    assert "Draft: file:///draft.md" in said
    assert not owed_by(postmortem, "announce/")


def test_an_owner_who_was_notified_with_the_draft_is_notified_once() -> None:
    postmortem, said = announced(drafted(open_postmortem(resolved(), RUNBOOK, at(10)), at(11)), at(11))
    assert "could not be saved" not in said
    assert not owed_by(postmortem, "announce/")


def test_a_proposal_that_failed_is_tried_again() -> None:
    """The document is read from the store, which may be away by then."""
    postmortem = drafted(open_postmortem(resolved(), PROPOSING, at(10)), at(11))
    [propose] = owed_by(postmortem, "propose/", PROPOSING)
    failed = events.record_failure(
        events.mark_begun(postmortem, propose),
        propose,
        FULL,
        PROPOSING,
        at(12),
        again=spec_of(propose).postpones is not None,
    )
    assert failed.timeline[-1].text.startswith(f"Not done yet: Propose the document in the repository ({FULL}).")
    [again] = owed_by(failed, "propose/", PROPOSING)
    assert (again.key, again.due) == (propose.key, at(42))
    assert not failed.ledger.failures


def test_an_edit_is_written_though_the_version_before_it_was_not() -> None:
    postmortem = undrafted()
    edited = postmortem.edited(postmortem.document.replace(summary="It broke."), at(30))
    [write] = owed_by(edited, "write/")
    assert (write.key, write.due) == ("write/2", at(30))
