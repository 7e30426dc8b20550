"""From an obligation to the request that fulfils it.

The text is rendered here, at the moment at which the obligation is due.
"""

from collections.abc import Callable
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.chat import build_request as room
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.evidence.preservation import evidence_folder
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status, StatusUpdate
from incidents.domain.obligation import Obligation, ObligationKind, Source
from incidents.domain.paging import build_request as paging
from incidents.domain.reporting.record import record_of
from incidents.domain.rollback import activity_requests as rollback_requests
from incidents.domain.rollback.events import blamed
from incidents.domain.updates.messages import (
    bare_message,
    customer_message,
    customer_question,
    public_title,
)
from incidents.domain.updates.publishing import PUBLIC_PLACES

_PAGE_IMPACT = {Severity.P0: "critical", Severity.P1: "major", Severity.P2: "minor", Severity.P3: "none"}
_COMPONENT_STATES = {
    Severity.P0: "major_outage",
    Severity.P1: "partial_outage",
    Severity.P2: "degraded_performance",
    Severity.P3: "operational",
}
_STATUS_WORDS = {
    Status.INVESTIGATING: "investigating",
    Status.MONITORING: "monitoring",
    Status.RESOLVED: "resolved",
    Status.CANCELLED: "resolved",
}


def request(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Return what a hand is asked to do for `obligation`, or the outcome at once if there is nothing to ask for.

    The key of the request names the incident's run, so that it is unique in the installation; `again` is set when the
    obligation was begun before, in this run of the workflow or in an earlier one.
    """
    made = _MAKERS[obligation.kind](obligation, incident, runbook, at)
    if isinstance(made, ActivityResult):
        return made
    return made.replace(key=f"{incident.first_run_id}/{obligation.key}", again=obligation.key in incident.begun)


_MAILED_AT_ONCE = 1000
"""Recipients of one request (SendGrid)."""


def parts(asked: ActivityRequest) -> tuple[ActivityRequest, ...]:
    """Return a request as the requests that are made one after the other: a mail to very many goes out in parts."""
    if not isinstance(asked, activity_requests.SendMail) or len(asked.to) <= _MAILED_AT_ONCE:
        return (asked,)
    starts = range(0, len(asked.to), _MAILED_AT_ONCE)
    return tuple(
        asked.replace(key=f"{asked.key}/{number}", to=asked.to[start : start + _MAILED_AT_ONCE])
        for number, start in enumerate(starts, 1)
    )


SETUP = (
    activity_requests.OpenChannel,
    activity_requests.SetTopic,
    activity_requests.Invite,
    activity_requests.AddBookmark,
)
"""What sets a channel up: Slack takes twenty a minute of each of them (tier 2), of the whole workspace."""


def is_limited(asked: ActivityRequest, runbook: RunbookConfig) -> bool:
    """Tell whether a request has to wait its turn, in the queue that all workers share."""
    return runbook.chat.setup_per_minute > 0 and isinstance(asked, SETUP)


def _record(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    text = record_of(incident, runbook).model_dump_json(indent=1)
    return activity_requests.KeepDocument(
        key=obligation.key, folder=evidence_folder(incident), name="record.json", text=text
    )


def _number(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    return activity_requests.AllocateNumber(
        key=obligation.key, first_run_id=incident.first_run_id, workflow_id=incident.workflow_id
    )


def _bridge(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    topic = f"{incident.name} war room [{incident.first_run_id}]"
    return activity_requests.OpenBridge(key=obligation.key, topic=topic, static_url=runbook.war_room.static_url)


def _ticket(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> activity_requests.OpenTicket:
    lines = [
        f"{incident.severity} · {incident.service} ({incident.environment})",
        f"Started {runbook.calendar.in_brackets(incident.started_at)}.",
        incident.title,
    ]
    return activity_requests.OpenTicket(
        key=obligation.key,
        title=f"{incident.name}: {incident.title}"[:256],
        body="\n\n".join(lines),
        labels=runbook.tracker.labels,
        marker=f"<!-- incident-runbook {incident.first_run_id} -->",
    )


def _deliver(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    update = incident.updates[obligation.sequence - 1]
    message = customer_message(incident, update, runbook)
    if incident.private and obligation.subject in PUBLIC_PLACES:
        message = bare_message(incident)
    if obligation.subject == Channel.SLACK:
        if incident.resources.channel_id is None:
            return ActivityResult(skipped="the incident has no Slack channel")
        return activity_requests.PostMessage(
            key=obligation.key, channel_id=incident.resources.channel_id, text=f"*{message.subject}*\n{message.body}"
        )
    if obligation.subject == Channel.STATUS_PAGE:
        component = runbook.status_page.components.get(incident.service)
        return activity_requests.PublishStatus(
            key=obligation.key,
            page_id=incident.resources.status_page_id,
            marker=incident.first_run_id,
            sequence=update.sequence,
            title=message.subject if incident.private else public_title(incident, runbook),
            status=_STATUS_WORDS[Status(update.status)],
            body=message.body,
            impact=_PAGE_IMPACT[Severity(update.severity)],
            components={component: _component_state(update)} if component else {},
            at=update.at,
            product=runbook.product,
            notify=runbook.status_page.notify_subscribers,
        )
    if obligation.subject == Channel.EMAIL:
        return _mail(obligation, incident, runbook, message.subject, message.body)
    opening = _ticket(obligation, incident, runbook, at)
    return activity_requests.CommentTicket(
        key=obligation.key, ticket=incident.resources.ticket, body=message.body, close=incident.over, opening=opening
    )


def _component_state(update: StatusUpdate) -> str:
    """Return Statuspage's word for the state of a component."""
    if update.status in (Status.RESOLVED, Status.CANCELLED):
        return "operational"
    return _COMPONENT_STATES[Severity(update.severity)]


def _mail(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, subject: str, body: str
) -> ActivityRequest | ActivityResult:
    inside = tuple(e for name in runbook.people.stakeholders if (e := runbook.contacts[name].email))
    customers = (*runbook.customers.emails, *(incident.assessment.customers if incident.assessment else ()))
    customers = () if incident.private else customers
    unique = {address.casefold(): address for address in (*inside, *customers) if "@" in address}
    to = tuple(unique.values())
    if not to:
        return ActivityResult(skipped="the runbook names nobody to mail")
    return activity_requests.SendMail(
        key=obligation.key,
        to=to,
        subject=subject,
        text=body,
        thread=incident.first_run_id,
        sequence=obligation.sequence,
    )


def _investigate(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    regions = runbook.regions_of(incident.service)
    if not regions:
        return ActivityResult(skipped=f"the runbook does not know the service {incident.service}")
    if obligation.subject == Source.DEPLOYMENTS:
        return _find_rollback(obligation, incident, runbook, at)
    since = incident.started_at - runbook.rollback.bake_time
    asked = runbook.investigation
    if obligation.subject == Source.LOGS:
        return activity_requests.QueryLogs(
            key=obligation.key,
            service=incident.service,
            regions=regions,
            since=since,
            until=at,
            log_service=asked.log_service,
        )
    return activity_requests.QueryMetrics(
        key=obligation.key, service=incident.service, regions=regions, since=since, until=at, queries=asked.metrics
    )


def _find_rollback(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    clusters = tuple(dict.fromkeys(region.cluster for region in runbook.regions_of(incident.service)))
    if not clusters:
        return ActivityResult(skipped=f"the runbook does not know the service {incident.service}")
    return rollback_requests.FindRollback(
        key=obligation.key,
        workflow_id=incident.workflow_id,
        service=incident.service,
        clusters=clusters,
        alerted_at=incident.reopened_at or incident.started_at,
        rules=runbook.rollback,
        blamed=blamed(incident),
    )


def _ask_customer(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    address = runbook.customers.contacts.get(obligation.subject, obligation.subject)
    if "@" not in address:
        return ActivityResult(skipped=f"the runbook has no address of {obligation.subject} (customers, contacts)")
    message = customer_question(incident, runbook)
    return activity_requests.SendMail(
        key=obligation.key,
        to=(address,),
        subject=message.subject,
        text=message.body,
        thread=incident.first_run_id,
        sequence=0,
        category="confirmation",
    )


_Maker = Callable[[Obligation, Incident, RunbookConfig, datetime], ActivityRequest | ActivityResult]
_MAKERS: dict[ObligationKind, _Maker] = {
    ObligationKind.NUMBER: _number,
    ObligationKind.PAGE: paging.page,
    ObligationKind.ACKNOWLEDGE_PAGE: paging.acknowledge_page,
    ObligationKind.RESOLVE_PAGE: paging.resolve_page,
    ObligationKind.ON_CALL: paging.find_on_call,
    ObligationKind.SILENCE: paging.silence,
    ObligationKind.UNSILENCE: paging.lift_silences,
    ObligationKind.CHECK_ALERTS: paging.check_alerts,
    ObligationKind.LISTEN: paging.hear,
    ObligationKind.OPERATORS: paging.operators,
    ObligationKind.REPORT_FAULT: paging.report_fault,
    ObligationKind.ESCALATE: paging.escalate,
    ObligationKind.ALARM: paging.alarm,
    ObligationKind.CHANNEL: room.channel,
    ObligationKind.TOPIC: room.topic,
    ObligationKind.INVITE: room.invite,
    ObligationKind.SUMMARY: room.summary,
    ObligationKind.BOOKMARK: room.bookmark,
    ObligationKind.DIGEST: room.digest,
    ObligationKind.DIGEST_UPDATE: room.digest_update,
    ObligationKind.NOTICE: room.notice,
    ObligationKind.REMIND: room.remind,
    ObligationKind.NUDGE: room.nudge,
    ObligationKind.REMIND_COMMANDER: room.remind_commander,
    ObligationKind.SHOW_ROLLBACK: room.show_rollback,
    ObligationKind.ARCHIVE: room.archive,
    ObligationKind.WAR_ROOM: _bridge,
    ObligationKind.TICKET: _ticket,
    ObligationKind.DELIVER: _deliver,
    ObligationKind.INVESTIGATE: _investigate,
    ObligationKind.LOOK_AGAIN: _find_rollback,
    ObligationKind.ASK_CUSTOMER: _ask_customer,
    ObligationKind.RECORD: _record,
}
