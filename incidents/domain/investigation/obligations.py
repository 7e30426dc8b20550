"""Obligations to look at each source of the investigation: deployments, metrics, logs."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, Source, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    ObligationSpec,
    Owed,
)
from incidents.domain.rollback.events import apply_offers
from incidents.domain.rollback.obligations import find_rollback


def sources_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the look at each source; all are due as soon as the incident is open."""
    for source in Source:
        key, says = f"investigate/{source}", f"Investigate: look at {source}"
        yield at_once(ObligationKind.INVESTIGATE, key, incident.opened_at, says, subject=source.value)


def build_query(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Query the source around the time of the alert."""
    regions = runbook.regions_of(incident.service)
    if not regions:
        return ActivityResult(skipped=f"the runbook does not know the service {incident.service}")
    if obligation.subject == Source.DEPLOYMENTS:
        return find_rollback(obligation, incident, runbook, at)
    since = incident.started_at - runbook.rollback.bake_time
    asked = runbook.investigation
    if obligation.subject == Source.LOGS:
        return activity_requests.QueryLogs(
            key=obligation.key,
            service=incident.service,
            regions=regions,
            since=since,
            until=at,
            log_service=asked.log_service or incident.service,
        )
    return activity_requests.QueryMetrics(
        key=obligation.key, service=incident.service, regions=regions, since=since, until=at, queries=asked.metrics
    )


def apply_findings(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Offer what the deployments show could be rolled back."""
    return apply_offers(incident, result.offers, runbook, at) if result.offers else incident


INVESTIGATE = ObligationSpec(
    ObligationKind.INVESTIGATE,
    (Owed(sources_owed, LIVE),),
    build_request=build_query,
    apply_result=apply_findings,
    timeline=Kind.INVESTIGATION,
    announce=True,
)
