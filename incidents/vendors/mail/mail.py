"""A mail as our clients send it: one text to people who do not see each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr

_ADDRESS = re.compile(r"[^\s<>\"'(),;:\\]+@[^\s<>\"'(),;:\\]+")
_HIDDEN = "[address]"


@dataclass(frozen=True)
class Mail:
    """One text to people who do not see each other.

    Attributes:
        sender, reply_to, recipients: addresses, plain or as "Name <address>".
        headers: such as Message-ID, References, In-Reply-To, Auto-Submitted.
        key: the operation's key; at SendGrid it travels as the custom argument `operation_key`, by which its activity
            feed and event webhooks tell the mails of one operation.
        incident: the workflow id of the incident that sends it, if one does; at SendGrid a custom argument, as `key`.
        customers: names of customers among the recipients, by their bare address; at SendGrid a custom argument of
            their mail, so that a bounce can be told without an address.
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
    incident: str = ""
    customers: Mapping[str, str] = field(default_factory=dict)

    def people(self) -> tuple[str, ...]:
        """The recipients, an address once."""
        unique: dict[str, str] = {}
        for recipient in self.recipients:
            unique.setdefault(bare_address(recipient), recipient)
        return tuple(unique.values())


def hide_addresses(text: str, recipients: Iterable[str] = ()) -> str:
    """Return a mail server's text without addresses, those of the recipients and any other: errors are kept."""
    for address in sorted((parseaddr(recipient)[1] for recipient in recipients), key=len, reverse=True):
        text = text.replace(address, _HIDDEN) if address else text
    return _ADDRESS.sub(_HIDDEN, text)


def bare_address(recipient: str) -> str:
    """Return the address of a recipient without the name, in lower case: equal for one mailbox."""
    return parseaddr(recipient)[1].casefold()
