"""How long the link of a page acknowledges."""

from datetime import timedelta

from incidents.domain.apply_command import apply_command
from incidents.domain.config.communication import Reach
from incidents.domain.incident import commands
from incidents.domain.incident.incident import Incident
from incidents.domain.paging.page_life import is_page_open, takes_acknowledgement
from incidents.domain.paging.state import Call
from tests.support.incidents import RUNBOOK, at, opened


def paged_again(incident: Incident, minutes: float) -> Incident:
    return incident.replace(paging=incident.paging.page_anew(at(minutes)))


def test_a_page_ends_when_a_responder_acts() -> None:
    incident = opened()
    assert is_page_open(incident, "incident-x", at(0))
    attended = apply_command(incident, commands.Acknowledge(by="ann"), RUNBOOK, at(1))
    assert not is_page_open(attended, "incident-x", at(0))


def test_on_call_and_who_is_escalated_to_are_asked_to_acknowledge() -> None:
    for key in ("incident-x", "incident-x/2", "incident-x/escalate/P0/1/cto/page"):
        assert takes_acknowledgement(key)
    for key in ("incident-x/alarm/rollback/eu-001/1/undecided", "incident-x/operators/pagerduty"):
        assert not takes_acknowledgement(key)


def test_a_page_ends_with_its_incident() -> None:
    cancelled = apply_command(opened(), commands.Cancel(by="ann", reason="a test"), RUNBOOK, at(1))
    assert not is_page_open(cancelled, "incident-x", at(0))


def test_a_newer_page_ends_the_one_before() -> None:
    incident = paged_again(opened(), 30)
    assert not is_page_open(incident, "incident-x", at(0))
    assert is_page_open(incident, "incident-x/1", at(30))
    assert not is_page_open(incident, "incident-x/2", at(30))


def test_the_page_of_an_incident_with_a_longer_name_is_another() -> None:
    incident = paged_again(opened(), 30)
    assert is_page_open(incident, "incident-x/1", at(30))
    assert not is_page_open(incident, "incident-x1", at(30))
    assert not is_page_open(incident, "1", at(30))


def test_a_page_of_an_escalation_is_known_by_its_call_and_its_round() -> None:
    incident = opened()
    key = "escalate/P0/1/cto/page"
    assert not is_page_open(incident, f"incident-x/{key}", at(15)), "no such call was made"
    call = Call(key=key, contact="cto", reach=Reach.PAGE, rung="P0/1/cto")
    incident = incident.replace(paging=incident.paging.with_call(call))
    assert is_page_open(incident, f"incident-x/{key}", at(15))
    mailed = incident.replace(paging=incident.paging.replace(calls=(call.replace(reach=Reach.EMAIL),)))
    assert not is_page_open(mailed, f"incident-x/{key}", at(15))
    again = paged_again(incident, 60)
    assert not is_page_open(again, f"incident-x/{key}", at(15))
    assert is_page_open(again, f"incident-x/{key}", at(60) - timedelta(seconds=30)), "clocks differ"
