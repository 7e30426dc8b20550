"""The evidence of one incident: where it goes, what it is about, and what is kept when it is over."""

from datetime import datetime

from runbook.evidence import EvidenceSource, Item, Scope, items, scope
from runbook.incident import Incident
from runbook.policy import Runbook


def evidence_folder(incident: Incident) -> str:
    """Return the folder of the incident's evidence, below the evidence URL."""
    return f"INC-{incident.number}" if incident.number is not None else f"run-{incident.run_key}"


def incident_scope(incident: Incident, runbook: Runbook, until: datetime) -> Scope:
    """Return what the evidence of the incident is about, until then."""
    regions, channel = runbook.regions_of(incident.service), incident.resources.channel_id or ""
    asked, rules = runbook.investigation, runbook.evidence
    about = scope(incident.workflow_id, incident.service, asked, regions, rules, incident.started_at, until, channel)
    return about.but(former_channels=incident.former_channels)


def resolution_phase(incident: Incident) -> str:
    """Return what the evidence of a resolution is filed under: another one for each reopening."""
    return f"resolution-{incident.pagings + 1}"


def resolution_items(incident: Incident, runbook: Runbook) -> tuple[Item, ...]:
    """Return what is kept when the incident is over: its record, its timeline, and what every source tells.

    Its own record is asked for by query, so that it enters the workflow's history no second time.
    """
    phase, regions = resolution_phase(incident), runbook.regions_of(incident.service)
    own = (
        Item(name=f"{phase}/record.json", source=EvidenceSource.INCIDENT, query="incident"),
        Item(name=f"{phase}/timeline.txt", source=EvidenceSource.INCIDENT, query="timeline"),
    )
    return (*own, *items({}, regions, runbook.investigation.metrics, phase))
