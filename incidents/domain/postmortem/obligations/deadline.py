"""The deadline: reminders before it and on each overdue day, and the breach (behaviours 70 to 73)."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import SYSTEM
from incidents.domain.postmortem.mails import address_of, reminder_mail, reminder_text
from incidents.domain.postmortem.obligations.document import announcement
from incidents.domain.postmortem.obligations.obligation import (
    UNPUBLISHED,
    Due,
    Owed,
    PostmortemObligation,
    PostmortemObligationKind,
    PostmortemSpec,
    owe,
)
from incidents.domain.postmortem.postmortem import Postmortem, Stage

_REMINDED_BY = {
    PostmortemObligationKind.REMIND: "in the channel",
    PostmortemObligationKind.DIRECT_MESSAGE: "by direct message",
    PostmortemObligationKind.MAIL: "by e-mail",
}
"""Every way by which the owner is reminded, in words (behaviour 96)."""


def deadline_owed(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    """Yield the breach and the reminders, once the incident was resolved."""
    due = postmortem.due
    if due is None:
        return
    yield owe(PostmortemObligationKind.BREACH, Key("breach", postmortem.times_resolved), due, "Deadline")
    for at, left in _reminders(postmortem, due, runbook):
        for kind in _ways(postmortem):
            yield owe(kind, _key(kind, postmortem, left), at, f"Remind the owner {_REMINDED_BY[kind]}, {left}")


def _ways(postmortem: Postmortem) -> list[PostmortemObligationKind]:
    """Return every way by which the owner is reminded; the channel only if there is one."""
    has_channel = postmortem.incident.resources.channel_id is not None
    return [kind for kind in _REMINDED_BY if has_channel or kind is not PostmortemObligationKind.REMIND]


def _key(kind: PostmortemObligationKind, postmortem: Postmortem, left: str) -> Key:
    return Key(kind, postmortem.times_resolved, left)


def _reminders(postmortem: Postmortem, due: datetime, runbook: RunbookConfig) -> Iterator[tuple[datetime, str]]:
    """Yield the reminders before the deadline that still make sense, and then those of the next overdue day.

    A day is over once every way was tried: done, skipped or failed.
    """
    rules = runbook.postmortem
    for before in rules.remind_before:
        if postmortem.resolved_at is None or due - before >= postmortem.resolved_at:
            yield due - before, f"{in_words(before)} before" if before else "when due"
    day, ways = 1, _ways(postmortem)
    while all(postmortem.ledger.settled(_key(kind, postmortem, _overdue(day, runbook))) for kind in ways):
        day += 1
    yield due + rules.overdue_every * day, _overdue(day, runbook)


def _overdue(day: int, runbook: RunbookConfig) -> str:
    return f"{in_words(runbook.postmortem.overdue_every * day)} overdue"


def _mail_reminder(postmortem: Postmortem, due: Due) -> ActivityRequest | ActivityResult:
    return reminder_mail(postmortem, due.runbook, due.at)


def _message_owner(postmortem: Postmortem, due: Due) -> ActivityRequest:
    owner, text = postmortem.owner, as_mrkdwn(reminder_text(postmortem, due.runbook, due.at))
    email = address_of(owner, due.runbook)
    return chat_requests.DirectMessage(key=due.obligation.key, email=email, person=owner, text=text)


def record_missed_deadline(postmortem: Postmortem, due: Due) -> Postmortem:
    """Record that the deadline was missed."""
    overdue = postmortem.replace(stage=Stage.OVERDUE).with_fulfilled(due.obligation.key)
    said = f"Deadline missed (due {postmortem.due:%Y-%m-%d %H:%M} UTC)"
    return overdue.logged(due.at, SYSTEM, said).recorded()


_DEADLINE = Owed(deadline_owed, UNPUBLISHED)
REMIND = PostmortemSpec(PostmortemObligationKind.REMIND, _DEADLINE, build_request=announcement)
DIRECT_MESSAGE = PostmortemSpec(PostmortemObligationKind.DIRECT_MESSAGE, _DEADLINE, build_request=_message_owner)
MAIL = PostmortemSpec(PostmortemObligationKind.MAIL, _DEADLINE, build_request=_mail_reminder)
BREACH = PostmortemSpec(PostmortemObligationKind.BREACH, _DEADLINE, apply_due=record_missed_deadline)
