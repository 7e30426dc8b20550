"""101: who is mailed, what the status page shows as affected, and under which title."""

from typing import Any

import pytest
from pydantic import ValidationError

from incidents.domain import apply_result
from incidents.domain.activity_requests import ActivityRequest, OpenTicket, PublishStatus, RetitleTicket, SendMail
from incidents.domain.activity_results import ActivityResult
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command
from incidents.domain.customers.config import CustomersSection, Inform
from incidents.domain.customers.directory import CustomerDirectory
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.recipients import AddressBook
from incidents.domain.updates.build_request import ticket, ticket_request
from incidents.domain.updates.obligations import deliveries, ticket_owed
from tests.support.incidents import RUNBOOK, T0, at, fulfil, opened, settled

CONTACTS = {"ACME": "ops@acme.example", "Globex": "it@globex.example"}
COMPONENTS = {"flag-evaluation": "c-flags", "webhooks": "c-hooks", "dashboard": "c-dash"}


BOOK = AddressBook(customers=CustomerDirectory(CustomersSection(contacts=CONTACTS, emails=("all@list.example",))))


def runbook(**customers: Any) -> RunbookConfig:
    known = {"names": tuple(CONTACTS), "listed": True} | customers
    return RUNBOOK.replace(
        customers=RUNBOOK.customers.replace(**known),
        status_page=RUNBOOK.status_page.replace(components=COMPONENTS),
    )


def told(incident: Incident, config: RunbookConfig, channel: Channel) -> ActivityRequest | ActivityResult:
    """What the newest update on that channel asks for."""
    [owed] = [o for o in deliveries(incident, config) if o.subject == channel]
    return request(owed, incident, config, at(2))


def customers(incident: Incident, config: RunbookConfig) -> list[str]:
    """The addresses of customers that the newest update is mailed to, by the book of a worker with this runbook."""
    mail = told(incident, config, Channel.EMAIL)
    assert isinstance(mail, SendMail)
    addresses = BOOK.find(mail.to)
    return [address for address in addresses if not address.endswith("@featuresignals.com")]


def components(incident: Incident, config: RunbookConfig) -> dict[str, str]:
    page = told(incident, config, Channel.STATUS_PAGE)
    assert isinstance(page, PublishStatus)
    return page.components


def assessed(incident: Incident, config: RunbookConfig, **said: Any) -> Incident:
    incident = apply_command(incident, c.Assess(by="ann", impact="It is slow.", **said), config, at(2))
    return apply_command(incident, c.PostUpdate(by="ann", text="We are on it."), config, at(2))


@pytest.mark.parametrize(
    ("inform", "named", "mailed"),
    [
        (Inform.ALL, (), ["all@list.example"]),
        (Inform.ALL, ("acme",), ["all@list.example", "ops@acme.example"]),
        (Inform.AFFECTED, (), []),
        (Inform.AFFECTED, ("ACME", " globex"), ["ops@acme.example", "it@globex.example"]),
    ],
)
def test_101_affected_customers_are_mailed_and_others_by_policy(
    inform: Inform, named: tuple[str, ...], mailed: list[str]
) -> None:
    config = runbook(inform=inform)
    assert customers(assessed(settled(opened(), T0), config, customers=named), config) == mailed


def test_101_in_a_complete_outage_everyone_is_affected() -> None:
    config = runbook(inform=Inform.AFFECTED)
    incident = assessed(settled(opened(), T0), config, complete_outage=True)
    assert customers(incident, config) == ["all@list.example"]


def test_101_recipients_of_an_update_get_the_last_one() -> None:
    config = runbook(inform=Inform.AFFECTED)
    incident = assessed(settled(opened(), T0), config, customers=("ACME",))
    incident = begun(incident, config, Channel.EMAIL)
    incident = assessed(incident, config, customers=("Globex",))
    assert customers(incident, config) == ["it@globex.example"], "ACME is not affected after all"
    resolved = apply_command(incident, c.Resolve(by="ann", force=True, reason="well"), config, at(3))
    assert customers(resolved, config) == ["it@globex.example", "ops@acme.example"]


def begun(incident: Incident, config: RunbookConfig, channel: Channel) -> Incident:
    [owed] = [o for o in deliveries(incident, config) if o.subject == channel]
    return apply_result.begun(incident, owed, config)


def test_101_a_private_incident_is_told_to_no_customer() -> None:
    config = runbook()
    incident = assessed(settled(opened(), T0), config, customers=("ACME",)).replace(private=True)
    assert customers(incident, config) == []


def test_101_names_that_the_runbook_does_not_know_are_said() -> None:
    incident = assessed(settled(opened(), T0), runbook(), customers=("ACME", "Initech"), services=("Billing",))
    text = next(entry.text for entry in incident.timeline if entry.kind == "assessed")
    assert "no e-mail address in runbook.yaml: Initech" in text
    assert "no such service: Billing, runbook.yaml has flag-evaluation, dashboard, webhooks" in text
    assert incident.assessment is not None


def test_101_services_of_the_assessment_set_their_components() -> None:
    config = runbook()
    incident = settled(opened(), T0)
    assert components(incident_with_update(incident, config), config) == {"c-flags": "major_outage"}
    incident = assessed(incident, config, services=("Webhooks",))
    assert components(incident, config) == {"c-flags": "major_outage", "c-hooks": "major_outage"}
    incident = begun(incident, config, Channel.STATUS_PAGE)
    corrected = assessed(incident, config, services=("dashboard",))
    assert components(corrected, config) == {
        "c-flags": "major_outage",
        "c-hooks": "operational",
        "c-dash": "major_outage",
    }
    resolved = apply_command(corrected, c.Resolve(by="ann", force=True, reason="well"), config, at(3))
    assert set(components(resolved, config).values()) == {"operational"}


def incident_with_update(incident: Incident, config: RunbookConfig) -> Incident:
    return apply_command(incident, c.PostUpdate(by="ann", text="We are on it."), config, at(1))


def test_101_the_page_has_the_templates_subject_and_follows_a_better_title() -> None:
    config = runbook()
    incident = incident_with_update(settled(opened(), T0), config)
    before = told(incident, config, Channel.STATUS_PAGE)
    after = told(assessed(incident, config, title="Flags fail"), config, Channel.STATUS_PAGE)
    assert isinstance(before, PublishStatus)
    assert isinstance(after, PublishStatus)
    assert before.title == "[INCIDENT] FeatureSignals P0 — Flag evaluation disruption"
    assert after.title == "[INCIDENT] FeatureSignals P0 — Flags fail"


def tickets(incident: Incident) -> list[Obligation]:
    return [o for o in ticket_owed(incident, RUNBOOK) if not incident.ledger.settled(o.key)]


def test_101_the_ticket_has_the_templates_subject_and_follows_a_better_title() -> None:
    incident = opened("P3").replace(number=1)
    [owed] = tickets(incident)
    asked = request(owed, incident, RUNBOOK, T0)
    assert isinstance(asked, OpenTicket)
    assert asked.title == "[INCIDENT] FeatureSignals P3 — Flag evaluation disruption"
    assert asked.body.startswith("INC-1 · P3 · flag-evaluation (production)")
    incident = fulfil(incident, owed, T0)
    incident = incident.replace(resources=incident.resources.replace(ticket=7))
    assert tickets(incident) == []
    titles = []
    for title in ("A typo", "A typo", "Two typos", "A typo"):
        incident = apply_command(incident, c.Assess(by="ann", impact="A typo.", title=title), RUNBOOK, at(2))
        for owed in tickets(incident):
            assert owed.kind is ObligationKind.TICKET
            renamed = request(owed, incident, RUNBOOK, at(2))
            assert isinstance(renamed, RetitleTicket)
            assert renamed.ticket == 7
            titles.append(renamed.title.partition(" — ")[2])
            incident = fulfil(incident, owed, at(2))
    assert titles == ["A typo", "Two typos", "A typo"]


@pytest.mark.parametrize("private", [False, True])
def test_101_a_ticket_is_renamed_to_the_title_that_it_would_be_opened_with(private: bool) -> None:
    service = RUNBOOK.services[0].replace(public_name="Flags " * 100)
    config = RUNBOOK.replace(services=(service, *RUNBOOK.services[1:]))
    incident = settled(opened(), T0).replace(private=private)
    incident = incident.replace(resources=incident.resources.replace(ticket=7))
    owed = Obligation(key="ticket", kind=ObligationKind.TICKET, due=T0, since=T0, summary="")
    opening, renamed = (
        ticket(owed, incident, config, T0),
        ticket_request(owed.replace(sequence=1), incident, config, T0),
    )
    assert isinstance(renamed, RetitleTicket)
    assert renamed.title == opening.title
    assert len(renamed.title) <= 256
    assert renamed.title.endswith("…") is not private, "what is cut shows that"
    assert ("Flags" in renamed.title) is not private


def test_100_the_ticket_of_a_private_incident_says_nothing_of_it() -> None:
    incident = opened("P3").replace(number=1)
    [owed] = tickets(incident)
    opening = ticket(owed, incident.replace(private=True, title="Break-in at the vault"), RUNBOOK, T0)
    assert "vault" not in opening.title + opening.body


def test_101_customers_stand_in_the_state_by_name_and_not_by_address() -> None:
    config = runbook()
    incident = begun(assessed(settled(opened(), T0), config, customers=("ACME", "Initech")), config, Channel.EMAIL)
    assert "@" not in incident.customers.model_dump_json()
    assert (incident.customers.mailed, incident.customers.mailed_all) == (("ACME", "Initech"), True)


def test_101_all_who_were_mailed_in_a_complete_outage_get_the_last_update() -> None:
    config = runbook(inform=Inform.AFFECTED)
    incident = begun(assessed(settled(opened(), T0), config, complete_outage=True), config, Channel.EMAIL)
    incident = assessed(incident, config, customers=("Globex",))
    assert customers(incident, config) == ["it@globex.example"]
    resolved = apply_command(incident, c.Resolve(by="ann", force=True, reason="well"), config, at(3))
    assert customers(resolved, config) == ["all@list.example", "it@globex.example"]


def test_101_a_customer_whom_only_a_newer_runbook_lists_is_mailed_too() -> None:
    config = runbook(inform=Inform.AFFECTED, names=())
    assert customers(assessed(settled(opened(), T0), config, customers=("ACME",)), config) == ["ops@acme.example"]


def test_101_a_runbook_without_customers_names_no_recipient() -> None:
    config = runbook(listed=False)
    config = config.replace(people=config.people.replace(stakeholders=()))
    asked = told(assessed(settled(opened(), T0), config), config, Channel.EMAIL)
    assert asked == ActivityResult(skipped="runbook.yaml names no recipients")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (c.Assess, {"by": "ann", "impact": "It is slow.", "customers": ("ops@acme.example",)}),
        (c.ConfirmRecovery, {"by": "ann", "customer": "ops@acme.example"}),
    ],
)
def test_101_a_customer_is_not_named_by_an_address(kind: type[Command], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="name the customer as runbook") as refused:
        kind.model_validate(fields)
    assert "acme" not in str(refused.value), "the error may be logged"
