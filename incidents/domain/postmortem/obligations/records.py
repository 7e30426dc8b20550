"""Records for reports, and the notification of operators about errors of this program."""

from collections.abc import Iterator

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, ResourcesChanged
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.postponing import Postpones
from incidents.domain.evidence.preservation import evidence_folder
from incidents.domain.postmortem.mails import mail
from incidents.domain.postmortem.obligations.obligation import (
    ALWAYS,
    Due,
    Owed,
    PostmortemObligation,
    PostmortemObligationKind,
    PostmortemSpec,
    owe,
)
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.domain.recipients import staff
from incidents.domain.reporting.record import postmortem_record, record_of
from incidents.domain.updates.messages import fault_text


def faults_owed(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    """Yield an operator notification per error in this program."""
    for number, fault in enumerate(postmortem.operators.faults):
        summary = f"Notify the operators of a program error ({fault.where})"
        yield owe(PostmortemObligationKind.REPORT_FAULT, Key("fault", number), fault.at, summary, item=number)


def records_owed(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    """Yield the record of the post-mortem, and of the incident once its times were corrected here."""
    at = postmortem.timeline[-1].at
    if postmortem.records:
        key = Key("record", postmortem.records)
        yield owe(PostmortemObligationKind.RECORD, key, at, "Save the record for reports")
    if postmortem.corrected:
        key = Key("incident-record", postmortem.corrected)
        yield owe(PostmortemObligationKind.RECORD_INCIDENT, key, at, "Save the corrected record")


def _mail_operators(postmortem: Postmortem, due: Due) -> ActivityRequest | ActivityResult:
    people = tuple(email for name in due.runbook.people.operators if (email := due.runbook.contacts[name].email))
    message = fault_text(postmortem.operators.faults[due.obligation.item], postmortem.incident)
    return mail(postmortem, staff(people), message.subject, message.body)


def _keep_record(postmortem: Postmortem, due: Due) -> ActivityRequest[ResourcesChanged]:
    text = postmortem_record(postmortem).model_dump_json(indent=1)
    folder = evidence_folder(postmortem.incident)
    return activity_requests.KeepDocument(key=due.obligation.key, folder=folder, name="postmortem.json", text=text)


def _keep_incident_record(postmortem: Postmortem, due: Due) -> ActivityRequest[ResourcesChanged]:
    text, folder = (
        record_of(postmortem.incident, due.runbook).model_dump_json(indent=1),
        evidence_folder(postmortem.incident),
    )
    return activity_requests.KeepDocument(key=due.obligation.key, folder=folder, name="record.json", text=text)


REPORT_FAULT = PostmortemSpec(
    PostmortemObligationKind.REPORT_FAULT, Owed(faults_owed, ALWAYS, survives=True), build_request=_mail_operators
)
_RECORDS = Owed(records_owed, ALWAYS)
RECORD = PostmortemSpec(
    PostmortemObligationKind.RECORD,
    _RECORDS,
    build_request=_keep_record,
    silent=True,
    housekeeping=True,
    postpones=Postpones.UNSAVED,
)
RECORD_INCIDENT = PostmortemSpec(
    PostmortemObligationKind.RECORD_INCIDENT, _RECORDS, build_request=_keep_incident_record, postpones=Postpones.UNSAVED
)
