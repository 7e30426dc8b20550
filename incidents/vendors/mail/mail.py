"""A mail as our clients send it: one text to people who do not see each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Protocol


@dataclass(frozen=True)
class Mail:
    """One text to people who do not see each other.

    Attributes:
        sender, reply_to, recipients: addresses, plain or as "Name <address>".
        headers: such as Message-ID, References, In-Reply-To, Auto-Submitted.
        key: the operation's key; at SendGrid it travels as the custom argument `operation_key`, by which its activity
            feed and event webhooks tell the mails of one operation.
        invitation: an iCalendar text (method REQUEST), which goes with it as `invite.ics`.
    """

    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    key: str
    html: str = ""
    reply_to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    invitation: str = ""

    def people(self) -> tuple[str, ...]:
        """The recipients, an address once."""
        unique: dict[str, str] = {}
        for recipient in self.recipients:
            unique.setdefault(parseaddr(recipient)[1].casefold(), recipient)
        return tuple(unique.values())


class Mailer(Protocol):
    """A mail client."""

    def send(self, mail: Mail) -> str:
        """Send the mail to each of its recipients alone, and returns what it is called. A repeat is a second mail."""
