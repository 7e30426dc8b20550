"""A rollback in each of its states: offered, approved, ended."""

from typing import Any

from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.rollback import events as rollback_facts
from incidents.domain.rollback.commands import ApproveRollback
from incidents.domain.rollback.config import RollbackPolicy
from incidents.domain.rollback.known_good import Candidate, Deployment, Offer
from incidents.domain.rollback.order import (
    RollbackProgress,
    RollbackResult,
)
from incidents.domain.rollback.state import RollbackStatus
from tests.support.incidents import RUNBOOK, T0, at, opened, settled

S = RollbackStatus


def row(version: str, minutes: float, row_id: str = "") -> Deployment:
    return Deployment(id=row_id or version, cluster="eu-001", version=version, status="success", started_at=at(minutes))


OFFER = Offer(
    cluster="eu-001",
    suspect=row("v3", -5),
    candidate=row("v2", -900),
    considered=(Candidate(deployment=row("v2b", -100), selected=False, reason="status failed"),),
    reason="v3 was deployed to eu-001 5m before the alert",
    diff_url="https://diff.example/v2...v3",
    mark="v3",
)


NEXT = OFFER.replace(candidate=row("v1", -9000))


def automatic(**rules: Any) -> RunbookConfig:
    policy = RUNBOOK.policy("P0").replace(rollback=RollbackPolicy.AUTOMATIC)
    severities = {**RUNBOOK.severities, "P0": policy}
    return RUNBOOK.replace(severities=severities, rollback=RUNBOOK.rollback.replace(**rules))


def offered(runbook: RunbookConfig = RUNBOOK, offer: Offer = OFFER) -> Incident:
    incident = settled(opened(), T0)
    return rollback_facts.apply_offers(incident, (offer,), runbook, T0)


def approved() -> Incident:
    return apply_command(offered(), ApproveRollback(by="ann"), RUNBOOK, at(1))


def ended(
    incident: Incident,
    status: RollbackStatus,
    minute: float = 3,
    runbook: RunbookConfig = RUNBOOK,
    *,
    ordered: bool = True,
) -> Incident:
    attempt = incident.rollback.clusters[0].attempt
    summary = RollbackProgress(cluster="eu-001", attempt=attempt, summary="v2 is ordered", ordered=ordered)
    incident = rollback_facts.record_rollback_progress(incident, summary, at(minute))
    result = RollbackResult(cluster="eu-001", attempt=attempt, status=status, detail="as judged")
    return rollback_facts.record_rollback_result(incident, result, runbook, at(minute))


def status(incident: Incident) -> RollbackStatus:
    return RollbackStatus(incident.rollback.clusters[0].status)


def summary(incident: Incident) -> str:
    return "\n".join(entry.text for entry in incident.timeline)


def of(incident: Incident, kind: ObligationKind, runbook: RunbookConfig = RUNBOOK) -> list[Obligation]:
    return [owed for owed in agenda(incident, runbook) if owed.kind is kind]
