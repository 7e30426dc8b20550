"""60: customers are asked whether service is restored for them."""

from datetime import timedelta
from typing import Any

import pytest

from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import SendMail
from incidents.domain.activity_results import ActivityResult
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.status import Status
from incidents.domain.customers.config import Inform
from incidents.domain.incident import commands as c
from incidents.domain.obligation import ObligationKind
from incidents.domain.recipients import CustomerNamed
from tests.domain.rollback.attempts import S, approved, ended, of, offered
from tests.support.incidents import RUNBOOK, at, keys, settled


def with_customers(**rules: Any) -> RunbookConfig:
    return RUNBOOK.replace(customers=RUNBOOK.customers.replace(names=("ACME", "Globex"), **rules))


def test_60_affected_customers_are_asked_after_a_rollback_that_helped() -> None:
    runbook = with_customers()
    impact = c.Assess(by="ann", impact="slow", customers=("ACME", "Initech"))
    incident = ended(apply_command(approved(), impact, runbook, at(2)), S.HEALTHY, runbook=runbook)
    asked = {
        o.subject: request(o, incident, runbook, at(3)) for o in of(incident, ObligationKind.ASK_CUSTOMER, runbook)
    }
    acme, initech = asked["ACME"], asked["Initech"]
    assert isinstance(acme, SendMail)
    assert isinstance(initech, SendMail)
    assert (acme.to, initech.to) == ((CustomerNamed(name="ACME"),), (CustomerNamed(name="Initech"),))
    assert "Is service restored for you?" in acme.text
    assert "eu-001" not in acme.text, "nothing internal"
    assert "v2" not in acme.text
    assert incident.status == Status.MONITORING, "and nothing waits for them"


def test_60_without_an_assessment_all_whom_the_runbook_knows_are_asked() -> None:
    runbook = with_customers()
    incident = ended(approved(), S.HEALTHY, runbook=runbook)
    assert [o.subject for o in of(incident, ObligationKind.ASK_CUSTOMER, runbook)] == ["ACME", "Globex"]


def test_60_no_answer_is_recorded_as_no_answer() -> None:
    runbook = with_customers(answer_within=timedelta(hours=1))
    incident = ended(approved(), S.HEALTHY, runbook=runbook)
    for ask in of(incident, ObligationKind.ASK_CUSTOMER, runbook):
        incident = outcomes.fulfilled(incident, ask, ActivityResult(), runbook, at(3))
    incident = apply_command(incident, c.ConfirmRecovery(by="ann", customer="ACME"), runbook, at(20))
    [silent] = of(incident, ObligationKind.NO_ANSWER, runbook)
    assert (silent.subject, silent.due) == ("Globex", at(63))

    incident = outcomes.apply_due(incident, silent, runbook, at(63))
    assert incident.timeline[-1].text == "Globex did not answer whether service is restored"
    assert [said.customer for said in incident.customers.confirmations] == ["ACME"]


def test_60_it_does_not_end_before_the_answers_are_in_or_overdue() -> None:
    runbook = with_customers(answer_within=timedelta(hours=30))
    incident = settled(ended(approved(), S.HEALTHY, runbook=runbook), at(3))

    for ask in of(incident, ObligationKind.ASK_CUSTOMER, runbook):
        incident = outcomes.fulfilled(incident, ask, ActivityResult(), runbook, at(3))
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="x"), runbook, at(5))
    [close] = of(incident, ObligationKind.CLOSE, runbook)
    assert close.due == at(3) + timedelta(hours=30)


def test_nobody_is_asked_after_a_recovery_without_a_rollback() -> None:
    incident = apply_command(offered(), c.Monitor(by="ann"), with_customers(), at(1))
    assert not keys(incident, "customer/")


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({}, []),
        ({"customers": ("ACME",)}, ["ACME"]),
        ({"complete_outage": True}, ["ACME", "Globex"]),
    ],
)
def test_60_where_only_the_affected_are_informed_nobody_else_is_asked(said: dict[str, Any], asked: list[str]) -> None:
    runbook = with_customers(inform=Inform.AFFECTED)
    impact = c.Assess.model_validate({"by": "ann", "impact": "slow"} | said)
    incident = ended(apply_command(approved(), impact, runbook, at(2)), S.HEALTHY, runbook=runbook)
    assert [o.subject for o in of(incident, ObligationKind.ASK_CUSTOMER, runbook)] == asked
