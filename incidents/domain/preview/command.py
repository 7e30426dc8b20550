"""What a command would do, before it is sent: what is recorded, what customers read, and what goes out to whom."""

from datetime import datetime, timedelta
from typing import assert_never

from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.command import Command
from incidents.domain.core.text.public_text import PublicMessage
from incidents.domain.incident.incident import Incident
from incidents.domain.recipients import recipient_in_words
from incidents.domain.registry import up_next
from incidents.domain.updates.audience import mail_recipients
from incidents.domain.updates.messages import customer_message
from incidents.domain.updates.obligations import is_delivery

_AT_ONCE = timedelta(minutes=1)
"""What is due this soon after a command counts as its effect."""


class CommandPreview(Frozen):
    """The effect of a command.

    `recorded`: the new timeline entries. `announced`: whether the incident's channel says them. `message`: what
    customers read, `audience`: on which channels, and who. `sent`: what is done at once, besides that. `ended`: what is
    no longer due.
    """

    recorded: tuple[str, ...]
    announced: bool
    message: PublicMessage | None
    audience: tuple[str, ...]
    sent: tuple[str, ...]
    ended: tuple[str, ...]


def preview_command(command: Command, incident: Incident, runbook: RunbookConfig, at: datetime) -> CommandPreview:
    """Return what a command would do to the incident as it stands. `at`: now, aware UTC.

    Raises:
        CommandRejected: the runbook refuses it; the message says why and what to do.
        AlreadyDone: another command with the same effect came before.
    """
    after = apply_command(incident, command, runbook, at)
    entries = after.timeline[len(incident.timeline) :]
    old, new = agenda(incident, runbook), agenda(after, runbook)
    updates = after.updates.published[len(incident.updates.published) :]
    soon = at + _AT_ONCE
    waiting = {obligation.key for obligation in old if obligation.due <= soon}
    begun = [o for o in new if o.due <= soon and o.key not in waiting and not is_delivery(o)]
    # A key changes with its due time: what is only put off is no end.
    goes_on = {(obligation.kind, obligation.subject) for obligation in new}
    ended = [obligation for obligation in old if (obligation.kind, obligation.subject) not in goes_on]
    return CommandPreview(
        recorded=tuple(entry.text for entry in entries),
        announced=any(entry.announce for entry in entries),
        message=customer_message(after, updates[-1], runbook) if updates else None,
        audience=_audience(after, updates[-1].channels, runbook) if updates else (),
        sent=tuple(obligation.summary for obligation in up_next(begun)),
        ended=tuple(obligation.summary for obligation in up_next(ended)),
    )


def _audience(incident: Incident, channels: tuple[Channel, ...], runbook: RunbookConfig) -> tuple[str, ...]:
    """Return each channel of an update with who reads it there."""
    return tuple(f"{channel.replace('_', ' ')}: {_readers(channel, incident, runbook)}" for channel in channels)


def _readers(channel: Channel, incident: Incident, runbook: RunbookConfig) -> str:
    match channel:
        case Channel.EMAIL:
            recipients = mail_recipients(incident, runbook)
            return ", ".join(recipient_in_words(one) for one in recipients) or "no recipients"
        case Channel.SLACK:
            return f"#{incident.resources.channel_name}" if incident.resources.channel_name else "the channel"
        case Channel.STATUS_PAGE:
            return "everyone" + (" and its subscribers" if runbook.status_page.notify_subscribers else "")
        case Channel.ISSUE_TRACKER:
            return "the ticket"
        case Channel.WEBHOOK:
            return "everyone who reads what it posts"
        case _:
            assert_never(channel)
