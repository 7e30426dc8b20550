"""60: customers are asked by mail whether service is restored; their answers and their silence are recorded."""

from datetime import timedelta

import pytest

from incidents.domain.customers.config import CustomersSection
from incidents.domain.incident.commands import Acknowledge, ConfirmRecovery
from incidents.domain.rollback.commands import ApproveRollback, JudgeRollback
from incidents.domain.rollback.state import RollbackStatus
from tests.support.communication.environment import Stage, minutes
from tests.support.scripted_incidents import a_bad_release


@pytest.fixture
def customers() -> CustomersSection:
    contacts = {"ACME": "ops@acme.example", "Globex": "it@globex.example"}
    return CustomersSection(contacts=contacts, answer_within=timedelta(hours=1))


async def rolled_back(stage: Stage) -> None:
    """A P0 of a bad release that is rolled back; nobody knows the normal latency, so ann judges it healthy."""
    rules = stage.runbook.rollback
    quick = {"probe_interval": timedelta(milliseconds=20), "window": timedelta(milliseconds=100), "healthy_probes": 2}
    quick |= {"min_samples": 2, "give_up_after": timedelta(milliseconds=500)}
    stage.runbook = stage.runbook.replace(rollback=rules.replace(**quick))
    await a_bad_release(stage)
    await stage.open(labels={"region": "eu"}, settle=False)
    await stage.settled()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(5)
    await stage.tell(ApproveRollback(by="ann"))
    incident = await stage.incident()
    assert incident.rollback.clusters[0].status is RollbackStatus.INCONCLUSIVE, incident.rollback.clusters[0].detail
    await stage.tell(JudgeRollback(by="ann", healthy=True, reason="the dashboards are green"))


async def test_60_customers_are_asked_and_who_is_silent_is_recorded(stage: Stage) -> None:
    await rolled_back(stage)
    asked = stage.mails("confirmation")
    assert {(mail.where, mail.minute) for mail in asked} == {("ops@acme.example", 5), ("it@globex.example", 5)}
    assert all("Is service restored for you?" in mail.text for mail in asked)
    await stage.at(12)
    await stage.tell(ConfirmRecovery(by="bob", customer="ACME", restored=False, note="still slow"))
    await stage.at(70)
    said = await stage.said()
    assert "ACME: service is NOT restored (still slow)" in said
    assert "Globex did not answer whether service is restored" in said
    assert "ACME did not answer whether service is restored" not in said
    assert minutes(stage.mails("confirmation")) == [5, 5], "nobody is asked twice"
    assert (await stage.incident()).status == "monitoring", "nothing waits for the answers"
