"""What activities return in a simulation, where each of them succeeds and nobody outside does anything."""

from incidents.domain import activity_requests as requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import (
    ActivityResult,
    AlertsSilenced,
    DocumentProposed,
    DocumentWritten,
    EvidencePreserved,
    NumberAllocated,
    OnCallFound,
    Person,
    ResourcesChanged,
)
from incidents.domain.alerting.state import Silence
from incidents.domain.chat import activity_requests as chat
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.state import Resources
from incidents.domain.obligation_spec import WorkflowStep
from incidents.domain.postmortem import activity_requests as postmortem


def answer(asked: ActivityRequest, runbook: RunbookConfig) -> ActivityResult:
    """Return what an activity that succeeds reports. Nothing is found: no deployment to suspect, no word in a channel.

    Who is on call by a schedule is not in the runbook: the contact that has the schedule stands for them.
    """
    match asked:
        case requests.AllocateNumber():
            return NumberAllocated(number=1)
        case requests.FindOnCall():
            return OnCallFound(on_call=_scheduled(asked.schedule, runbook))
        case requests.SilenceAlerts():
            made = [Silence(id=name, fingerprint=name, until=asked.until) for name in asked.alerts]
            return AlertsSilenced(silences=tuple(made))
        case postmortem.WritePostmortem():
            return DocumentWritten(resources=Resources(evidence_url="https://evidence.example/1"), digest="1")
        case postmortem.ProposeDocument():
            return DocumentProposed(reference="https://repository.example/1", digest="1")
        case _:
            made_there = _resources(asked)
            return asked.result_type()() if made_there is None else ResourcesChanged(resources=made_there)


def _resources(asked: ActivityRequest) -> Resources | None:
    match asked:
        case chat.OpenChannel():
            return Resources(channel_id="C1", channel_name=asked.name, channel_url="https://chat.example/C1")
        case chat.SetTopic():
            return Resources(topic=asked.topic)
        case chat.KeepSummary():
            return Resources(summary_ts="1.1", summary_text=asked.text)
        case requests.OpenBridge():
            return Resources(bridge_url=asked.static_url or "https://meet.example/1")
        case requests.PublishStatus():
            return Resources(status_page_id="p1")
        case requests.OpenTicket() | requests.CommentTicket():
            return Resources(ticket=1)
        case _:
            return None


def _scheduled(schedule: str, runbook: RunbookConfig) -> tuple[Person, ...]:
    found = (contact for contact in runbook.contacts.values() if contact.schedule == schedule)
    return tuple(Person(name=contact.name, email=contact.email or "") for contact in found)[:1]


def answer_step(step: WorkflowStep) -> ActivityResult:
    """Return what a step of the workflow that succeeds returns."""
    return EvidencePreserved() if step is WorkflowStep.PRESERVE_EVIDENCE else ActivityResult()
