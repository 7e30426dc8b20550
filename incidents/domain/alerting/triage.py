"""Triage of a service that runbook.yaml does not know (behaviour 97): opened and announced, without customers."""

from datetime import datetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.commands import Assess
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.state import Opening


def service_fault(opening: Opening, runbook: RunbookConfig) -> str:
    """Return what is wrong with an opening's service; empty if the runbook knows it, or lists no services at all."""
    known = [service.name for service in runbook.services]
    if not known or opening.service in known:
        return ""
    listed = ", ".join(known)
    if opening.service_assumed:
        return f"The alert has no service label; {opening.service!r} is its name. Services in runbook.yaml: {listed}."
    return f"runbook.yaml has no service {opening.service!r}. It has {listed}."


def start_triage(incident: Incident, opening: Opening, runbook: RunbookConfig, at: datetime) -> Incident:
    """Mark a new incident of an unknown service, and announce what is wrong and what to do."""
    fault = service_fault(opening, runbook)
    if not fault:
        return incident
    incident = incident.replace(alerting=incident.alerting.replace(unknown_service=fault))
    text = (
        f"UNKNOWN SERVICE: {fault} No customer communication until a responder names it with `incident assess NUMBER"
        ' "impact" --services NAME`. If this is no incident: `incident cancel NUMBER --reason "…"`.'
    )
    return incident.logged(at, SYSTEM, Kind.ALERT, text, announce=True)


def name_service(incident: Incident, command: Assess, runbook: RunbookConfig, at: datetime) -> Incident:
    """End the triage if an assessment names a service that the runbook knows: it is the incident's from now on."""
    known = [service.name for service in runbook.services]
    named = next((service for service in command.services if service in known), None)
    if not incident.alerting.unknown_service or named is None:
        return incident
    incident = incident.replace(service=named, alerting=incident.alerting.replace(unknown_service=""))
    text = f"Service named: {named}. Customer communication begins."
    return incident.logged(at, command.by, Kind.ASSESSED, text, announce=True)
