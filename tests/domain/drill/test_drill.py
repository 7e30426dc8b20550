"""81: a drill owes a review, not a post-mortem, and stays a drill."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from incidents.domain.activity_requests import SendMail
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.chat.activity_requests import PostMessage
from incidents.domain.config.loading import parse_runbook
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.errors import RunbookError
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.paging.page_content import page_links
from incidents.domain.postmortem.incident_obligations import postmortem_owed
from incidents.domain.recipients import staff
from incidents.domain.reporting.record import record_of
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.order import build_order
from incidents.domain.rollback.state import RollbackState
from tests.support.incidents import RUNBOOK, T0, TEXT, at, fulfil, opened, settled

HOUR = 60
CONFIG = RUNBOOK.replace(drill=RUNBOOK.drill.replace(participants=("on_call", "engineering_manager")))


def drill(*, over: bool = True) -> Incident:
    incident = settled(opened().replace(drill=True), T0)
    resolve = c.Resolve(by="ann", force=True, reason="well")
    return settled(apply_command(incident, resolve, RUNBOOK, at(10)), at(10)) if over else incident


def owed(incident: Incident, kind: ObligationKind) -> list[Obligation]:
    return [obligation for obligation in agenda(incident, CONFIG) if obligation.kind is kind]


def test_81_a_drill_owes_no_post_mortem() -> None:
    incident = drill()
    assert not postmortem_owed(incident, RUNBOOK)
    assert record_of(incident, RUNBOOK).postmortem_due is None
    assert "postmortem/1" not in incident.ledger.fulfilled
    with pytest.raises(CommandRejected, match="requires a drill review instead: `incident review-drill 1`"):
        apply_command(incident, c.StartPostmortem(by="ann"), RUNBOOK, at(11))


def test_81_a_drill_is_not_sent_to_the_war_room_of_real_incidents() -> None:
    static = RUNBOOK.replace(war_room=RUNBOOK.war_room.replace(static_url="https://meet.example/always"))
    assert page_links(opened(), static)["War room"] == "https://meet.example/always"
    assert "War room" not in page_links(opened().replace(drill=True), static)


def test_81_its_review_is_asked_for_in_the_channel_and_by_mail() -> None:
    incident = settled(opened().replace(drill=True), T0)
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="well"), RUNBOOK, at(10))
    [ask] = owed(incident, ObligationKind.DRILL_REVIEW)
    message = request(ask, incident, CONFIG, at(10))
    assert isinstance(message, PostMessage)
    assert "INC-1 is over. Please review it by 2026-11-25 14:10 UTC" in message.text
    assert "`incident review-drill 1" in message.text
    [reminder] = owed(incident, ObligationKind.DRILL_REMINDER)
    assert reminder.due == at(10 + 24 * HOUR)
    mail = request(reminder, incident, CONFIG, reminder.due)
    assert isinstance(mail, SendMail)
    assert mail.to == staff(("oncall@featuresignals.com", "em@featuresignals.com"))
    assert mail.subject == "[DRILL] INC-1: drill review due"


def test_81_a_review_ends_the_drill_and_without_one_it_waits() -> None:
    incident = drill()
    [close] = owed(incident, ObligationKind.CLOSE)
    assert close.due == at(10) + RUNBOOK.drill.review_within
    unreviewed = fulfil(incident, close, close.due)
    assert unreviewed.timeline[-1].text == "Closed without a drill review"
    reviewed = apply_command(incident, c.ReviewDrill(by="ann", text="Paging works."), RUNBOOK, at(60))
    assert reviewed.exercise.review is not None
    assert (reviewed.exercise.review.by, reviewed.exercise.review.text) == ("ann", "Paging works.")
    assert not owed(reviewed, ObligationKind.DRILL_REVIEW)
    assert not owed(reviewed, ObligationKind.DRILL_REMINDER)
    [close] = owed(reviewed, ObligationKind.CLOSE)
    assert close.due == at(10) + timedelta(hours=24), "the reopen window"


def test_81_only_a_drill_that_is_over_is_reviewed() -> None:
    with pytest.raises(CommandRejected, match="is still open"):
        apply_command(drill(over=False), c.ReviewDrill(by="ann", text="x"), RUNBOOK, at(1))
    with pytest.raises(CommandRejected, match="is not a drill"):
        apply_command(settled(opened(), T0), c.ReviewDrill(by="ann", text="x"), RUNBOOK, at(1))


def test_81_nothing_turns_a_drill_into_a_real_incident_or_back() -> None:
    files = [path for folder in ("incidents", "workflows", "activities") for path in Path(folder).rglob("*.py")]
    sets = re.compile(
        r"(?<![\w.])drill=(?!opening\.drill\b|incident\.drill\b|request\.drill\b|self\.drill\b|typed\.drill\b|drill\b)"
    )
    found = [str(path) for path in files if sets.search(path.read_text(encoding="utf-8"))]
    scripted = ["incidents/domain/foresight/drill_script.py"]
    assert found == scripted, "an incident takes this from its opening, and nowhere else"


def test_81_a_drill_takes_no_real_rollbacks_lock() -> None:
    def row(version: str) -> Deployment:
        return Deployment(id=version, cluster="eu-001", version=version, status="success", started_at=T0)

    state = RollbackState(offer=Offer(cluster="eu-001", suspect=row("v2"), candidate=row("v1"), reason=""), since=T0)
    real, exercise = opened(), opened().replace(drill=True)
    assert build_order(real, state, RUNBOOK, T0).workflow_id == "rollback-eu-001-flag-evaluation"
    assert build_order(exercise, state, RUNBOOK, T0).workflow_id == "drill-rollback-eu-001-flag-evaluation"


def test_81_a_participant_is_a_contact() -> None:
    with pytest.raises(RunbookError, match="'nobody' is not among contacts"):
        parse_runbook(TEXT.replace("participants: []", "participants: [nobody]"))
