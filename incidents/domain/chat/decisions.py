"""Messages that ask for a decision on a rollback: once it is made, in whatever way, they lose their buttons."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import MessagePosted, ResourcesChanged
from incidents.domain.chat.activity_requests import KeepSummary
from incidents.domain.chat.buttons import decision_buttons
from incidents.domain.chat.card import Card
from incidents.domain.chat.stale import rollback_standing
from incidents.domain.chat.state import DecisionMessage
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once

_SUPERSEDED = "A newer message asks for this decision."
_OVER = "The incident ended before a decision was made."


def remember_decision(
    incident: Incident, obligation: Obligation, result: MessagePosted, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember the message of a decision, so that its buttons can be removed.

    Earlier versions did not return its id: theirs keep their buttons, which are refused when they are out of date.
    """
    entry = next((each for each in incident.timeline if each.sequence == obligation.sequence), None)
    channel = incident.resources.channel_id
    if entry is None or not entry.decision or not result.ts or channel is None:
        return incident
    message = DecisionMessage(cluster=entry.decision, sequence=entry.sequence, channel_id=channel, ts=result.ts)
    return _with_decisions(incident, (*incident.chat.decisions, message))


def _with_decisions(incident: Incident, decisions: tuple[DecisionMessage, ...]) -> Incident:
    return incident.replace(chat=incident.chat.replace(decisions=decisions))


def decided_messages(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the messages whose decision is made, or is asked for by a newer message. A channel that was left stays."""
    for message in incident.chat.decisions:
        if message.channel_id != incident.resources.channel_id or not _what_it_became(incident, message):
            continue
        yield at_once(
            ObligationKind.SETTLE_DECISION,
            Key("decided", message.sequence),
            incident.opened_at,
            f"Remove the buttons of the decision for {message.cluster}",
            subject=message.cluster,
            sequence=message.sequence,
        )


def _what_it_became(incident: Incident, message: DecisionMessage) -> str:
    """Return what is said in place of the buttons; "" as long as the decision is asked for by this message."""
    others = (other for other in incident.chat.decisions if other.cluster == message.cluster)
    if any(other.sequence > message.sequence for other in others):
        return _SUPERSEDED
    state = incident.rollback.of(message.cluster)
    if state is None:
        return ""
    if decision_buttons(incident, state):
        return _OVER if incident.over else ""
    standing = rollback_standing(state)
    return standing[:1].upper() + standing[1:]


def settle_decision(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged] | ResourcesChanged:
    """Show how it was decided, in place of the buttons."""
    message = next((each for each in incident.chat.decisions if each.sequence == obligation.sequence), None)
    if message is None:
        return ResourcesChanged(skipped="this message no longer has buttons")
    said = _what_it_became(incident, message) or _SUPERSEDED
    card = Card(title=f"{incident.name} · Rollback of {message.cluster}", paragraphs=(as_mrkdwn(said),))
    return KeepSummary(
        key=obligation.key,
        channel_id=message.channel_id,
        ts=message.ts,
        text=card.text,
        pin=False,
        card=card,
        thread_ts=incident.resources.summary_ts,
    )


def forget_decision(
    incident: Incident, obligation: Obligation, result: ResourcesChanged, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Forget the message: it has no buttons any more."""
    left = tuple(message for message in incident.chat.decisions if message.sequence != obligation.sequence)
    return _with_decisions(incident, left)
