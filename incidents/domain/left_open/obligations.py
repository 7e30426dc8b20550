"""Incidents that were left open (behaviour 102b): ask the commander, then the manager; resolve if the runbook may."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, ChannelRead
from incidents.domain.alerting.state import MOST_ALERTS
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.text.mrkdwn import mrkdwn
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import resolve
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.obligation_spec import LIVE, ObligationSpec, Owed, spent_instants
from incidents.domain.paging.build_request import check_activity
from incidents.domain.paging.ladder import address
from incidents.domain.updates.messages import internal_mail


def last_activity(incident: Incident) -> datetime:
    """Return when a responder last acted, or else since when the incident has been open."""
    return max(incident.paging.last_response_at or incident.opened_at, incident.reopened_at or incident.opened_at)


def questions_asked(incident: Incident) -> int:
    """Return how often it was asked since the last activity whether the incident is over."""
    asked_at = incident.left_open.asked_at
    return incident.left_open.asked if asked_at is not None and asked_at > last_activity(incident) else 0


def left_open(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the next question whether an incident without activity is over."""
    rules = runbook.left_open
    if rules is None or incident.number is None:
        return
    quiet_since = last_activity(incident)
    since = incident.left_open.asked_at if questions_asked(incident) and incident.left_open.asked_at else quiet_since
    whom = "the manager" if _is_for_manager(incident, runbook) else incident.roles.commander or "responders"
    due = since + rules.ask_every
    yield Obligation(
        key=Key("left-open", due.isoformat()),
        kind=ObligationKind.LEFT_OPEN,
        due=due,
        since=since,
        summary=f"No activity: ask {whom} whether to resolve",
    )


def _is_for_manager(incident: Incident, runbook: RunbookConfig) -> bool:
    rules = runbook.left_open
    return rules is not None and questions_asked(incident) + 1 >= rules.manager_after


def ask(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Ask the commander in the channel; later, or without a channel, the manager by e-mail."""
    text = question(incident, at)
    channel = incident.resources.channel_id
    if channel is not None and not _is_for_manager(incident, runbook):
        return chat_requests.PostMessage(key=obligation.key, channel_id=channel, text=mrkdwn("<!here> {}", text))
    email = address(runbook.postmortem.manager, incident, runbook)
    if not email:
        return ActivityResult(skipped=f"the runbook has no e-mail address of {runbook.postmortem.manager}")
    subject = f"{incident.name}: open without activity"
    return internal_mail(obligation, incident, (email,), subject, f"{text}\n", "left-open")


def question(incident: Incident, at: datetime) -> str:
    """Return the question, with what to type next."""
    number, commander = incident.number, f"Commander: {incident.roles.commander or 'unassigned'}."
    return (
        f"{incident.name} ({incident.severity}, {incident.status}) has had no activity for"
        f" {in_words(at - last_activity(incident))}. {commander} If it is over: `incident resolve {number}`."
        f' If not: `incident note {number} "…"`.'
    )


def apply_question(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Count the question; the next one is due an interval later."""
    return _counted(incident, at)


def apply_unasked(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Count an undelivered question, too: the next one is asked an interval later."""
    return _counted(incident, at)


def _counted(incident: Incident, at: datetime) -> Incident:
    asked = questions_asked(incident) + 1
    return incident.replace(left_open=incident.left_open.replace(asked=asked, asked_at=at))


def auto_resolution(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the resolution of an incident whose alerts have all ended long enough ago, if its severity allows it.

    Activity is any command of a responder (by CLI, chat or pager; a note, too), and what people write in the
    incident's channel: that is read before it is resolved.
    """
    after, ended = runbook.policy(incident.severity).auto_resolve_after, incident.alerting.all_ended_at
    if after is None or ended is None or not _all_known_to_have_ended(incident):
        return
    if any(state.status.under_way for state in incident.rollback.clusters):
        return
    since = max(ended, last_activity(incident), incident.left_open.unread_at or ended)
    yield Obligation(
        key=Key("auto-resolve", since.isoformat()),
        kind=ObligationKind.AUTO_RESOLVE,
        due=since + after,
        since=since,
        summary="Resolve if nobody acts: its alerts have ended",
    )


def _all_known_to_have_ended(incident: Incident) -> bool:
    """Tell whether no alert fires. Of more alerts than are remembered that is unknown."""
    return not incident.alerting.firing and 0 < len(incident.alerting.alerts) < MOST_ALERTS


def apply_channel_activity(
    incident: Incident, obligation: Obligation, result: ChannelRead, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Resolve the incident as its severity's policy says, unless somebody wrote in the channel or it changed since."""
    if result.heard_at is not None and result.heard_at > last_activity(incident):
        return incident.replace(paging=incident.paging.replace(last_response_at=result.heard_at))
    if all(owed.key != obligation.key for owed in auto_resolution(incident, runbook)):
        return incident
    ended: timedelta = at - (incident.alerting.all_ended_at or at)
    text = f"All alerts ended {in_words(ended)} ago, no activity since: resolving (auto_resolve_after)"
    incident = incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)
    return resolve(incident, runbook, at, SYSTEM, PublicText.trusted(runbook.templates.texts.stable))


def apply_unread_channel(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Resolve nothing if the channel could not be read: people may be working there. Try again as long after."""
    incident = incident.replace(left_open=incident.left_open.replace(unread_at=at))
    text = f"Not resolved automatically: the channel could not be read for activity ({reason})"
    return incident.logged(at, SYSTEM, Kind.STATUS, text)


LEFT_OPEN = ObligationSpec(
    ObligationKind.LEFT_OPEN,
    (Owed(left_open, LIVE),),
    build_request=ask,
    apply_result=apply_question,
    apply_failure=apply_unasked,
    apply_skip=apply_unasked,
    timeline=Kind.STATUS,
    spent=spent_instants("left-open"),
)
AUTO_RESOLVE = ObligationSpec(
    ObligationKind.AUTO_RESOLVE,
    (Owed(auto_resolution, LIVE, survives=False),),
    build_request=check_activity,
    apply_result=apply_channel_activity,
    apply_failure=apply_unread_channel,
    apply_skip=apply_unread_channel,
    spent=spent_instants("auto-resolve"),
    silent=True,
    logs_undone=False,
    withdrawable=True,
)
