"""Rules of who hears what that need no story: races and corners."""

from datetime import timedelta

from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import ActivityResult
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.incident import commands as c
from incidents.domain.incident.parts import Resources, Silence
from incidents.domain.obligation import ObligationKind
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from tests.support.incidents import RUNBOOK, T0, at, firing, keys, obligation, opened, settled


def test_a_silence_that_is_made_while_the_incident_closes_is_lifted_all_the_same() -> None:
    incident = facts.alert_fired(opened(), (firing(),), RUNBOOK, T0)
    incident = apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1))
    late = obligation(incident, "silence/")
    incident = apply_command(incident, c.Cancel(by="ann", reason="the probe"), RUNBOOK, at(1)).replace(closed=True)
    assert not [o for o in agenda(incident, RUNBOOK) if o.kind is ObligationKind.UNSILENCE]
    made = Silence(id="s", fingerprint="f", until=at(121))
    incident = outcomes.fulfilled(incident, late, ActivityResult(silences=(made,)), RUNBOOK, at(2))
    assert [o.kind for o in agenda(incident, RUNBOOK) if o.key.startswith("unsilence")] == [ObligationKind.UNSILENCE]


def test_a_channel_that_was_opened_too_late_is_left_like_the_one_before() -> None:
    incident = opened().replace(number=1)
    late = obligation(incident, "channel")
    incident = apply_command(incident, c.MakePrivate(by="ann", reason="keys"), RUNBOOK, at(1))
    public = ActivityResult(resources=Resources(channel_id="C-public", channel_name="incident-1"))
    incident = outcomes.fulfilled(incident, late, public, RUNBOOK, at(2))
    assert incident.resources.channel_id is None
    assert "archive/C-public" in keys(incident)
    assert "channel/2" in keys(incident), "the private one is still owed"


def test_what_was_written_into_the_old_channel_says_nothing_of_the_new_one() -> None:
    incident = settled(opened(), T0)
    incident = apply_command(incident, c.AssignRole(by="ann", role=c.Role.COMMANDER, person="bob"), RUNBOOK, at(1))
    topic, summary = obligation(incident, "topic/"), obligation(incident, "summary/")
    incident = apply_command(incident, c.MakePrivate(by="ann", reason="keys"), RUNBOOK, at(1))
    old = Resources(topic="the old one", summary_ts="1.1", summary_text="the old one")
    for late in (topic, summary):
        incident = outcomes.fulfilled(incident, late, ActivityResult(resources=old), RUNBOOK, at(2))
    assert (incident.resources.topic, incident.resources.summary_ts, incident.resources.summary_text) == (None,) * 3


def test_nobody_outside_is_asked_about_a_private_incident() -> None:
    runbook = RUNBOOK.replace(customers=RUNBOOK.customers.replace(contacts={"ACME": "ops@acme.example"}))
    deployed = Deployment(id="d", cluster="eu-001", version="v", status="success", started_at=T0 - timedelta(days=1))
    offer = Offer(cluster="eu-001", suspect=deployed, candidate=deployed, reason="x")
    healthy = RollbackState(offer=offer, status=RollbackStatus.HEALTHY, since=T0)
    incident = opened().replace(number=1, mitigated_at=at(5), rollbacks=(healthy,))
    assert [o.subject for o in agenda(incident, runbook) if o.kind is ObligationKind.ASK_CUSTOMER] == ["ACME"]
    assert not [o for o in agenda(incident.replace(private=True), runbook) if o.kind is ObligationKind.ASK_CUSTOMER]


def test_a_failed_question_for_the_schedule_holds_up_no_invitation() -> None:
    contacts = RUNBOOK.contacts | {"on_call": RUNBOOK.contacts["on_call"].replace(schedule="P1")}
    runbook = RUNBOOK.replace(contacts=contacts)
    incident = opened().replace(number=1, resources=Resources(channel_id="C1", channel_name="incident-1"))
    [asked] = [o for o in agenda(incident, runbook) if o.kind is ObligationKind.ON_CALL]
    incident = outcomes.begun(incident, asked.key)
    assert not [o for o in agenda(incident, runbook) if o.kind is ObligationKind.INVITE], "it may name somebody else"
    incident = outcomes.failed(incident, asked, "it is down", runbook, at(5))
    assert [o for o in agenda(incident, runbook) if o.kind is ObligationKind.INVITE]
