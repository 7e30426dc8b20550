"""Obligations that get and keep a responder: page, escalate, re-page a quiet responder, ask for a commander."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.activity_requests import ActivityResult
from incidents.domain.config.communication import Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import repage_after_silence
from incidents.domain.incident.parts import OnCall, Status
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    LIVE_OR_OVER,
    OVER,
    ObligationSpec,
    Owed,
    RetryLimit,
)
from incidents.domain.paging import build_request as requests
from incidents.domain.paging.ladder import ladder, ladder_start, page_owed
from incidents.domain.paging.targets import open_targets


def page_settlement(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the acknowledgement of the page once it is acknowledged here, its resolution once nobody is needed."""
    unneeded = incident.status == Status.MONITORING and not incident.attended
    if incident.over or unneeded:
        # Resolved also when nobody was needed: a pager would stay silent about an acknowledged page that comes again.
        ended = incident.resolved_at or incident.monitoring_since or incident.timeline[-1].at
        for calling in range(0 if incident.over else incident.repage_count, incident.repage_count + 1):
            if _paged(incident, calling):
                key = f"page-resolve/{calling}"
                yield at_once(ObligationKind.RESOLVE_PAGE, key, ended, "Resolve the page", sequence=calling)
    elif incident.attended and _paged(incident, incident.repage_count):
        since = max(incident.acknowledged_at or incident.opened_at, incident.opened_at)
        yield at_once(
            ObligationKind.ACKNOWLEDGE_PAGE, f"page-ack/{incident.repage_count}", since, "Acknowledge the page"
        )


def _paged(incident: Incident, calling: int) -> bool:
    paging = f"page/{calling}/"
    return any(key.startswith(paging) for key in (*incident.fulfilled, *incident.begun))


def escalation_pages(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the resolution of the pages of escalations and of rollbacks that needed a decision."""
    ended = incident.resolved_at or incident.timeline[-1].at
    for key in (*incident.fulfilled, *incident.begun):
        if key.startswith("alarm/") or (key.startswith("escalate/") and key.endswith(f"/{Reach.PAGE}")):
            says = f"Resolve the page {key}"
            yield at_once(ObligationKind.RESOLVE_PAGE, f"page-resolve/{key}", ended, says, subject=key)


def quiet_responder(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the check for activity of the responder who acknowledged (behaviour 44)."""
    patience = runbook.policy(incident.severity).silent_after
    if patience is None or not incident.attended or incident.status != Status.INVESTIGATING:
        return
    since = max(incident.heard_at or incident.opened_at, incident.episode.since)
    yield Obligation(
        key=f"listen/{since.isoformat()}",
        kind=ObligationKind.LISTEN,
        due=since + patience,
        since=since,
        says=f"Re-page on-call if {incident.commander or 'the responder'} stays silent",
    )


def missing_commander(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the reminder that no incident commander is assigned."""
    within = runbook.policy(incident.severity).commander_within
    if within is None or incident.commander or not incident.resources.channel_id:
        return
    since = max(incident.no_commander_since or incident.opened_at, incident.episode.since)
    yield Obligation(
        key=f"commander/{since.isoformat()}",
        kind=ObligationKind.REMIND_COMMANDER,
        due=since + within,
        since=since,
        says="Remind the channel: no incident commander",
    )


def response_targets(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the response targets that are still open."""
    since, number = ladder_start(incident, runbook)
    for target in open_targets(incident, runbook, since):
        yield Obligation(
            key=f"target/{incident.severity}/{number}/{target.name}",
            kind=ObligationKind.TARGET,
            due=target.due,
            since=since,
            says=f"Target: {target.says}",
            subject=target.name,
        )


def barest_page(incident: Incident) -> Iterator[Obligation]:
    """Yield the page alone, for when the rest of the agenda cannot be derived: paged twice is better than never."""
    if not incident.attended and incident.status == Status.INVESTIGATING:
        key = f"page/{incident.repage_count}/{incident.highest_severity}"
        yield at_once(ObligationKind.PAGE, key, incident.opened_at, "Page the engineer on call")


def apply_on_call(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember who is on call; with an empty schedule the next level is called at once."""
    found = tuple(
        OnCall(contact=obligation.subject, at=at, name=person.name, email=person.email) for person in result.on_call[:1]
    )
    others = tuple(known for known in incident.on_call if known.contact != obligation.subject)
    incident = incident.replace(on_call=(*others, *(found or (OnCall(contact=obligation.subject, at=at),))))
    if found:
        return incident
    text = f"no_one_on_call: the schedule of {obligation.subject} is empty. The next level is called at once"
    return incident.logged(at, SYSTEM, Kind.ESCALATION, text, announce=True)


def apply_channel_activity(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Go on if somebody wrote in the channel since; else re-page on-call."""
    if result.heard_at is not None and result.heard_at > obligation.since:
        return incident.replace(heard_at=result.heard_at)
    active = incident.heard_at is not None and incident.heard_at > obligation.since
    if active or not incident.attended or incident.over:  # a command came while the channel was read
        return incident
    return repage_after_silence(incident, at, obligation.due - obligation.since)


def apply_unread_channel(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Re-page on-call if the channel could not be read: an unread channel is no sign of activity."""
    return apply_channel_activity(incident, obligation, ActivityResult(), runbook, at)


def target_missed(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record that a response target was missed. An open target is looked at only when its time is over."""
    incident = incident.replace(fulfilled=(*incident.fulfilled, obligation.key))
    text = f"Target missed: {obligation.says.removeprefix('Target: ')}"
    return incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)


_PAGING = Owed(page_owed, LIVE_OR_OVER)
_SETTLEMENT = Owed(page_settlement, LIVE_OR_OVER)
_LADDER = Owed(ladder, LIVE)
PAGE = ObligationSpec(
    ObligationKind.PAGE,
    (_PAGING,),
    build_request=requests.page,
    timeline=Kind.PAGE,
    retry_for=RetryLimit.PAGE,
    withdrawable=True,
)
ON_CALL = ObligationSpec(
    ObligationKind.ON_CALL,
    (_PAGING, _LADDER),
    build_request=requests.find_on_call,
    apply_result=apply_on_call,
    timeline=Kind.PAGE,
    retry_for=RetryLimit.REACH,
    housekeeping=True,
)
ACKNOWLEDGE_PAGE = ObligationSpec(
    ObligationKind.ACKNOWLEDGE_PAGE,
    (_SETTLEMENT,),
    build_request=requests.acknowledge_page,
    timeline=Kind.PAGE,
    retry_for=RetryLimit.PAGE,
)
RESOLVE_PAGE = ObligationSpec(
    ObligationKind.RESOLVE_PAGE,
    (_SETTLEMENT, Owed(escalation_pages, OVER, survives=False)),
    build_request=requests.resolve_page,
    timeline=Kind.PAGE,
    retry_for=RetryLimit.PAGE,
)
ESCALATE = ObligationSpec(
    ObligationKind.ESCALATE,
    (_PAGING, _LADDER),
    build_request=requests.escalate,
    timeline=Kind.ESCALATION,
    announce=True,
    retry_for=RetryLimit.REACH,
    withdrawable=True,
)
LISTEN = ObligationSpec(
    ObligationKind.LISTEN,
    (Owed(quiet_responder, LIVE),),
    build_request=requests.hear,
    apply_result=apply_channel_activity,
    apply_failure=apply_unread_channel,
    apply_skip=apply_unread_channel,
    logs_undone=False,
    silent=True,
)
REMIND_COMMANDER = ObligationSpec(
    ObligationKind.REMIND_COMMANDER,
    (Owed(missing_commander, LIVE),),
    build_request=requests.remind_commander,
)
TARGET = ObligationSpec(ObligationKind.TARGET, (Owed(response_targets, LIVE),), apply_due=target_missed)
