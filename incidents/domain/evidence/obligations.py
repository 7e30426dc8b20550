"""The obligation to save the evidence of each resolution."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.activity_results import EvidencePreserved
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.postponing import Postpones
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    OVER,
    ObligationSpec,
    Owed,
    Phase,
    RetryLimit,
    WorkflowStep,
)


def evidence_key(incident: Incident) -> Key:
    """Return the key of the preservation of what this resolution has left behind."""
    return Key("evidence", incident.paging.repage_count + 1)


def evidence_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the evidence of the resolution that ended the incident."""
    if incident.number is not None:
        ended = incident.resolved_at or incident.timeline[-1].at
        yield at_once(ObligationKind.EVIDENCE, evidence_key(incident), ended, "Save the evidence")


def postponed_evidence(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the evidence of a closed incident that the evidence store could not take before."""
    yield from (o for o in evidence_owed(incident, runbook) if incident.ledger.postponement(o.key) is not None)


def is_settled_or_late(incident: Incident) -> bool:
    """Tell whether the evidence is saved as far as it will be, or waits for the store: nothing else waits for that."""
    key = evidence_key(incident)
    return incident.ledger.settled(key) or incident.ledger.postponement(key) is not None


def apply_manifest(
    incident: Incident, obligation: Obligation, result: EvidencePreserved, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember the manifest of what was saved."""
    if result.manifest is None:
        return incident
    return incident.replace(
        evidence=incident.evidence.replace(manifests=(*incident.evidence.manifests, result.manifest))
    )


EVIDENCE = ObligationSpec(
    ObligationKind.EVIDENCE,
    (
        Owed(evidence_owed, OVER, survives=False),
        Owed(postponed_evidence, frozenset({Phase.CLOSED}), survives=False),
    ),
    workflow_step=WorkflowStep.PRESERVE_EVIDENCE,
    apply_result=apply_manifest,
    retry_for=RetryLimit.PUBLISH,
    postpones=Postpones.UNSAVED,
)
