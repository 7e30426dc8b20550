"""Obligations to customers: ask whether service is restored, and record who did not answer."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE_OR_OVER,
    ObligationSpec,
    Owed,
)
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.updates.messages import customer_question


def customers_to_ask(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield requests for customer confirmation after a successful rollback (runbook, rollback step 4).

    It holds up nothing. Whoever has not answered in time is recorded as such.
    """
    since = incident.mitigated_at
    helped = any(state.status is RollbackStatus.HEALTHY for state in incident.rollbacks)
    if since is None or not helped or incident.number is None or incident.status == Status.CANCELLED:
        return
    if incident.private:  # customers of a private incident are not contacted (behaviour 24)
        return
    for customer in affected(incident, runbook):
        key = f"customer/{since.isoformat()}/{customer}"
        yield at_once(
            ObligationKind.ASK_CUSTOMER, key, since, f"Ask {customer} whether service is restored", subject=customer
        )
        if incident.standing(key) is not StepStatus.DONE:
            continue
        if not any(said.customer == customer and said.at >= since for said in incident.confirmations):
            yield Obligation(
                key=f"{key}/unanswered",
                kind=ObligationKind.NO_ANSWER,
                due=since + runbook.customers.answer_within,
                since=since,
                says=f"Deadline for the answer of {customer}",
                subject=customer,
            )


def affected(incident: Incident, runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the customers to ask: those of the assessment, or else all in runbook.yaml."""
    named = incident.assessment.customers if incident.assessment else ()
    return tuple(dict.fromkeys(named or runbook.customers.contacts))


def build_question(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Mail a customer the question whether service is restored."""
    address = runbook.customers.contacts.get(obligation.subject, obligation.subject)
    if "@" not in address:
        return ActivityResult(skipped=f"the runbook has no address of {obligation.subject} (customers, contacts)")
    message = customer_question(incident, runbook)
    return activity_requests.SendMail(
        key=obligation.key,
        to=(address,),
        subject=message.subject,
        text=message.body,
        thread=incident.first_run_id,
        sequence=0,
        category="confirmation",
    )


def unanswered(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record that a customer did not say whether service is restored: never taken for a yes (behaviour 60)."""
    incident = incident.replace(fulfilled=(*incident.fulfilled, obligation.key))
    text = f"{obligation.subject} did not answer whether service is restored"
    return incident.logged(at, SYSTEM, Kind.CONFIRMATION, text)


_ASK = Owed(customers_to_ask, LIVE_OR_OVER, survives=False)
ASK_CUSTOMER = ObligationSpec(
    ObligationKind.ASK_CUSTOMER, (_ASK,), build_request=build_question, timeline=Kind.CONFIRMATION
)
NO_ANSWER = ObligationSpec(ObligationKind.NO_ANSWER, (_ASK,), apply_due=unanswered)
