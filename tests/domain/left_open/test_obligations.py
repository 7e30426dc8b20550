"""An incident without activity asks its commander daily, then the manager; some severities resolve by themselves."""

from datetime import timedelta

from incidents.domain import apply_event as events
from incidents.domain.activity_requests import SendMail
from incidents.domain.activity_results import ActivityResult, ChannelRead
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.apply_result import failed, fulfilled
from incidents.domain.build_request import request
from incidents.domain.chat.activity_requests import HearChannel, PostMessage
from incidents.domain.core.status import Status
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.recipients import staff
from tests.support.incidents import RUNBOOK, T0, at, firing, fulfil, keys, obligation, opened, settled

DAY = 24 * 60


def live(severity: str = "P2") -> Incident:
    incident = settled(events.alert_fired(opened(severity), (firing(),), RUNBOOK, T0), T0)
    return settled(apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(10)), at(10))


def question(incident: Incident) -> Obligation:
    return obligation(incident, "left-open/")


def asked(incident: Incident) -> Incident:
    due = question(incident)
    return fulfil(incident, due, due.due)


def ended(incident: Incident, minute: float) -> Incident:
    alert = firing().replace(ended_at=at(minute))
    return settled(events.alert_resolved(incident, (alert,), RUNBOOK, at(minute)), at(minute + 2))


def test_102b_the_commander_is_asked_daily_then_the_manager() -> None:
    incident = live()
    first = question(incident)
    assert first.due == at(10 + DAY)
    message = request(first, incident, RUNBOOK, first.due)
    assert isinstance(message, PostMessage)
    assert "INC-1 (P2, investigating) has had no activity for 1d. Commander: ann." in message.text
    assert "`incident resolve 1`" in message.text
    incident = asked(incident)
    second = question(incident)
    assert second.due == at(10 + 2 * DAY)
    mail = request(second, incident, RUNBOOK, second.due)
    assert isinstance(mail, SendMail)
    assert mail.to == staff((RUNBOOK.contacts[RUNBOOK.postmortem.manager].email or "",))
    assert question(asked(incident)).due == at(10 + 3 * DAY)


def test_102b_activity_starts_over() -> None:
    incident = apply_command(asked(live()), c.AddNote(by="ann", text="Waiting for the vendor."), RUNBOOK, at(2000))
    again = question(incident)
    assert again.due == at(2000 + DAY)
    assert isinstance(request(again, incident, RUNBOOK, again.due), PostMessage), "the commander again"


def test_102b_a_question_that_reached_nobody_is_asked_the_next_day() -> None:
    incident = live()
    due = question(incident)
    incident = failed(incident, due, "slack is down", RUNBOOK, due.due)
    assert question(incident).due == due.due + timedelta(days=1)


def test_102b_nobody_is_asked_once_it_is_over_or_if_the_runbook_does_not_ask() -> None:
    incident = live()
    assert not keys(apply_command(incident, c.Resolve(by="ann"), RUNBOOK, at(20)), "left-open/")
    runbook = RUNBOOK.replace(left_open=None)
    assert not [o for o in agenda(incident, runbook) if o.kind is ObligationKind.LEFT_OPEN]


def test_102b_a_p2_resolves_once_its_alerts_have_ended_and_nobody_acts() -> None:
    incident = live()
    assert not keys(incident, "auto-resolve/"), "its alert fires"
    incident = ended(incident, 30)
    due = obligation(incident, "auto-resolve/")
    assert due.due == at(30) + timedelta(days=2)
    noted = apply_command(incident, c.AddNote(by="ann", text="Looking."), RUNBOOK, at(100))
    assert obligation(noted, "auto-resolve/").due == at(100) + timedelta(days=2)
    resolved = fulfil(incident, due, due.due)
    assert (resolved.status, resolved.resolved_by) == (Status.RESOLVED, "system")
    assert any("no activity since" in entry.text and entry.announce for entry in resolved.timeline)


def test_102b_who_writes_in_the_channel_acts() -> None:
    incident = ended(live(), 30)
    due = obligation(incident, "auto-resolve/")
    asked = request(due, incident, RUNBOOK, due.due)
    assert isinstance(asked, HearChannel)
    assert asked.since == at(30)
    spoke = at(2000)
    active = fulfilled(incident, due, ChannelRead(heard_at=spoke), RUNBOOK, due.due)
    assert active.status == Status.INVESTIGATING
    assert obligation(active, "auto-resolve/").due == spoke + timedelta(days=2)
    assert question(active).due == spoke + timedelta(days=1)


def test_102b_a_channel_that_cannot_be_read_is_no_sign_that_nobody_acts() -> None:
    incident = ended(live(), 30)
    due = obligation(incident, "auto-resolve/")
    unread = failed(incident, due, "slack is down", RUNBOOK, due.due)
    assert unread.status == Status.INVESTIGATING
    assert obligation(unread, "auto-resolve/").due == due.due + timedelta(days=2)
    off = fulfilled(incident, due, ActivityResult(skipped="Slack is not configured"), RUNBOOK, due.due)
    assert off.status == Status.INVESTIGATING
    assert fulfil(unread, obligation(unread, "auto-resolve/"), at(9000)).status == Status.RESOLVED


def test_102b_what_changed_while_the_channel_was_read_counts() -> None:
    incident = ended(live(), 30)
    due = obligation(incident, "auto-resolve/")
    again = events.alert_fired(incident, (firing("EvaluationErrors", at(40)),), RUNBOOK, due.due)
    assert fulfilled(again, due, ChannelRead(), RUNBOOK, due.due).status == Status.INVESTIGATING


def test_102b_a_p0_never_does() -> None:
    assert not keys(ended(live("P0"), 30), "auto-resolve/")


def test_87_nor_does_one_whose_alert_is_not_known_to_have_ended() -> None:
    unknown = firing("Probe").replace(source="json")
    incident = ended(settled(events.alert_fired(live(), (unknown,), RUNBOOK, at(20)), at(20)), 30)
    assert not keys(incident, "auto-resolve/")
    again = events.alert_fired(ended(live(), 30), (firing("EvaluationErrors", at(40)),), RUNBOOK, at(40))
    assert not keys(again, "auto-resolve/"), "it fires again"
