"""Obligations to the operators: rejected credentials and errors of this program."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE_OR_OVER,
    ObligationSpec,
    Owed,
)
from incidents.domain.paging.keys import own_key
from incidents.domain.paging.ladder import address
from incidents.domain.paging.on_call import on_call_of
from incidents.domain.updates.messages import broken_text, fault_text, internal_mail


def operators_to_notify(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield a message for each vendor that rejects our credentials, and for each error of this program."""
    for rejection in incident.operators.rejections:
        summary = f"Notify operators: {rejection.display_name} rejected our credentials"
        yield at_once(
            ObligationKind.OPERATORS,
            Key("operators", rejection.vendor),
            rejection.at,
            summary,
            subject=rejection.vendor,
        )
    for number, fault in enumerate(incident.operators.faults):
        summary = f"Notify the operators of a program error ({fault.where})"
        yield at_once(ObligationKind.REPORT_FAULT, Key("fault", number), fault.at, summary, sequence=number)


def build_credentials_notice(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Mail the operators that a vendor rejected our credentials; page if it is the one that sends our mail."""
    rejection = next(rejection for rejection in incident.operators.rejections if rejection.vendor == obligation.subject)
    message = broken_text(rejection, incident)
    to = tuple(email for name in runbook.people.operators if (email := address(name, incident, runbook)))
    if to and not rejection.sends_mail:
        return internal_mail(obligation, incident, to, message.subject, message.body, "operators")
    return activity_requests.SendPage(
        key=obligation.key,
        dedup_key=own_key(incident, obligation.key),
        summary=message.subject,
        source="incident-runbook",
        severity="error",
        details={"incident": incident.name, "to": on_call_of(incident, runbook), "state": message.body},
        to=on_call_of(incident, runbook),
    )


def build_fault_report(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Mail the operators an error in this program. Responders read it on the timeline and in the channel."""
    to = tuple(email for name in runbook.people.operators if (email := address(name, incident, runbook)))
    if not to:
        return ActivityResult(skipped="the runbook names no operator with an e-mail address")
    message = fault_text(incident.operators.faults[obligation.sequence], incident)
    return internal_mail(obligation, incident, to, message.subject, message.body, "operators")


_NOTIFY = Owed(operators_to_notify, LIVE_OR_OVER)
OPERATORS = ObligationSpec(
    ObligationKind.OPERATORS, (_NOTIFY,), build_request=build_credentials_notice, timeline=Kind.DELIVERY
)
REPORT_FAULT = ObligationSpec(
    ObligationKind.REPORT_FAULT, (_NOTIFY,), build_request=build_fault_report, timeline=Kind.DELIVERY
)
