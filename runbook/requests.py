"""From a duty to the request that fulfils it. The text is rendered here, at the moment at which the duty is due."""

from collections.abc import Callable
from datetime import datetime

from runbook import effects
from runbook.duties import Duty, Obligation, Source
from runbook.effects import Effect, Outcome
from runbook.incident import Incident, Status, StatusUpdate
from runbook.messages import customer_message, customer_question, escalation_text, page_text, public_title
from runbook.policy import Channel, Reach, Runbook
from runbook.rollback_facts import blamed
from runbook.severity import Severity
from runbook.summary import rollback_text, summary_text, topic_text
from runbook.updates import scheduled_text

_PAGER_WORDS = {Severity.P0: "critical", Severity.P1: "error", Severity.P2: "warning", Severity.P3: "info"}
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


def _number(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    return effects.AllocateNumber(key=duty.key, run_key=incident.run_key, workflow_id=incident.workflow_id)


def dedup_key(incident: Incident) -> str:
    """Return the pager's key: at first the workflow id, which the starter knows too (BEHAVIOURS 13), then one each."""
    return f"{incident.workflow_id}/{incident.pagings}" if incident.pagings else incident.workflow_id


def _page(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    return effects.SendPage(
        key=duty.key,
        dedup_key=dedup_key(incident),
        summary=page_text(incident),
        source=incident.service,
        severity=_PAGER_WORDS[Severity(incident.severity)],
        details={"incident": incident.name, "environment": incident.environment, "to": runbook.people.on_call},
    )


def _acknowledge_page(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    return effects.SettlePage(key=duty.key, dedup_key=dedup_key(incident), action="acknowledge")


def _resolve_page(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    escalation = f"/{duty.subject}" if duty.subject else ""
    return effects.SettlePage(key=duty.key, dedup_key=dedup_key(incident) + escalation, action="resolve")


def _channel(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    return effects.OpenChannel(
        key=duty.key,
        name=f"{runbook.chat.channel_prefix}-{incident.number}",
        marker=f"[{incident.run_key}]",
        private=runbook.chat.private,
    )


def _topic(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    return effects.SetTopic(key=duty.key, channel_id=_room(incident), topic=topic_text(incident))


def _invite(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    emails = tuple(dict.fromkeys(e for name in runbook.people.responders if (e := runbook.contacts[name].email)))
    if not emails:
        return Outcome(skipped="the runbook names no responder with an e-mail address")
    return effects.Invite(key=duty.key, channel_id=_room(incident), emails=emails)


def _summary(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    text = summary_text(incident, runbook)
    return effects.KeepSummary(key=duty.key, channel_id=_room(incident), ts=incident.resources.summary_ts, text=text)


def _notice(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    entry = incident.timeline[duty.sequence - 1]
    return effects.PostMessage(key=duty.key, channel_id=_room(incident), text=entry.text)


def _remind(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    draft = incident.draft or scheduled_text(incident, runbook, None)[0]
    text = (
        f"Update {duty.sequence} goes out soon, with this text unless you give another"
        f' (`incident update {incident.number} --next "…"`):\n> {draft}'
    )
    return effects.PostMessage(key=duty.key, channel_id=_room(incident), text=text)


def _nudge(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    who = incident.commander or "Everybody"
    text = f'{who}: the last {incident.no_news} updates said "no change". Customers deserve words of your own.'
    return effects.PostMessage(key=duty.key, channel_id=_room(incident), text=text)


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
            title=public_title(incident, runbook),
            status=_STATUS_WORDS[Status(update.status)],
            body=message.body,
            impact=_PAGE_IMPACT[Severity(update.severity)],
            components={component: _component_state(update)} if component else {},
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
    to = tuple(dict.fromkeys((*inside, *(address for address in customers if "@" in address))))
    if not to:
        return Outcome(skipped="the runbook names nobody to mail")
    return effects.SendMail(
        key=duty.key, to=to, subject=subject, text=body, thread=incident.run_key, sequence=duty.sequence
    )


def _escalate(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    message = escalation_text(incident, runbook, at)
    contact = runbook.contacts[duty.subject]
    if duty.by is Reach.PAGE:
        return effects.SendPage(
            key=duty.key,
            dedup_key=f"{dedup_key(incident)}/{duty.key}",
            summary=f"Escalated to {contact.name}: {page_text(incident)}"[:1000],
            source=incident.service,
            severity=_PAGER_WORDS[Severity(incident.severity)],
            details={"incident": incident.name, "to": duty.subject, "state": message.body},
        )
    if contact.email is None:
        return Outcome(skipped=f"the runbook has no e-mail address of {contact.name}")
    if duty.by is Reach.SLACK:
        return effects.DirectMessage(key=duty.key, email=contact.email, text=message.body)
    return effects.SendMail(
        key=duty.key,
        to=(contact.email,),
        subject=message.subject,
        text=message.body,
        thread=incident.run_key,
        sequence=0,
        category="escalation",
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
    return effects.FindRollback(
        key=duty.key,
        workflow_id=incident.workflow_id,
        service=incident.service,
        clusters=clusters,
        alerted_at=incident.reopened_at or incident.started_at,
        rules=runbook.rollback,
        blamed=blamed(incident),
    )


def _alarm(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    state = incident.rollback(duty.subject)
    if state is None:
        return Outcome(skipped="there is no such rollback any more")
    return effects.SendPage(
        key=duty.key,
        dedup_key=f"{dedup_key(incident)}/{duty.key}",
        summary=f"{incident.name}: the rollback of {duty.subject} is {state.status}: {state.detail}"[:1000],
        source=incident.service,
        severity=_PAGER_WORDS[Severity(incident.severity)],
        details={"incident": incident.name, "to": runbook.people.on_call, "state": rollback_text(incident, state)},
    )


def _show_rollback(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    state = incident.rollback(duty.subject)
    if state is None:
        return Outcome(skipped="there is no such rollback any more")
    ts = state.note.ts if state.note else None
    text = rollback_text(incident, state)
    return effects.KeepSummary(key=duty.key, channel_id=_room(incident), ts=ts, text=text, pin=False)


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


def _archive(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    return effects.ArchiveChannel(key=duty.key, channel_id=_room(incident))


def _room(incident: Incident) -> str:
    """Return the channel's id. The agenda asks for nothing in the channel before there is one."""
    if incident.resources.channel_id is None:
        raise ValueError("a duty in the channel was due before there was a channel")
    return incident.resources.channel_id


_Maker = Callable[[Obligation, Incident, Runbook, datetime], Effect | Outcome]
_MAKERS: dict[Duty, _Maker] = {
    Duty.NUMBER: _number,
    Duty.PAGE: _page,
    Duty.ACKNOWLEDGE_PAGE: _acknowledge_page,
    Duty.RESOLVE_PAGE: _resolve_page,
    Duty.CHANNEL: _channel,
    Duty.TOPIC: _topic,
    Duty.INVITE: _invite,
    Duty.SUMMARY: _summary,
    Duty.NOTICE: _notice,
    Duty.REMIND: _remind,
    Duty.NUDGE: _nudge,
    Duty.WAR_ROOM: _bridge,
    Duty.TICKET: _ticket,
    Duty.DELIVER: _deliver,
    Duty.ESCALATE: _escalate,
    Duty.INVESTIGATE: _investigate,
    Duty.LOOK_AGAIN: _find_rollback,
    Duty.ALARM: _alarm,
    Duty.SHOW_ROLLBACK: _show_rollback,
    Duty.ASK_CUSTOMER: _ask_customer,
    Duty.ARCHIVE: _archive,
}
