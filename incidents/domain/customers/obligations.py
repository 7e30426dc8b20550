"""Obligations to customers: ask whether service is restored, and record who did not answer."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.status import Status
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE_OR_OVER,
    ObligationSpec,
    Owed,
)
from incidents.domain.recipients import CustomerNamed
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.updates.audience import everyone_is_informed
from incidents.domain.updates.messages import customer_question, mail_footer, public_title


def customers_to_ask(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield requests for customer confirmation after a successful rollback (runbook, rollback step 4).

    It blocks nothing. A missing answer is recorded as no answer.
    """
    since = incident.mitigated_at
    helped = any(state.status is RollbackStatus.HEALTHY for state in incident.rollback.clusters)
    if since is None or not helped or incident.number is None or incident.status == Status.CANCELLED:
        return
    if incident.private:  # customers of a private incident are not contacted (behaviour 24)
        return
    for customer in affected(incident, runbook):
        key = Key("customer", since.isoformat(), customer)
        yield at_once(
            ObligationKind.ASK_CUSTOMER, key, since, f"Ask {customer} whether service is restored", subject=customer
        )
        if incident.standing(key) is not StepStatus.DONE:
            continue
        if not any(said.customer == customer and said.at >= since for said in incident.customers.confirmations):
            yield Obligation(
                key=key.under("unanswered"),
                kind=ObligationKind.NO_ANSWER,
                due=since + runbook.customers.answer_within,
                since=since,
                summary=f"Deadline for the answer of {customer}",
                subject=customer,
            )


def affected(incident: Incident, runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the customers to ask: those of the assessment, or else all in runbook.yaml.

    Where only the affected ones are informed, nobody else is asked either, but in a complete outage.
    """
    named = incident.assessment.customers if incident.assessment else ()
    others = runbook.customers.names if everyone_is_informed(incident, runbook) else ()
    return tuple(dict.fromkeys(named or others))


def build_question(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Mail a customer the question whether service is restored."""
    message = customer_question(incident, runbook)
    return activity_requests.SendMail(
        key=obligation.key,
        to=(CustomerNamed(name=obligation.subject),),
        subject=message.subject,
        text=message.body,
        thread=incident.first_run_id,
        sequence=0,
        category="confirmation",
        preheader=public_title(incident, runbook),
        below=mail_footer(incident, 0, runbook),
        status=incident.status,
    )


def unanswered(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record that a customer did not say whether service is restored: never taken for a yes (behaviour 60)."""
    incident = incident.with_fulfilled(obligation.key)
    text = f"{obligation.subject} did not answer whether service is restored"
    return incident.logged(at, SYSTEM, Kind.CONFIRMATION, text)


_ASK = Owed(customers_to_ask, LIVE_OR_OVER, survives=False)
ASK_CUSTOMER = ObligationSpec(
    ObligationKind.ASK_CUSTOMER, (_ASK,), build_request=build_question, timeline=Kind.CONFIRMATION
)
NO_ANSWER = ObligationSpec(ObligationKind.NO_ANSWER, (_ASK,), apply_due=unanswered)
