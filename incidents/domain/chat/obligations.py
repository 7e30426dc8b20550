"""The incident's places in Slack: its channel as a place to work, and its line in the digest."""

from collections.abc import Iterator

from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.summary import (
    bookmarks,
    digest_text,
    rollback_text,
    summary_text,
    topic_text,
)
from incidents.domain.obligation import Obligation, ObligationKind, at_once


def channel_key(incident: Incident) -> str:
    """Return the key of the obligation that opens the channel: one that becomes private gets another."""
    return "channel" if incident.channels == 1 else f"channel/{incident.channels}"


def room(incident: Incident, runbook: RunbookConfig, coming: list[Obligation]) -> Iterator[Obligation]:
    """Yield what keeps the channel and the digest current. `coming`: what the summary may tell to come."""
    if incident.number is None:
        return
    yield from _digest(incident, runbook)
    opened, room_key = incident.opened_at, channel_key(incident)
    yield at_once(ObligationKind.CHANNEL, room_key, opened, "Open the incident's channel")
    yield from _former(incident)
    if incident.resources.channel_id is None:
        return
    asking = [key for key in incident.begun if key.startswith("on-call/") and not incident.settled(key)]
    if not asking:  # whoever is on call is invited, too
        yield at_once(ObligationKind.INVITE, room_key.replace("channel", "invite"), opened, "Invite the responders")
    if incident.resources.topic != topic_text(incident):
        yield at_once(ObligationKind.TOPIC, f"topic/{incident.topics}", opened, "Set the channel's topic")
    yield from _summary(incident, runbook, coming)
    for label, _ in bookmarks(incident):
        says = f"Bookmark in the channel: {label}"
        yield at_once(
            ObligationKind.BOOKMARK, room_key.replace("channel", f"bookmark/{label}"), opened, says, subject=label
        )
    yield from shown_rollbacks(incident, runbook)
    unsaid = (
        entry for entry in incident.timeline if entry.announce and not incident.settled(f"notice/{entry.sequence}")
    )
    for entry in unsaid:
        says = f"Say in the channel: {entry.text}"
        yield at_once(ObligationKind.NOTICE, f"notice/{entry.sequence}", entry.at, says, sequence=entry.sequence)
        break  # one at a time, so that the channel reads in order


def archive(incident: Incident) -> Iterator[Obligation]:
    """Yield the end of the channel, after the reopen window."""
    if incident.resources.channel_id is not None:
        at, room_id = incident.timeline[-1].at, incident.resources.channel_id
        yield at_once(
            ObligationKind.ARCHIVE, f"archive/{incident.repage_count}", at, "Archive the channel", subject=room_id
        )


def _former(incident: Incident) -> Iterator[Obligation]:
    """Yield the end of the channels that an incident left when it became private."""
    for room_id in incident.former_channels:
        says = "Archive the channel that everybody can read"
        yield at_once(ObligationKind.ARCHIVE, f"archive/{room_id}", incident.opened_at, says, subject=room_id)


def _summary(incident: Incident, runbook: RunbookConfig, coming: list[Obligation]) -> Iterator[Obligation]:
    if incident.resources.summary_text == summary_text(incident, runbook, coming):
        return
    due = incident.summary_at + runbook.chat.summary_every if incident.summary_at else incident.opened_at
    yield Obligation(
        key=f"summary/{incident.summaries}",
        kind=ObligationKind.SUMMARY,
        due=due,
        since=incident.opened_at,
        says="Keep the summary in the channel current",
    )


def _digest(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the incident's line in the channel of all incidents, and each newest update below it."""
    if not runbook.chat.digest_channel:
        return
    if incident.resources.digest_text != digest_text(incident):
        says = "Keep the line in the digest current"
        yield at_once(ObligationKind.DIGEST, f"digest/{incident.digests}", incident.opened_at, says)
    if incident.resources.digest_ts is None or incident.private:
        return
    told = [update for update in incident.updates if Channel.SLACK in update.channels]
    if told:
        newest = told[-1]
        says = f"Show update {newest.sequence} below the digest"
        key = f"update/{newest.sequence}/digest"
        yield at_once(ObligationKind.DIGEST_UPDATE, key, newest.at, says, sequence=newest.sequence)


def shown_rollbacks(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the message in the channel, one for each attempt, that shows how a rollback goes."""
    for state in incident.rollbacks:
        begun = state.status.under_way or state.status.ended
        if not begun or (state.note is not None and state.note.text == rollback_text(incident, state)):
            continue
        cluster, changes = state.offer.cluster, state.note.changes if state.note else 0
        yield Obligation(
            key=f"rollback/{cluster}/{state.attempt}/shown/{changes}",
            kind=ObligationKind.SHOW_ROLLBACK,
            due=state.note.at + runbook.chat.summary_every if state.note else state.since,
            since=state.since,
            says=f"Show in the channel how the rollback of {cluster} goes",
            subject=cluster,
        )
