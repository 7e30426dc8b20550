"""From a duty to the request that fulfils it. The text is rendered here, at the moment at which the duty is due."""

from collections.abc import Callable
from datetime import datetime

from incidents.domain import activity_requests as effects
from incidents.domain.activity_requests import Effect, Outcome
from incidents.domain.chat import build_request as room
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import Runbook
from incidents.domain.core.severity import Severity
from incidents.domain.evidence.preservation import evidence_folder
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status, StatusUpdate
from incidents.domain.obligation import Duty, Obligation, Source
from incidents.domain.paging import build_request as paging
from incidents.domain.reporting.record import record_of
from incidents.domain.rollback import activity_requests as rollback_effects
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


def request(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    """Return what a hand is asked to do for `duty`, or the outcome at once if there is nothing to ask for.

    The key of the request names the incident's run, so that it is unique in the installation; `again` is set when the
    duty was begun before, in this run of the workflow or in an earlier one.
    """
    made = _MAKERS[duty.duty](duty, incident, runbook, at)
    if isinstance(made, Outcome):
        return made
    return made.but(key=f"{incident.run_key}/{duty.key}", again=duty.key in incident.begun)


_MAILED_AT_ONCE = 1000
"""Recipients of one request (SendGrid)."""


def parts(asked: Effect) -> tuple[Effect, ...]:
    """Return a request as the requests that are made one after the other: a mail to very many goes out in parts."""
    if not isinstance(asked, effects.SendMail) or len(asked.to) <= _MAILED_AT_ONCE:
        return (asked,)
    starts = range(0, len(asked.to), _MAILED_AT_ONCE)
    return tuple(
        asked.but(key=f"{asked.key}/{number}", to=asked.to[start : start + _MAILED_AT_ONCE])
        for number, start in enumerate(starts, 1)
    )


SETUP = (effects.OpenChannel, effects.SetTopic, effects.Invite, effects.AddBookmark)
"""What sets a channel up: Slack takes twenty a minute of each of them (tier 2), of the whole workspace."""


def is_limited(asked: Effect, runbook: Runbook) -> bool:
    """Tell whether a request has to wait its turn, in the queue that all workers share."""
    return runbook.chat.setup_per_minute > 0 and isinstance(asked, SETUP)


def _record(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    text = record_of(incident, runbook).model_dump_json(indent=1)
    return effects.KeepDocument(key=duty.key, folder=evidence_folder(incident), name="record.json", text=text)


def _number(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    return effects.AllocateNumber(key=duty.key, run_key=incident.run_key, workflow_id=incident.workflow_id)


def _bridge(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    topic = f"{incident.name} war room [{incident.run_key}]"
    return effects.OpenBridge(key=duty.key, topic=topic, static_url=runbook.war_room.static_url)


def _ticket(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> effects.OpenTicket:
    lines = [
        f"{incident.severity} · {incident.service} ({incident.environment})",
        f"Started {runbook.calendar.in_brackets(incident.started_at)}.",
        incident.title,
    ]
    return effects.OpenTicket(
        key=duty.key,
        title=f"{incident.name}: {incident.title}"[:256],
        body="\n\n".join(lines),
        labels=runbook.tracker.labels,
        marker=f"<!-- incident-runbook {incident.run_key} -->",
    )


def _deliver(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    update = incident.updates[duty.sequence - 1]
    message = customer_message(incident, update, runbook)
    if incident.private and duty.subject in PUBLIC_PLACES:
        message = bare_message(incident)
    if duty.subject == Channel.SLACK:
        if incident.resources.channel_id is None:
            return Outcome(skipped="the incident has no Slack channel")
        return effects.PostMessage(
            key=duty.key, channel_id=incident.resources.channel_id, text=f"*{message.subject}*\n{message.body}"
        )
    if duty.subject == Channel.STATUS_PAGE:
        component = runbook.status_page.components.get(incident.service)
        return effects.PublishStatus(
            key=duty.key,
            page_id=incident.resources.status_page_id,
            marker=incident.run_key,
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
    if duty.subject == Channel.EMAIL:
        return _mail(duty, incident, runbook, message.subject, message.body)
    opening = _ticket(duty, incident, runbook, at)
    return effects.CommentTicket(
        key=duty.key, ticket=incident.resources.ticket, body=message.body, close=incident.over, opening=opening
    )


def _component_state(update: StatusUpdate) -> str:
    """Return Statuspage's word for the state of a component."""
    if update.status in (Status.RESOLVED, Status.CANCELLED):
        return "operational"
    return _COMPONENT_STATES[Severity(update.severity)]


def _mail(duty: Obligation, incident: Incident, runbook: Runbook, subject: str, body: str) -> Effect | Outcome:
    inside = tuple(e for name in runbook.people.stakeholders if (e := runbook.contacts[name].email))
    customers = (*runbook.customers.emails, *(incident.assessment.customers if incident.assessment else ()))
    customers = () if incident.private else customers
    unique = {address.casefold(): address for address in (*inside, *customers) if "@" in address}
    to = tuple(unique.values())
    if not to:
        return Outcome(skipped="the runbook names nobody to mail")
    return effects.SendMail(
        key=duty.key, to=to, subject=subject, text=body, thread=incident.run_key, sequence=duty.sequence
    )


def _investigate(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    regions = runbook.regions_of(incident.service)
    if not regions:
        return Outcome(skipped=f"the runbook does not know the service {incident.service}")
    if duty.subject == Source.DEPLOYMENTS:
        return _find_rollback(duty, incident, runbook, at)
    since = incident.started_at - runbook.rollback.bake_time
    asked = runbook.investigation
    if duty.subject == Source.LOGS:
        return effects.QueryLogs(
            key=duty.key,
            service=incident.service,
            regions=regions,
            since=since,
            until=at,
            log_service=asked.log_service,
        )
    return effects.QueryMetrics(
        key=duty.key, service=incident.service, regions=regions, since=since, until=at, queries=asked.metrics
    )


def _find_rollback(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    clusters = tuple(dict.fromkeys(region.cluster for region in runbook.regions_of(incident.service)))
    if not clusters:
        return Outcome(skipped=f"the runbook does not know the service {incident.service}")
    return rollback_effects.FindRollback(
        key=duty.key,
        workflow_id=incident.workflow_id,
        service=incident.service,
        clusters=clusters,
        alerted_at=incident.reopened_at or incident.started_at,
        rules=runbook.rollback,
        blamed=blamed(incident),
    )


def _ask_customer(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    address = runbook.customers.contacts.get(duty.subject, duty.subject)
    if "@" not in address:
        return Outcome(skipped=f"the runbook has no address of {duty.subject} (customers, contacts)")
    message = customer_question(incident, runbook)
    return effects.SendMail(
        key=duty.key,
        to=(address,),
        subject=message.subject,
        text=message.body,
        thread=incident.run_key,
        sequence=0,
        category="confirmation",
    )


_Maker = Callable[[Obligation, Incident, Runbook, datetime], Effect | Outcome]
_MAKERS: dict[Duty, _Maker] = {
    Duty.NUMBER: _number,
    Duty.PAGE: paging.page,
    Duty.ACKNOWLEDGE_PAGE: paging.acknowledge_page,
    Duty.RESOLVE_PAGE: paging.resolve_page,
    Duty.ON_CALL: paging.find_on_call,
    Duty.SILENCE: paging.silence,
    Duty.UNSILENCE: paging.lift_silences,
    Duty.CHECK_ALERTS: paging.check_alerts,
    Duty.LISTEN: paging.hear,
    Duty.OPERATORS: paging.operators,
    Duty.REPORT_FAULT: paging.report_fault,
    Duty.ESCALATE: paging.escalate,
    Duty.ALARM: paging.alarm,
    Duty.CHANNEL: room.channel,
    Duty.TOPIC: room.topic,
    Duty.INVITE: room.invite,
    Duty.SUMMARY: room.summary,
    Duty.BOOKMARK: room.bookmark,
    Duty.DIGEST: room.digest,
    Duty.DIGEST_UPDATE: room.digest_update,
    Duty.NOTICE: room.notice,
    Duty.REMIND: room.remind,
    Duty.NUDGE: room.nudge,
    Duty.REMIND_COMMANDER: room.remind_commander,
    Duty.SHOW_ROLLBACK: room.show_rollback,
    Duty.ARCHIVE: room.archive,
    Duty.WAR_ROOM: _bridge,
    Duty.TICKET: _ticket,
    Duty.DELIVER: _deliver,
    Duty.INVESTIGATE: _investigate,
    Duty.LOOK_AGAIN: _find_rollback,
    Duty.ASK_CUSTOMER: _ask_customer,
    Duty.RECORD: _record,
}
