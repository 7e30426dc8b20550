"""Mails that bounced or were never sent on: an escalation goes the next way (behaviour 45), others are noted once.

A bounce names the mail by its operation key, and a customer by name: no address comes into an incident.
"""

from datetime import datetime

from pydantic import Field

from incidents.domain.config.communication import Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.ledger import Unfulfilled
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.customers.config import LISTED, CustomerName
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.steps import update_steps
from incidents.domain.paging.state import Call

_REMEMBERED = 100
"""Events of which the ids are kept. An incident escalates by far fewer mails."""


class MailBounce(Frozen):
    """A mail that did not arrive.

    `event`: the id of the vendor's event, the same when it is reported again. `key`: the mail's operation key.
    `reason`: in the vendor's words, without an address. `customer`: the name of the customer whom it was for, `LISTED`
    for one of `customers.emails`, "" for one of our own people.
    """

    event: str = Field(min_length=1, max_length=200)
    key: str = Field(max_length=1000)
    reason: str = Field(default="", max_length=200)
    customer: CustomerName = Field(default="", max_length=200)


def apply_bounces(
    incident: Incident, bounces: tuple[MailBounce, ...], runbook: RunbookConfig, at: datetime
) -> Incident:
    """Take in bounces of mails of this incident; those of an earlier one with the same workflow id change nothing."""
    for bounce in bounces:
        incident = _apply(incident, bounce, runbook, at)
    return incident


def _apply(incident: Incident, bounce: MailBounce, runbook: RunbookConfig, at: datetime) -> Incident:
    run, _, key = bounce.key.partition("/")
    if run != incident.first_run_id:
        return incident
    if bounce.customer:
        return _note(incident, bounce, at)
    calls = (call for call in incident.paging.calls if call.key == key and call.reach is Reach.EMAIL)
    if (call := next(calls, None)) is not None:
        return _go_next_way(incident, call, bounce, runbook, at)
    return _note(incident, bounce, at)


def _go_next_way(incident: Incident, call: Call, bounce: MailBounce, runbook: RunbookConfig, at: datetime) -> Incident:
    """Count an escalation by mail as failed, so that the ladder goes on with the contact's next way, or the next rung.

    Reported again, it changes nothing, even if the mail was sent again since.
    """
    updates = incident.updates
    if bounce.event in updates.bounce_events:
        return incident
    events = (*updates.bounce_events, bounce.event)[-_REMEMBERED:]
    incident = incident.replace(updates=updates.replace(bounce_events=events))
    ledger = incident.ledger
    if call.key not in ledger.fulfilled and not ledger.is_begun(call.key):
        return incident
    fulfilled = tuple(key for key in ledger.fulfilled if key != call.key)
    incident = incident.replace(ledger=ledger.end_attempt(call.key).replace(fulfilled=fulfilled))
    incident = incident.with_failure(
        Unfulfilled(key=call.key, reason=f"the mail was not delivered{_why(bounce)}", at=at)
    )
    contact = runbook.contacts[call.contact].name if call.contact in runbook.contacts else call.contact
    text = f"Failed: escalate to {contact} by email: the mail was not delivered{_why(bounce)}"
    return update_steps(incident.logged(at, SYSTEM, Kind.ESCALATION, text, announce=True), runbook, at)


def _note(incident: Incident, bounce: MailBounce, at: datetime) -> Incident:
    """Say once of each customer, in the channel, that mail does not reach them; of our own people once in all."""
    updates = incident.updates
    if bounce.customer in updates.bounced:
        return incident
    incident = incident.replace(updates=updates.replace(bounced=(*updates.bounced, bounce.customer)))
    if not bounce.customer:
        text = f"Mail to one of our own people was not delivered{_why(bounce)}"
        return incident.logged(at, SYSTEM, Kind.DELIVERY, text)
    who = "a customer in customers.emails" if bounce.customer == LISTED else bounce.customer
    text = f"Mail to {who} was not delivered{_why(bounce)}. Reach them another way"
    return incident.logged(at, SYSTEM, Kind.DELIVERY, text, announce=True)


def _why(bounce: MailBounce) -> str:
    return f" ({bounce.reason})" if bounce.reason else ""
