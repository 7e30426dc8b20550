"""An unknown service is opened for triage: announced loudly, one page, nothing for customers until it is named."""

from typing import Any

import pytest

from incidents.client.alert_sources.registry import parse_alerts
from incidents.domain import apply_event as events
from incidents.domain.activity_requests import SendMail, SendPage, SettlePage
from incidents.domain.agenda import agenda
from incidents.domain.alerting.config import TriagePage, UnknownService
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.chat.activity_requests import DirectMessage
from incidents.domain.config.communication import Channel
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.errors import RunbookError
from incidents.domain.incident import commands as c
from incidents.domain.incident.checklist import Step, StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident, opening_from
from incidents.domain.obligation import ObligationKind
from incidents.domain.updates.publishing import used_channels
from tests.support.incidents import RUNBOOK, T0, TEXT, at, fulfil, keys, lived, obligation, settled

GARBAGE = {"title": "x"}


def arrived(payload: dict[str, Any], runbook: RunbookConfig = RUNBOOK) -> Incident:
    alerts = parse_alerts(payload, T0)
    opening = opening_from(alerts, "k", runbook)
    incident = open_incident(opening, runbook, T0, workflow_id="incident-k", first_run_id="r")
    return events.alert_fired(incident, alerts, runbook, T0)


def announced(incident: Incident) -> str:
    return "\n".join(entry.text for entry in incident.timeline if entry.announce)


def paging(page: TriagePage, contact: str = "") -> RunbookConfig:
    intake = RUNBOOK.intake.replace(unknown_service=UnknownService(page=page, contact=contact))
    return RUNBOOK.replace(intake=intake)


@pytest.mark.parametrize(
    ("payload", "wrong"),
    [
        (GARBAGE, "The alert has no service label; 'x' is its name."),
        ({"title": "y", "service": "flag-evalution"}, "runbook.yaml has no service 'flag-evalution'."),
    ],
)
def test_97_it_is_opened_and_says_what_is_wrong_and_what_to_do(payload: dict[str, Any], wrong: str) -> None:
    incident = arrived(payload)
    said = announced(incident)
    assert f"UNKNOWN SERVICE: {wrong}" in said
    assert "flag-evaluation, dashboard, webhooks" in said
    assert "incident assess NUMBER" in said
    page = request(obligation(incident, "page/0"), incident, RUNBOOK, T0)
    assert isinstance(page, SendPage)
    assert page.details["triage"].startswith(wrong)


def test_97_one_page_no_escalation_and_nothing_for_customers() -> None:
    incident = lived(arrived(GARBAGE), 0, 300)
    assert [call.key for call in incident.paging.calls] == ["page/0/P1"]
    assert set(used_channels(incident)) == {Channel.SLACK}
    assert not [o for o in agenda(incident, RUNBOOK) if o.kind is ObligationKind.ESCALATE]
    assert incident.step(Step.COMMUNICATE).status is StepStatus.PENDING
    resolved = apply_command(incident, c.Resolve(by="ann", force=True, reason="noise"), RUNBOOK, at(301))
    assert set(used_channels(resolved)) == {Channel.SLACK}, "nor is its end told to customers"


def test_97_a_responder_may_escalate_it_all_the_same() -> None:
    incident = apply_command(settled(arrived(GARBAGE), T0), c.Escalate(by="ann"), RUNBOOK, at(3))
    owed = {o.subject for o in agenda(incident, RUNBOOK) if o.kind is ObligationKind.ESCALATE}
    assert owed == {RUNBOOK.policy("P1").escalation[0].contact}


def test_97_naming_the_service_begins_the_communication() -> None:
    incident = settled(arrived(GARBAGE), T0)
    still = apply_command(incident, c.Assess(by="ann", impact="Slow.", services=("nothing",)), RUNBOOK, at(4))
    assert still.alerting.unknown_service
    named = c.Assess(by="ann", impact="Webhooks are late.", services=("webhooks",))
    incident = settled(apply_command(incident, named, RUNBOOK, at(5)), at(5))
    assert (incident.service, incident.alerting.unknown_service) == ("webhooks", "")
    assert incident.updates.published[-1].channels == RUNBOOK.policy("P1").updates.channels
    assert incident.step(Step.COMMUNICATE).status is StepStatus.DONE
    assert "Service named: webhooks" in announced(incident)
    assert keys(incident, "escalate/"), "it is escalated as any other from now on"


def test_97_the_page_is_acknowledged_where_it_went() -> None:
    runbook = paging(TriagePage.ONCE, "engineering_manager")
    incident = settled(arrived(GARBAGE, runbook), T0)
    page = request(obligation(arrived(GARBAGE, runbook), "page/0"), arrived(GARBAGE, runbook), runbook, T0)
    assert isinstance(page, SendPage)
    assert page.to == "engineering_manager"
    calls = tuple(call.replace(contact="engineering_manager") for call in incident.paging.calls)
    incident = incident.replace(paging=incident.paging.replace(calls=calls))
    incident = apply_command(incident, c.Assess(by="a", impact="Slow.", services=("webhooks",)), runbook, at(1))
    incident = apply_command(incident, c.Acknowledge(by="ann"), runbook, at(2))
    settle = request(obligation(incident, "page-ack/0"), incident, runbook, at(2))
    assert isinstance(settle, SettlePage)
    assert settle.to == "engineering_manager"


def test_97_the_runbook_may_page_nobody_and_tell_the_contact() -> None:
    runbook = paging(TriagePage.NEVER, "engineering_manager")
    incident = arrived(GARBAGE, runbook).replace(number=7)
    owed = [o for o in agenda(incident, runbook) if o.kind in (ObligationKind.PAGE, ObligationKind.ESCALATE)]
    sent = [request(o, incident, runbook, T0) for o in owed]
    assert {type(one) for one in sent} == {DirectMessage, SendMail}
    for one in sent:
        assert isinstance(one, DirectMessage | SendMail)
        assert "has no service label" in one.text


def test_97_or_as_for_any_other() -> None:
    runbook = paging(TriagePage.AS_SEVERITY)
    owed = [o.subject for o in agenda(arrived(GARBAGE, runbook), runbook) if o.kind is ObligationKind.ESCALATE]
    assert "vp_engineering" in owed


def test_97_a_runbook_without_services_knows_every_one() -> None:
    runbook = RUNBOOK.replace(services=())
    assert not arrived({"title": "y", "service": "anything"}, runbook).alerting.unknown_service
    assert not arrived({"title": "y", "service": "webhooks"}).alerting.unknown_service


def test_97_the_contact_must_exist() -> None:
    with pytest.raises(RunbookError, match=r"intake\.unknown_service\.contact: 'nobody' is not among contacts"):
        parse_runbook(TEXT.replace("    contact: on_call # who triages it", "    contact: nobody"))


def test_97_after_a_reopening_triage_is_asked_for_again() -> None:
    runbook = paging(TriagePage.NEVER)
    incident = settled(arrived(GARBAGE, runbook), T0)
    asked = [o for o in agenda(incident, runbook) if o.key.startswith("triage/")]
    assert {o.key for o in asked} == {"triage/slack", "triage/email"}
    for owed in asked:
        incident = fulfil(incident, owed, T0)
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="noise"), runbook, at(5))
    again = events.alert_fired(incident, parse_alerts({"title": "x", "service": "y"}, at(20)), runbook, at(20))
    assert {o.key for o in agenda(again, runbook) if o.key.startswith("triage/")} == {
        "triage/1/slack",
        "triage/1/email",
    }
