"""Obligations in the chat: the incident's channel, its line in the digest, the war room."""

from collections.abc import Callable, Iterator
from datetime import datetime

from incidents.domain.activity_results import ResourcesChanged, Result
from incidents.domain.chat import build_request as requests
from incidents.domain.chat.channel import channel_key, key_in_channel, notice_key, war_room_key
from incidents.domain.chat.decisions import decided_messages, forget_decision, remember_decision, settle_decision
from incidents.domain.chat.promised import promised_among
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.incident.display.summary import bookmarks, digest_text, rollback_text, summary_text, topic_text
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    LIVE_OR_OVER,
    ApplyResult,
    BuildRequest,
    ObligationSpec,
    Owed,
    OwedAfter,
    Phase,
    RetryLimit,
    SpentKeys,
    always_current,
    keep_result,
    none_spent,
)
from incidents.domain.paging.on_call import is_lookup_running
from incidents.domain.rollback.state import Note
from incidents.domain.updates.publishing import DIGEST as DIGEST_END
from incidents.domain.updates.publishing import update_key


def channel_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield what opens the channel and keeps it current."""
    if incident.number is None:
        return
    opened = incident.opened_at
    yield at_once(ObligationKind.CHANNEL, channel_key(incident), opened, "Open the incident's channel")
    if incident.resources.channel_id is None:
        return
    if not is_lookup_running(incident):  # on-call is invited as well
        yield at_once(ObligationKind.INVITE, key_in_channel(incident, Key("invite")), opened, "Invite the responders")
    if incident.resources.topic != topic_text(incident):
        yield at_once(ObligationKind.TOPIC, Key("topic", incident.chat.topic_count), opened, "Set the channel's topic")
    for label, _ in bookmarks(incident):
        summary = f"Bookmark in the channel: {label}"
        yield at_once(
            ObligationKind.BOOKMARK, key_in_channel(incident, Key("bookmark", label)), opened, summary, subject=label
        )
    if runbook.chat.notices_below_summary and _summary_is_coming(incident):
        return
    unsaid = (
        entry
        for entry in incident.timeline
        if entry.announce and not incident.ledger.settled(notice_key(entry.sequence))
    )
    for entry in unsaid:
        summary = f"Post in the channel: {entry.text}"
        yield at_once(ObligationKind.NOTICE, notice_key(entry.sequence), entry.at, summary, sequence=entry.sequence)
        break  # one at a time, so that the channel reads in order


def _summary_is_coming(incident: Incident) -> bool:
    """Tell whether the channel will have its summary, and has none yet."""
    key = Key("summary", incident.chat.summary_count)
    return incident.resources.summary_ts is None and not incident.ledger.settled(key)


def summary_owed(incident: Incident, runbook: RunbookConfig, others: list[Obligation]) -> Iterator[Obligation]:
    """Yield the summary when it no longer says what it should, at most every `chat.summary_every`."""
    resources = incident.resources
    if incident.number is None or resources.channel_id is None:
        return
    if resources.summary_text == summary_text(incident, runbook, promised_among(others)):
        return
    due = incident.chat.summary_at + runbook.chat.summary_every if incident.chat.summary_at else incident.opened_at
    yield Obligation(
        key=Key("summary", incident.chat.summary_count),
        kind=ObligationKind.SUMMARY,
        due=due,
        since=incident.opened_at,
        summary="Update the pinned summary",
    )


def digest_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the incident's line in the channel of all incidents, and each newest update below it."""
    if incident.number is None or not runbook.chat.digest_channel:
        return
    if incident.resources.digest_text != digest_text(incident):
        summary = "Update the digest"
        yield at_once(ObligationKind.DIGEST, Key("digest", incident.chat.digest_count), incident.opened_at, summary)
    if incident.resources.digest_ts is None or incident.private:
        return
    told = [update for update in incident.updates.published if Channel.SLACK in update.channels]
    if told:
        newest = told[-1]
        summary = f"Post update {newest.sequence} in the digest's thread"
        key = update_key(newest.sequence).under(DIGEST_END)
        yield at_once(ObligationKind.DIGEST_UPDATE, key, newest.at, summary, sequence=newest.sequence)


def shown_rollbacks(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the message in the channel, one for each attempt, that shows how a rollback goes."""
    if incident.number is None or incident.resources.channel_id is None:
        return
    for state in incident.rollback.clusters:
        begun = state.status.under_way or state.status.ended
        if not begun or (state.note is not None and state.note.text == rollback_text(incident, state)):
            continue
        cluster, changes = state.offer.cluster, state.note.changes if state.note else 0
        yield Obligation(
            key=Key("rollback", cluster, state.attempt, "shown", changes),
            kind=ObligationKind.SHOW_ROLLBACK,
            due=state.note.at + runbook.chat.summary_every if state.note else state.since,
            since=state.since,
            summary=f"Post the progress of the rollback of {cluster}",
            subject=cluster,
        )


def archive_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the archiving of the channel once the incident is closed, and of a channel left for a private one.

    A post-mortem that is still being written keeps the channel, and archives it itself.
    """
    at, summary = incident.timeline[-1].at, "Archive the channel"
    channel = incident.resources.channel_id
    if incident.closed and channel is not None and not incident.postmortem.pending:
        yield at_once(
            ObligationKind.ARCHIVE, Key("archive", incident.paging.repage_count), at, summary, subject=channel
        )
    if incident.closed or incident.number is None:
        return
    for channel in incident.chat.former_channels:
        summary = "Archive the public channel"
        yield at_once(ObligationKind.ARCHIVE, Key("archive", channel), incident.opened_at, summary, subject=channel)


def war_room_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the war room, where this severity has one."""
    wanted = runbook.policy(incident.severity).war_room and incident.resources.bridge_url is None
    if incident.number is not None and wanted:
        yield at_once(ObligationKind.WAR_ROOM, war_room_key(), incident.episode.since, "Open the war room")


def spent_notices(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the notices of archived entries."""
    yield from (notice_key(sequence) for sequence in range(1, incident.timeline[0].sequence))


def spent_topics(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the topics before the next one."""
    yield from (Key("topic", number) for number in range(incident.chat.topic_count))


def spent_summaries(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the summaries before the next one."""
    yield from (Key("summary", number) for number in range(incident.chat.summary_count))


def spent_digests(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the digest lines before the next one."""
    yield from (Key("digest", number) for number in range(incident.chat.digest_count))


def apply_summary(
    incident: Incident, obligation: Obligation, result: ResourcesChanged, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Count the summary, and remember when it was brought up to date."""
    return incident.replace(chat=incident.chat.replace(summary_at=at, summary_count=incident.chat.summary_count + 1))


def apply_topic(
    incident: Incident, obligation: Obligation, result: ResourcesChanged, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Count the topic."""
    return incident.replace(chat=incident.chat.replace(topic_count=incident.chat.topic_count + 1))


def apply_digest(
    incident: Incident, obligation: Obligation, result: ResourcesChanged, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember the incident's line in the digest."""
    found = result.resources
    resources = incident.resources.replace(digest_ts=found.summary_ts, digest_text=found.summary_text)
    return incident.replace(
        resources=resources, chat=incident.chat.replace(digest_count=incident.chat.digest_count + 1)
    )


def apply_shown_rollback(
    incident: Incident, obligation: Obligation, result: ResourcesChanged, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember the message that shows a rollback's progress."""
    state, found = incident.rollback.of(obligation.subject), result.resources
    if state is None or found.summary_ts is None or found.summary_text is None:
        return incident
    changes = state.note.changes + 1 if state.note else 1
    note = Note(ts=found.summary_ts, text=found.summary_text, at=at, changes=changes)
    return incident.with_rollback(state.replace(note=note))


def _upkeep(
    kind: ObligationKind,
    owed: Owed | OwedAfter,
    build_request: BuildRequest[Result],
    apply_result: ApplyResult[Result] = keep_result,
    *,
    shares_resources: bool = True,
    is_current: Callable[[Incident, Obligation], bool] = always_current,
    spent: SpentKeys = none_spent,
) -> ObligationSpec[Result]:
    """Return the spec of something that keeps the channel or the digest current."""
    return ObligationSpec(
        kind,
        (owed,) if isinstance(owed, Owed) else (),
        owed_after=owed if isinstance(owed, OwedAfter) else None,
        build_request=build_request,
        apply_result=apply_result,
        shares_resources=shares_resources,
        is_current=is_current,
        spent=spent,
        silent=True,
        retry_for=RetryLimit.PUBLISH,
        housekeeping=True,
    )


_CHANNEL = Owed(channel_owed, LIVE_OR_OVER)
_DIGEST = Owed(digest_owed, LIVE_OR_OVER)
CHANNEL = ObligationSpec(
    ObligationKind.CHANNEL,
    (_CHANNEL,),
    build_request=requests.open_channel,
    is_current=lambda incident, obligation: obligation.key == channel_key(incident),
    retry_for=RetryLimit.PUBLISH,
)
TOPIC = _upkeep(
    ObligationKind.TOPIC,
    _CHANNEL,
    requests.topic,
    apply_topic,
    is_current=lambda incident, obligation: obligation.key == Key("topic", incident.chat.topic_count),
    spent=spent_topics,
)
INVITE = ObligationSpec(
    ObligationKind.INVITE,
    (_CHANNEL,),
    build_request=requests.invite,
    retry_for=RetryLimit.PUBLISH,
    housekeeping=True,
)
SUMMARY = _upkeep(
    ObligationKind.SUMMARY,
    OwedAfter(summary_owed, LIVE_OR_OVER),
    requests.summary,
    apply_summary,
    is_current=lambda incident, obligation: obligation.key == Key("summary", incident.chat.summary_count),
    spent=spent_summaries,
)
BOOKMARK = _upkeep(ObligationKind.BOOKMARK, _CHANNEL, requests.bookmark)
DIGEST = _upkeep(
    ObligationKind.DIGEST, _DIGEST, requests.digest, apply_digest, shares_resources=False, spent=spent_digests
)
DIGEST_UPDATE = _upkeep(ObligationKind.DIGEST_UPDATE, _DIGEST, requests.digest_update)
NOTICE = _upkeep(ObligationKind.NOTICE, _CHANNEL, requests.notice, remember_decision, spent=spent_notices)
SETTLE_DECISION = _upkeep(
    ObligationKind.SETTLE_DECISION,
    Owed(decided_messages, LIVE_OR_OVER),
    settle_decision,
    forget_decision,
    shares_resources=False,
)
SHOW_ROLLBACK = _upkeep(
    ObligationKind.SHOW_ROLLBACK,
    Owed(shown_rollbacks, LIVE_OR_OVER),
    requests.show_rollback,
    apply_shown_rollback,
    shares_resources=False,
)
WAR_ROOM = ObligationSpec(
    ObligationKind.WAR_ROOM, (Owed(war_room_owed, LIVE),), build_request=requests.bridge, announce=True
)
ARCHIVE = ObligationSpec(
    ObligationKind.ARCHIVE,
    (Owed(archive_owed, frozenset({Phase.LIVE, Phase.OVER, Phase.CLOSED})),),
    build_request=requests.archive,
)
