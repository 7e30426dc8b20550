"""The agenda: every duty that the incident has, derived from its state.

Nothing is scheduled and nothing is cancelled: a duty is owed while the state says so. What was fulfilled is remembered
by key. A change of severity therefore needs no code here; the next call gives the new agenda.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from runbook.duties import ORDER, Duty, Obligation, Source, at_once
from runbook.incident import Incident, Status
from runbook.policy import Channel, Reach, Runbook, Rung, Unless
from runbook.recovery import customers, judgements, recovery, shown_rollbacks
from runbook.summary import summary_text, topic_text
from runbook.targets import open_targets
from runbook.updates import delivery_key, next_due, release_at


def agenda(incident: Incident, runbook: Runbook) -> list[Obligation]:
    """Return every duty that is owed, now or later, the earliest first."""
    found = [duty for duty in _duties(incident, runbook) if not incident.settled(duty.key)]
    found += _closing(incident, runbook, found)
    return sorted(found, key=lambda duty: (duty.due, ORDER[duty.duty], duty.key))


def patience(duty: Obligation, runbook: Runbook) -> timedelta:
    """Return how long a failing duty is tried again. The number needs no vendor and is never given up."""
    if duty.duty is Duty.NUMBER:
        return timedelta(days=3650)
    if duty.duty in (Duty.PAGE, Duty.ESCALATE, Duty.ALARM, Duty.ACKNOWLEDGE_PAGE, Duty.RESOLVE_PAGE):
        return runbook.patience.page
    if duty.duty in (Duty.DELIVER, Duty.EVIDENCE):
        return runbook.patience.publish
    return runbook.patience.others


def page_key(incident: Incident) -> str:
    """Return the key of the page that is owed: one for each calling anew and each new highest severity."""
    return f"page/{incident.pagings}/{incident.highest_severity}"


def postmortem_owed(incident: Incident, runbook: Runbook) -> bool:
    """Tell whether the highest severity ever reached owes a post-mortem (BEHAVIOURS 69). A false positive owes none."""
    return incident.status != Status.CANCELLED and runbook.policy(incident.highest_severity).postmortem


def _duties(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    if incident.closed:
        yield from _archive(incident)
        return
    yield from _intake(incident, runbook)
    yield from _chat(incident, runbook)
    yield from _deliveries(incident)
    yield from judgements(incident)
    yield from customers(incident, runbook)
    if incident.over:
        yield from _aftermath(incident, runbook)
    else:
        yield from _response(incident, runbook)
        yield from _cadence(incident, runbook)
        yield from _ladder(incident, runbook)
        yield from _targets(incident, runbook)
        yield from recovery(incident, runbook)


def _intake(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    opened = incident.opened_at
    if incident.number is None:
        yield at_once(Duty.NUMBER, "number", opened, "Get the incident's number")
    pages = runbook.policy(incident.severity).page
    if pages and not incident.attended and incident.status == Status.INVESTIGATING:
        since = incident.reopened_at or incident.episode.since
        yield at_once(Duty.PAGE, page_key(incident), since, "Page the engineer on call")
    if not _paged(incident):
        return
    if incident.over or (incident.status == Status.MONITORING and not incident.attended):
        # Resolved also when nobody was needed: a pager would stay silent about an acknowledged page that comes again.
        ended = incident.resolved_at or incident.monitoring_since or incident.timeline[-1].at
        yield at_once(Duty.RESOLVE_PAGE, f"page-resolve/{incident.pagings}", ended, "Resolve the page")
    elif incident.attended:
        since = max(incident.acknowledged_at or opened, opened)
        yield at_once(Duty.ACKNOWLEDGE_PAGE, f"page-ack/{incident.pagings}", since, "Stop the paging")


def _paged(incident: Incident) -> bool:
    paging = f"page/{incident.pagings}/"
    return any(key.startswith(paging) for key in (*incident.fulfilled, *incident.begun))


def _response(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    """Yield the automatic steps of the first-response checklist."""
    opened, policy = incident.opened_at, runbook.policy(incident.severity)
    for source in Source:
        yield at_once(
            Duty.INVESTIGATE, f"investigate/{source}", opened, f"Investigate: look at {source}", subject=source.value
        )
    if incident.number is None:
        return
    if policy.war_room and incident.resources.bridge_url is None:
        yield at_once(Duty.WAR_ROOM, "war-room", incident.episode.since, "Open the war room")
    if Channel.ISSUE_TRACKER in policy.updates.channels:
        yield at_once(Duty.TICKET, "ticket", incident.episode.since, "Open the ticket")


def _chat(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    if incident.number is None:
        return
    opened, resources = incident.opened_at, incident.resources
    yield at_once(Duty.CHANNEL, "channel", opened, "Open the incident's channel")
    if resources.channel_id is None:
        return
    yield at_once(Duty.INVITE, "invite", opened, "Invite the responders")
    if resources.topic != topic_text(incident):
        yield at_once(Duty.TOPIC, f"topic/{incident.topics}", opened, "Set the channel's topic")
    if resources.summary_text != summary_text(incident, runbook):
        due = incident.summary_at + runbook.chat.summary_every if incident.summary_at else opened
        yield Obligation(
            key=f"summary/{incident.summaries}",
            duty=Duty.SUMMARY,
            due=due,
            since=opened,
            says="Keep the summary in the channel current",
        )
    yield from shown_rollbacks(incident, runbook)
    unsaid = (
        entry for entry in incident.timeline if entry.announce and not incident.settled(f"notice/{entry.sequence}")
    )
    for entry in unsaid:
        says = f"Say in the channel: {entry.text}"
        yield at_once(Duty.NOTICE, f"notice/{entry.sequence}", entry.at, says, sequence=entry.sequence)
        break  # one at a time, so that the channel reads in order


def _deliveries(incident: Incident) -> Iterator[Obligation]:
    """Yield the newest update for each channel; older ones are superseded (BEHAVIOURS 35 and 36)."""
    if incident.number is None:
        return
    newest = {channel: update for update in incident.updates for channel in update.channels}
    for channel, update in newest.items():
        if channel is Channel.SLACK and not incident.settled("channel"):
            continue
        says = f"Publish update {update.sequence} on {channel}"
        key = delivery_key(update.sequence, channel)
        yield at_once(Duty.DELIVER, key, update.at, says, subject=channel.value, sequence=update.sequence)


def _cadence(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    due = next_due(incident, runbook)
    if due is None or incident.update_anchor is None:
        return
    sequence = len(incident.updates) + 1
    since = incident.updates[-1].at if incident.updates else incident.opened_at
    release = max(release_at(incident, runbook, due), since)
    says = f"Publish status update {sequence}"
    yield Obligation(key=f"update/{sequence}", duty=Duty.UPDATE, due=release, since=since, says=says, sequence=sequence)
    before = runbook.policy(incident.severity).updates.remind_before
    if before and incident.resources.channel_id:
        yield Obligation(
            key=f"update/{sequence}/reminder",
            duty=Duty.REMIND,
            due=max(due - before, since),
            since=since,
            says=f"Show the responders the draft of update {sequence}",
            sequence=sequence,
        )
    if incident.no_news >= runbook.updates.nudge_after and incident.resources.channel_id:
        key = f"update/{sequence}/nudge"
        yield at_once(Duty.NUDGE, key, since, "Ask the commander for words of their own", sequence=sequence)


def ladder_start(incident: Incident, runbook: Runbook) -> tuple[datetime, int]:
    """Return from when the current severity's ladder counts, and the number of that episode.

    A severity that was left for no longer than `escalation.rejoin_within` goes on where it was (BEHAVIOURS 29).
    """
    number = len(incident.episodes) - 1
    since = incident.episodes[number].since
    for index in range(number - 1, -1, -1):
        episode = incident.episodes[index]
        if episode.severity == incident.severity:
            if episode.until is None or since - episode.until > runbook.escalation.rejoin_within:
                break
            number, since = index, episode.since
    return since, number


def _needless(rung: Rung, incident: Incident) -> bool:
    if rung.unless is Unless.ACKNOWLEDGED:
        return incident.attended or incident.status == Status.MONITORING
    return rung.unless is Unless.MITIGATED and incident.mitigated_at is not None


def _rung_due(rung: Rung, incident: Incident, runbook: Runbook, since: datetime) -> datetime:
    if rung.after is not None:
        return since + rung.after
    return runbook.calendar.deadline(since, runbook.policy(incident.severity).acknowledge_within)


def _ladder(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    since, number = ladder_start(incident, runbook)
    for rung in runbook.policy(incident.severity).escalation:
        if _needless(rung, incident):
            continue
        name = runbook.contacts[rung.contact].name
        for reach in rung.by:
            yield Obligation(
                key=f"escalate/{incident.severity}/{number}/{rung.contact}/{reach}",
                duty=Duty.ESCALATE,
                due=_rung_due(rung, incident, runbook, since),
                since=since,
                says=f"Escalate to {name} by {reach}",
                subject=rung.contact,
                by=reach,
            )


def _targets(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    since, number = ladder_start(incident, runbook)
    for target in open_targets(incident, runbook, since):
        yield Obligation(
            key=f"target/{incident.severity}/{number}/{target.name}",
            duty=Duty.TARGET,
            due=target.due,
            since=since,
            says=f"Target: {target.says}",
            subject=target.name,
        )


def _aftermath(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    """Yield what an ended incident still owes: the record, the post-mortem, and its own closing."""
    ended = incident.resolved_at or incident.timeline[-1].at
    number = len(incident.intervals)
    for key in (*incident.fulfilled, *incident.begun):
        if key.startswith("alarm/") or (key.startswith("escalate/") and key.endswith(f"/{Reach.PAGE}")):
            says = f"Resolve the page {key}"
            yield at_once(Duty.RESOLVE_PAGE, f"page-resolve/{key}", ended, says, subject=key)
    if incident.number is not None:
        yield at_once(Duty.EVIDENCE, f"evidence/{incident.pagings + 1}", ended, "Preserve the incident's record")
        if postmortem_owed(incident, runbook):
            yield at_once(Duty.POSTMORTEM, f"postmortem/{number}", ended, "Hand over to the post-mortem")


def _closing(incident: Incident, runbook: Runbook, others: list[Obligation]) -> Iterator[Obligation]:
    """Yield the end of the incident: after the reopen window, or, if it cannot come back, when all else is done."""
    if not incident.over or incident.closed:
        return
    ended = incident.resolved_at or incident.timeline[-1].at
    for_good = incident.status == Status.CANCELLED or incident.postmortem_published
    if for_good and others:
        return
    due = ended if for_good else ended + runbook.policy(incident.highest_severity).reopen_window
    due = max([due, *(duty.due for duty in others if duty.duty is Duty.NO_ANSWER)])
    key = f"close/{incident.pagings}"
    yield Obligation(key=key, duty=Duty.CLOSE, due=due, since=ended, says="Close the incident for good")


def _archive(incident: Incident) -> Iterator[Obligation]:
    if incident.resources.channel_id is not None:
        at = incident.timeline[-1].at
        yield at_once(Duty.ARCHIVE, f"archive/{incident.pagings}", at, "Archive the channel")
