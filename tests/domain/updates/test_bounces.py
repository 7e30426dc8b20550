"""Mails that did not arrive: an escalation goes the next way (45), a customer's is noted once, without an address."""

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from incidents.domain import apply_result
from incidents.domain.activity_results import MailSent
from incidents.domain.apply_event import apply_bounces
from incidents.domain.config.communication import Reach, Rung
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.timeline import Entry
from incidents.domain.customers.config import LISTED
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.paging.ladder import ladder
from incidents.domain.updates.bounces import MailBounce
from tests.support.incidents import RUNBOOK, T0, at, opened, settled

MAIL = "escalate/P0/0/cto/email"
LATER = Rung(contact="ceo", after=timedelta(hours=3), by=(Reach.PAGE,))


def laddered(*by: Reach) -> RunbookConfig:
    """The runbook with a ladder of two rungs, the first one called at once by these ways."""
    rungs = (Rung(contact="cto", after=timedelta(), by=by), LATER)
    severities = RUNBOOK.severities | {"P0": RUNBOOK.policy("P0").replace(escalation=rungs)}
    return RUNBOOK.replace(severities=severities)


def bounce(key: str = MAIL, event: str = "event-1", **fields: str) -> MailBounce:
    return MailBounce(**{"event": event, "key": f"run-1/{key}", "reason": "5.1.1 Invalid Address"} | fields)


def owed(incident: Incident, runbook: RunbookConfig) -> list[tuple[str, str, datetime]]:
    """The escalations that are not settled: to whom, how and when."""
    found = (o for o in ladder(incident, runbook) if o.kind is ObligationKind.ESCALATE)
    return [(o.subject, str(o.by), o.due) for o in found if not incident.ledger.settled(o.key)]


def called(incident: Incident, obligation: Obligation, runbook: RunbookConfig, when: datetime) -> Incident:
    """Do an escalation, as the workflow would."""
    begun = apply_result.begun(incident, obligation, runbook)
    return apply_result.fulfilled(begun, obligation, MailSent(detail="sent to 1 recipient"), runbook, when)


def escalated(runbook: RunbookConfig) -> Incident:
    """An incident whose first rung was called."""
    incident = opened()
    for obligation in list(ladder(incident, runbook)):
        if obligation.due == T0:
            incident = called(incident, obligation, runbook, T0)
    assert incident.standing(MAIL) is StepStatus.DONE
    return incident


def news(before: Incident, after: Incident) -> list[Entry]:
    return list(after.timeline[len(before.timeline) :])


def test_45_a_bounced_escalation_goes_the_next_way_and_then_to_the_next_rung() -> None:
    runbook = laddered(Reach.EMAIL)
    incident = escalated(runbook)
    assert owed(incident, runbook) == [("ceo", "page", at(180))]
    bounced = apply_bounces(incident, (bounce(),), runbook, at(5))
    assert owed(bounced, runbook) == [("cto", "page", T0), ("ceo", "page", at(180))]
    [entry] = news(incident, bounced)
    assert entry.text == "Failed: escalate to CTO by email: the mail was not delivered (5.1.1 Invalid Address)"
    assert entry.announce
    unreachable = bounced
    for other in ("page", "slack"):
        failure = bounced.ledger.failures[0].replace(key=Key("escalate", "P0", 0, "cto", other))
        unreachable = unreachable.with_failure(failure)
    assert owed(unreachable, runbook) == [("ceo", "page", at(5))], "brought forward to when it was known"


def test_45_someone_who_was_reached_another_way_is_not_called_again() -> None:
    runbook = laddered(Reach.PAGE, Reach.EMAIL)
    bounced = apply_bounces(escalated(runbook), (bounce(),), runbook, at(5))
    assert bounced.standing(MAIL) is StepStatus.FAILED
    assert owed(bounced, runbook) == [("ceo", "page", at(180))]


def test_45_the_same_event_counts_once_even_after_the_mail_was_sent_again() -> None:
    runbook = laddered(Reach.EMAIL)
    bounced = apply_bounces(escalated(runbook), (bounce(), bounce()), runbook, at(5))
    assert apply_bounces(bounced, (bounce(),), runbook, at(6)) == bounced
    again = bounced.replace(ledger=bounced.ledger.without({MAIL})).with_fulfilled(bounced.ledger.failures[0].key)
    assert apply_bounces(again, (bounce(),), runbook, at(7)) == again
    twice = apply_bounces(again, (bounce(event="event-2"),), runbook, at(8))
    assert twice.standing(MAIL) is StepStatus.FAILED, "the second mail bounced, too"


def test_45_a_bounce_that_comes_before_the_result_of_the_mail_counts() -> None:
    runbook = laddered(Reach.EMAIL)
    incident = escalated(runbook)
    [key] = [key for key in incident.ledger.fulfilled if key == MAIL]
    begun = incident.replace(ledger=incident.ledger.without({MAIL}).begin(key, "escalate"))
    bounced = apply_bounces(begun, (bounce(),), runbook, at(5))
    [mail] = [o for o in ladder(incident, runbook) if o.key == MAIL]
    assert called(bounced, mail, runbook, at(6)).standing(MAIL) is StepStatus.FAILED


def test_a_bounce_of_an_earlier_incident_changes_nothing() -> None:
    """A later incident of the same alert has the same workflow id."""
    incident = escalated(laddered(Reach.EMAIL))
    assert apply_bounces(incident, (bounce(key="x").replace(key=f"run-0/{MAIL}"),), RUNBOOK, at(5)) == incident


def test_a_bounce_to_a_customer_is_noted_once_for_a_person() -> None:
    incident = settled(opened(), T0)
    first = bounce("update/1/email", customer="ACME")
    noted = apply_bounces(incident, (first,), RUNBOOK, at(5))
    [entry] = news(incident, noted)
    assert entry.text == "Mail to ACME was not delivered (5.1.1 Invalid Address). Reach them another way"
    assert entry.announce
    again = (first, first.replace(event="event-2"), bounce("update/2/email", "event-3", customer="ACME"))
    assert apply_bounces(noted, again, RUNBOOK, at(6)) == noted
    other = apply_bounces(noted, (bounce("update/2/email", "event-4", customer=LISTED, reason=""),), RUNBOOK, at(7))
    assert [entry.text for entry in news(noted, other)] == [
        "Mail to a customer in customers.emails was not delivered. Reach them another way"
    ]


def test_a_bounce_to_our_own_people_is_recorded_and_not_announced() -> None:
    incident = settled(opened(), T0)
    noted = apply_bounces(incident, (bounce("update/1/email"), bounce("update/2/email", "event-2")), RUNBOOK, at(5))
    [entry] = news(incident, noted)
    assert entry.text == "Mail to one of our own people was not delivered (5.1.1 Invalid Address)"
    assert not entry.announce


def test_a_bounce_cannot_carry_an_address() -> None:
    with pytest.raises(ValidationError):
        bounce(customer="ops@acme.example")
