"""Obligations to look at each source of the investigation: deployments, metrics, logs."""

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never
from urllib.parse import quote

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import (
    ActivityResult,
    DeploymentsSearched,
    Findings,
    LogsQueried,
    MetricsQueried,
)
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.chat.channel import channel_id
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.public_texts import fill
from incidents.domain.core.keys import Key
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.evidence.preservation import evidence_folder
from incidents.domain.incident.checklist import Step, StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.investigation.activity_requests import QueryLogs, QueryMetrics
from incidents.domain.investigation.blast_radius import BlastRadius, suggest_blast_radius
from incidents.domain.investigation.keys import investigation_key
from incidents.domain.investigation.state import InvestigationState
from incidents.domain.obligation import Obligation, ObligationKind, Source, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    ObligationSpec,
    Owed,
)
from incidents.domain.rollback.events import apply_offers
from incidents.domain.rollback.obligations import find_rollback


def sources_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the look at each source; all are due as soon as the incident is open, and again when it is reopened."""
    for source in Source:
        key, summary = investigation_key(incident, source), f"Investigate: look at {source}"
        since = incident.reopened_at or incident.opened_at
        yield at_once(ObligationKind.INVESTIGATE, key, since, summary, subject=source.value)


def build_query(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[Findings] | Findings:
    """Query the source around the time of the alert."""
    match source := Source(obligation.subject):
        case Source.DEPLOYMENTS:
            return find_rollback(obligation, incident, runbook, at)
        case Source.METRICS:
            return _query_metrics(obligation, incident, runbook, at)
        case Source.LOGS:
            return _query_logs(obligation, incident, runbook, at)
        case _:
            assert_never(source)


def _query_metrics(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[MetricsQueried] | MetricsQueried:
    regions, asked, since = runbook.regions_of(incident.service), runbook.investigation, _since(incident, runbook)
    if not regions:
        return MetricsQueried(skipped=_unknown_service(incident))
    return QueryMetrics(
        key=obligation.key,
        service=incident.service,
        regions=regions,
        since=since,
        until=at,
        queries=asked.metrics,
        database=asked.database,
        panels=asked.panels,
        folder=f"{evidence_folder(incident)}/investigation-{len(incident.earlier_responses)}",
        blast_radius=asked.blast_radius,
        probes=runbook.probes,
        links=dashboard_links(incident, runbook, since, at),
    )


def _query_logs(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[LogsQueried] | LogsQueried:
    regions = runbook.regions_of(incident.service)
    if not regions:
        return LogsQueried(skipped=_unknown_service(incident))
    return QueryLogs(
        key=obligation.key,
        service=incident.service,
        regions=regions,
        since=_since(incident, runbook),
        until=at,
        log_service=runbook.investigation.log_service or incident.service,
    )


def _since(incident: Incident, runbook: RunbookConfig) -> datetime:
    """Return the start of the time that is looked at."""
    return (incident.reopened_at or incident.started_at) - runbook.rollback.bake_time


def _unknown_service(incident: Incident) -> str:
    return f"runbook.yaml has no service {incident.service}"


def dashboard_links(incident: Incident, runbook: RunbookConfig, since: datetime, until: datetime) -> dict[str, str]:
    """Return the dashboards of runbook.yaml, for the incident's service and that period."""
    values = {
        "SERVICE": quote(incident.service, safe=""),
        "FROM_MS": f"{since.timestamp() * 1000:.0f}",
        "UNTIL_MS": f"{until.timestamp() * 1000:.0f}",
    }
    return {name: fill(url, values) for name, url in runbook.investigation.dashboards.items()}


def apply_findings(
    incident: Incident, obligation: Obligation, result: Findings, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Offer what the deployments show could be rolled back; suggest the blast radius that the metrics show."""
    match result:
        case DeploymentsSearched():
            return apply_offers(incident, result.offers, runbook, at) if result.offers else incident
        case MetricsQueried():
            return _suggest(incident, result.blast_radius, at) if result.blast_radius is not None else incident
        case LogsQueried():
            return incident
        case _:
            assert_never(result)


def _suggest(incident: Incident, found: BlastRadius, at: datetime) -> Incident:
    """Suggest the blast radius in the channel, unless nothing was seen failing or a person has assessed it."""
    suggested = suggest_blast_radius(found)
    if not suggested or incident.assessment is not None:
        return incident
    state = InvestigationState(suggested=suggested, suggested_at=at, asked=incident.investigation.asked)
    incident = incident.replace(investigation=state)
    return incident.logged(at, SYSTEM, Kind.INVESTIGATION, _suggestion(incident), announce=True)


def _suggestion(incident: Incident) -> str:
    command = f"incident assess {incident.number or incident.workflow_id}"
    return f"Suggested blast radius: {incident.investigation.suggested}. Confirm with `{command}`"


def unconfirmed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the next request to confirm the suggested blast radius, until a person assesses the incident."""
    state = incident.investigation
    skipped = incident.step(Step.ASSESS).status is StepStatus.SKIPPED
    if state.suggested_at is None or incident.assessment is not None or skipped or not incident.resources.channel_id:
        return
    since = max(state.suggested_at, state.asked_at or state.suggested_at)
    yield Obligation(
        key=_confirm_key(state.asked),
        kind=ObligationKind.CONFIRM_BLAST_RADIUS,
        due=since + runbook.investigation.blast_radius.confirm_every,
        since=since,
        summary="Ask for the blast radius to be confirmed",
    )


def _confirm_key(asked: int) -> Key:
    return Key("confirm-blast-radius", asked)


def build_confirmation_request(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest:
    """Ask in the channel, and the commander or the responder by name, if there is one."""
    asked = incident.roles.commander or incident.acknowledged_by
    return chat_requests.PostMessage(
        key=obligation.key,
        channel_id=channel_id(incident),
        text=as_mrkdwn(_suggestion(incident)),
        mentions=(asked,) if asked else (),
    )


def apply_asked(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Count the request: the next one is due later."""
    state = incident.investigation
    return incident.replace(investigation=state.replace(asked=state.asked + 1, asked_at=at))


def apply_not_asked(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Count a request that did not go out, too: it is asked again later."""
    return apply_asked(incident, obligation, ActivityResult(), runbook, at)


def spent_confirmations(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the requests before the next one."""
    yield from (_confirm_key(asked) for asked in range(incident.investigation.asked))


INVESTIGATE = ObligationSpec(
    ObligationKind.INVESTIGATE,
    (Owed(sources_owed, LIVE),),
    build_request=build_query,
    apply_result=apply_findings,
    timeline=Kind.INVESTIGATION,
    announce=True,
)
CONFIRM_BLAST_RADIUS = ObligationSpec(
    ObligationKind.CONFIRM_BLAST_RADIUS,
    (Owed(unconfirmed, LIVE),),
    build_request=build_confirmation_request,
    silent=True,
    apply_result=apply_asked,
    apply_failure=apply_not_asked,
    apply_skip=apply_not_asked,
    spent=spent_confirmations,
)
