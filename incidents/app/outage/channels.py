"""The channels by which a process notifies the operators itself: mail, else direct messages."""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass

from activities.chat.chat import Chat
from activities.updates.email import Email
from incidents.app.composition.clients import build_mailer, build_slack
from incidents.app.settings import Settings
from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.public_text import InternalMessage
from incidents.domain.operators.notifications import Operator, direct_message_to, mail_to, operators
from incidents.domain.recipients import AddressBook
from incidents.domain.standstill import first_line

_log = logging.getLogger("outage")


@dataclass(frozen=True)
class Report:
    """A message to the operators. `key`: unique for it. `thread`, `sequence`: the outage, and its place in that."""

    message: InternalMessage
    key: str
    thread: str
    sequence: int


@dataclass(frozen=True)
class Channel:
    """One way to reach the operators. `vendor`: whose outage is not reported by it. `send` blocks."""

    name: str
    vendor: str
    send: Callable[[Report, Operator], ActivityResult]


class OperatorChannels:
    """Notifies the operators by the first channel that takes the message."""

    def __init__(self, to: tuple[Operator, ...], channels: tuple[Channel, ...]) -> None:
        """Notify those who have an address; `channels`: in order of preference."""
        self._to, self.channels = tuple(each for each in to if each.email), channels

    @property
    def why_none(self) -> str:
        """Say why nobody can be notified; "" if somebody can."""
        if not self._to:
            return "people.operators in runbook.yaml names no e-mail address"
        return "" if self.channels else "this process has neither e-mail nor Slack configured"

    async def send(self, report: Report, failing: Collection[str]) -> str:
        """Send by the first channel whose vendor is not `failing` and that takes it; return its name, or ""."""
        for channel in self.channels:
            if channel.vendor not in failing and await asyncio.to_thread(self._send, channel, report):
                return channel.name
        return ""

    def _send(self, channel: Channel, report: Report) -> bool:
        """Notify every operator by one channel; tell whether anybody was reached."""
        reached = False
        for operator in self._to:
            try:
                problem = channel.send(report, operator).skipped or ""
            except Exception as error:  # whatever it is, the next channel must be tried
                problem = first_line(f"{error}")
            if problem:
                _log.warning("%s was not notified by %s: %s", operator.contact, channel.name, problem)
            reached = reached or not problem
        return reached


def build_channels(settings: Settings, runbook: RunbookConfig) -> OperatorChannels:
    """Return the channels for which this process has credentials."""
    book = AddressBook(contacts=runbook.contacts)
    return OperatorChannels(operators(runbook), (*_mail(settings, book), *_chat(settings, book)))


def _mail(settings: Settings, book: AddressBook) -> tuple[Channel, ...]:
    mailer = build_mailer(settings)
    if mailer is None:
        return ()
    email = Email(mailer, settings.email_from, settings.email_reply_to, book=book)

    def send(report: Report, to: Operator) -> ActivityResult:
        return email.send_mail(mail_to(to, report.message, report.key, report.thread, report.sequence))

    return (Channel("e-mail", "sendgrid" if settings.is_on("sendgrid") else "smtp", send),)


def _chat(settings: Settings, book: AddressBook) -> tuple[Channel, ...]:
    slack = build_slack(settings)
    if slack is None:
        return ()
    chat = Chat(slack, book=book)

    def send(report: Report, to: Operator) -> ActivityResult:
        # `again`: an earlier attempt whose answer was lost may have sent it.
        return chat.direct_message(direct_message_to(to, report.message, report.key).replace(again=True))

    return (Channel("Slack", "slack", send),)
