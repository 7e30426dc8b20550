"""Rules of who hears what that need no story: races and corners."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import AlertsSilenced, ResourcesChanged
from incidents.domain.agenda import agenda
from incidents.domain.alerting.state import Silence
from incidents.domain.apply_command import apply_command
from incidents.domain.config.communication import Cadence
from incidents.domain.incident import commands as c
from incidents.domain.incident.state import Resources
from incidents.domain.obligation import ObligationKind
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from incidents.domain.updates.publishing import next_due
from tests.support.incidents import RUNBOOK, T0, at, firing, keys, obligation, opened, settled


def test_a_silence_that_is_made_while_the_incident_closes_is_lifted_all_the_same() -> None:
    incident = facts.alert_fired(opened(), (firing(),), RUNBOOK, T0)
    incident = apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1))
    late = obligation(incident, "silence/")
    incident = apply_command(incident, c.Cancel(by="ann", reason="the probe"), RUNBOOK, at(1)).replace(closed=True)
    assert not [o for o in agenda(incident, RUNBOOK) if o.kind is ObligationKind.UNSILENCE]
    made = Silence(id="s", fingerprint="f", until=at(121))
    incident = outcomes.fulfilled(incident, late, AlertsSilenced(silences=(made,)), RUNBOOK, at(2))
    assert [o.kind for o in agenda(incident, RUNBOOK) if o.key.startswith("unsilence")] == [ObligationKind.UNSILENCE]


def test_a_channel_that_was_opened_too_late_is_left_like_the_one_before() -> None:
    incident = opened().replace(number=1)
    late = obligation(incident, "channel")
    incident = apply_command(incident, c.MakePrivate(by="ann", reason="keys"), RUNBOOK, at(1))
    public = ResourcesChanged(resources=Resources(channel_id="C-public", channel_name="incident-1"))
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
        incident = outcomes.fulfilled(incident, late, ResourcesChanged(resources=old), RUNBOOK, at(2))
    assert (incident.resources.topic, incident.resources.summary_ts, incident.resources.summary_text) == (None,) * 3


def test_nobody_outside_is_asked_about_a_private_incident() -> None:
    runbook = RUNBOOK.replace(customers=RUNBOOK.customers.replace(names=("ACME",)))
    deployed = Deployment(id="d", cluster="eu-001", version="v", status="success", started_at=T0 - timedelta(days=1))
    offer = Offer(cluster="eu-001", suspect=deployed, candidate=deployed, reason="x")
    healthy = RollbackState(offer=offer, status=RollbackStatus.HEALTHY, since=T0)
    incident = opened().replace(number=1, mitigated_at=at(5), rollback=opened().rollback.replace(clusters=(healthy,)))
    assert [o.subject for o in agenda(incident, runbook) if o.kind is ObligationKind.ASK_CUSTOMER] == ["ACME"]
    assert not [o for o in agenda(incident.replace(private=True), runbook) if o.kind is ObligationKind.ASK_CUSTOMER]


def test_a_failed_question_for_the_schedule_holds_up_no_invitation() -> None:
    contacts = RUNBOOK.contacts | {"on_call": RUNBOOK.contacts["on_call"].replace(schedule="P1")}
    runbook = RUNBOOK.replace(contacts=contacts)
    incident = opened().replace(number=1, resources=Resources(channel_id="C1", channel_name="incident-1"))
    [asked] = [o for o in agenda(incident, runbook) if o.kind is ObligationKind.ON_CALL]
    incident = outcomes.begun(incident, asked, runbook)
    assert not [o for o in agenda(incident, runbook) if o.kind is ObligationKind.INVITE], "it may name somebody else"
    incident = outcomes.failed(incident, asked, "it is down", runbook, at(5))
    assert [o for o in agenda(incident, runbook) if o.kind is ObligationKind.INVITE]


def test_updates_come_at_their_own_pace_while_monitoring() -> None:
    policy = RUNBOOK.severities["P0"]
    slower = policy.replace(updates=policy.updates.replace(every_while_monitoring=timedelta(hours=1)))
    runbook = RUNBOOK.replace(severities={**RUNBOOK.severities, "P0": slower})
    incident = opened()
    assert next_due(incident, runbook) == at(30), "not mitigated: as before"
    watched = apply_command(incident, c.Monitor(by="ann"), runbook, at(10))
    assert next_due(watched, runbook) == at(70)
    assert next_due(watched, RUNBOOK) == at(40), "unset: the same pace"
    fires = facts.alert_fired(watched, (firing(),), runbook, at(20))
    assert fires.status != "monitoring"
    assert next_due(fires, runbook) == at(40), "back to the faster pace, counted from the same anchor"


def test_a_pace_while_monitoring_needs_a_pace() -> None:
    with pytest.raises(ValidationError, match="every_while_monitoring needs every"):
        Cadence.model_validate({"every_while_monitoring": "1h", "channels": []})
