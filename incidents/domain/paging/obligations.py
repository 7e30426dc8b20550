"""Obligations that get and keep a responder: page, escalate, re-page a quiet responder, ask for a commander."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.activity_results import ActivityResult, ChannelRead, OnCallFound
from incidents.domain.chat.channel import channel_key, war_room_key
from incidents.domain.config.communication import Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.status import Status
from incidents.domain.core.timeline import SYSTEM, TARGET_MISSED, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import repage_after_silence
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    LIVE_OR_OVER,
    OVER,
    ObligationSpec,
    Owed,
    RetryLimit,
    spent_instants,
)
from incidents.domain.paging import build_request as requests
from incidents.domain.paging.keys import page_key, page_update_key
from incidents.domain.paging.ladder import ladder, ladder_start, page_owed
from incidents.domain.paging.on_call import on_call_of
from incidents.domain.paging.reachability import warn_of_unsent_page
from incidents.domain.paging.settlement import escalation_pages, forget_page, page_settlement
from incidents.domain.paging.spent import (
    spent_acknowledgements,
    spent_lookups,
    spent_pages,
    spent_resolutions,
    spent_updates,
)
from incidents.domain.paging.state import Call, OnCall
from incidents.domain.paging.targets import open_targets

_ACTIVITY_CHECK = "listen"


def page_update(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the update of an open page that went out before the number and the channel were known (behaviour 92)."""
    key = page_key(incident)
    early = any(call.key == key and not call.complete for call in incident.paging.calls)
    if not early or key not in incident.ledger.fulfilled or incident.number is None or incident.paging.attended:
        return
    waits_for = [channel_key(incident), *([war_room_key()] if runbook.policy(incident.severity).war_room else [])]
    if incident.status == Status.INVESTIGATING and all(incident.ledger.settled(name) for name in waits_for):
        summary = "Add the number and the links to the page"
        yield at_once(ObligationKind.UPDATE_PAGE, page_update_key(key), incident.opened_at, summary)


def quiet_responder(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the check for activity of the responder who acknowledged (behaviour 44)."""
    silent_after = runbook.policy(incident.severity).silent_after
    if silent_after is None or not incident.paging.attended or incident.status != Status.INVESTIGATING:
        return
    since = _quiet_since(incident)
    yield Obligation(
        key=Key(_ACTIVITY_CHECK, since.isoformat()),
        kind=ObligationKind.CHECK_ACTIVITY,
        due=since + silent_after,
        since=since,
        summary=f"Re-page on-call if {incident.roles.commander or 'the responder'} stays silent",
    )


def _quiet_since(incident: Incident) -> datetime:
    return max(incident.paging.last_response_at or incident.opened_at, incident.episode.since)


def spent_checks(incident: Incident) -> Iterator[Key]:
    """Yield the keys of earlier checks for activity: the time from which a check counts never goes back before them."""
    current = Key(_ACTIVITY_CHECK, _quiet_since(incident).isoformat())
    yield from (key for key in incident.ledger.keys if key.kind == _ACTIVITY_CHECK and key != current)


def missing_commander(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the reminder that no incident commander is assigned."""
    within = runbook.policy(incident.severity).commander_within
    if within is None or incident.roles.commander or not incident.resources.channel_id:
        return
    since = max(incident.roles.no_commander_since or incident.opened_at, incident.episode.since)
    yield Obligation(
        key=Key("commander", since.isoformat()),
        kind=ObligationKind.REMIND_COMMANDER,
        due=since + within,
        since=since,
        summary="Remind the channel: no incident commander",
    )


def response_targets(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the response targets that are still open."""
    since, number = ladder_start(incident, runbook)
    for target in open_targets(incident, runbook, since):
        yield Obligation(
            key=Key("target", incident.severity, number, target.name),
            kind=ObligationKind.TARGET,
            due=target.due,
            since=since,
            summary=f"Target: {target.summary}",
            subject=target.name,
        )


def barest_page(incident: Incident) -> Iterator[Obligation]:
    """Yield the page alone, for when the rest of the agenda cannot be derived: paged twice is better than never."""
    needed = incident.status == Status.INVESTIGATING and incident.alerting.waiting is None
    if needed and not incident.paging.attended:
        key = page_key(incident)
        yield at_once(ObligationKind.PAGE, key, incident.opened_at, "Page the engineer on call")


def record_page(incident: Incident, obligation: Obligation, runbook: RunbookConfig) -> Incident:
    """Remember the page to on-call: it is acknowledged and resolved with the incident."""
    contact = on_call_of(incident, runbook)
    complete = incident.number is not None and incident.ledger.settled(channel_key(incident))
    call = Call(
        key=obligation.key,
        contact=contact,
        reach=Reach.PAGE,
        calling=incident.paging.repage_count,
        complete=complete,
    )
    return incident.replace(paging=incident.paging.with_call(call))


def apply_page(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember the first page that went out: the time to acknowledge counts from it (behaviour 99)."""
    first = incident.paging.first_paged_at or at
    return incident.replace(paging=incident.paging.replace(first_paged_at=first, warned=""))


def announce_unsent_page(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Say in the channel, once until a page goes out, that nobody can be paged (behaviour 91)."""
    text = warn_of_unsent_page(incident)
    if text in ("", incident.paging.warned):
        return incident
    incident = incident.replace(paging=incident.paging.replace(warned=text))
    return incident.logged(at, SYSTEM, Kind.PAGE, text, announce=True)


def record_escalation(incident: Incident, obligation: Obligation, runbook: RunbookConfig) -> Incident:
    """Remember who is escalated to, how, and for which rung."""
    reach = obligation.by or Reach.PAGE
    call = Call(key=obligation.key, contact=obligation.subject, reach=reach, rung=obligation.rung)
    return incident.replace(paging=incident.paging.with_call(call))


def apply_on_call(
    incident: Incident, obligation: Obligation, result: OnCallFound, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember who is on call; with an empty schedule the next level is called at once."""
    found = tuple(
        OnCall(contact=obligation.subject, at=at, name=person.name, email=person.email) for person in result.on_call[:1]
    )
    others = tuple(known for known in incident.paging.on_call if known.contact != obligation.subject)
    incident = incident.replace(
        paging=incident.paging.replace(on_call=(*others, *(found or (OnCall(contact=obligation.subject, at=at),))))
    )
    if found:
        return incident
    text = f"no_one_on_call: the schedule of {obligation.subject} is empty. Escalating to the next level now"
    return incident.logged(at, SYSTEM, Kind.ESCALATION, text, announce=True)


def apply_channel_activity(
    incident: Incident, obligation: Obligation, result: ChannelRead, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Record activity in the channel since the last check; without any, re-page on-call."""
    if result.heard_at is not None and result.heard_at > obligation.since:
        return incident.replace(paging=incident.paging.replace(last_response_at=result.heard_at))
    active = incident.paging.last_response_at is not None and incident.paging.last_response_at > obligation.since
    if active or not incident.paging.attended or incident.over:  # a command came while the channel was read
        return incident
    return repage_after_silence(incident, at, obligation.due - obligation.since)


def apply_unread_channel(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Re-page on-call if the channel could not be read: an unread channel is no sign of activity."""
    return apply_channel_activity(incident, obligation, ChannelRead(), runbook, at)


def target_missed(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record that a response target was missed. An open target is looked at only when its time is over."""
    incident = incident.with_fulfilled(obligation.key)
    text = f"{TARGET_MISSED}{obligation.summary.removeprefix('Target: ')}"
    return incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)


_PAGING = Owed(page_owed, LIVE_OR_OVER)
_SETTLEMENT = Owed(page_settlement, LIVE_OR_OVER)
_LADDER = Owed(ladder, LIVE)
PAGE = ObligationSpec(
    ObligationKind.PAGE,
    (_PAGING,),
    build_request=requests.page,
    apply_begun=record_page,
    apply_result=apply_page,
    spent=spent_pages,
    apply_skip=announce_unsent_page,
    timeline=Kind.PAGE,
    retry_for=RetryLimit.PAGE,
    withdrawable=True,
)
UPDATE_PAGE = ObligationSpec(
    ObligationKind.UPDATE_PAGE,
    (Owed(page_update, LIVE),),
    build_request=requests.page,
    spent=spent_updates,
    timeline=Kind.PAGE,
    silent=True,
    retry_for=RetryLimit.REACH,
    withdrawable=True,
    housekeeping=True,
)
ON_CALL = ObligationSpec(
    ObligationKind.ON_CALL,
    (_PAGING, _LADDER),
    build_request=requests.find_on_call,
    apply_result=apply_on_call,
    spent=spent_lookups,
    timeline=Kind.PAGE,
    retry_for=RetryLimit.REACH,
    housekeeping=True,
)
ACKNOWLEDGE_PAGE = ObligationSpec(
    ObligationKind.ACKNOWLEDGE_PAGE,
    (_SETTLEMENT,),
    build_request=requests.acknowledge_page,
    spent=spent_acknowledgements,
    timeline=Kind.PAGE,
    retry_for=RetryLimit.PAGE,
    withdrawable=True,
)
RESOLVE_PAGE = ObligationSpec(
    ObligationKind.RESOLVE_PAGE,
    (_SETTLEMENT, Owed(escalation_pages, OVER, survives=False)),
    build_request=requests.resolve_page,
    apply_result=forget_page,
    spent=spent_resolutions,
    timeline=Kind.PAGE,
    retry_for=RetryLimit.PAGE,
)
ESCALATE = ObligationSpec(
    ObligationKind.ESCALATE,
    (_PAGING, _LADDER),
    build_request=requests.escalate,
    apply_begun=record_escalation,
    timeline=Kind.ESCALATION,
    announce=True,
    retry_for=RetryLimit.REACH,
    withdrawable=True,
)
CHECK_ACTIVITY = ObligationSpec(
    ObligationKind.CHECK_ACTIVITY,
    (Owed(quiet_responder, LIVE),),
    build_request=requests.check_activity,
    apply_result=apply_channel_activity,
    apply_failure=apply_unread_channel,
    apply_skip=apply_unread_channel,
    spent=spent_checks,
    logs_undone=False,
    silent=True,
)
REMIND_COMMANDER = ObligationSpec(
    ObligationKind.REMIND_COMMANDER,
    (Owed(missing_commander, LIVE),),
    build_request=requests.remind_commander,
    spent=spent_instants("commander"),
)
TARGET = ObligationSpec(ObligationKind.TARGET, (Owed(response_targets, LIVE),), apply_due=target_missed)
