"""A mail as our clients send it: one text to people who do not see each other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr

_ADDRESS = re.compile(r"[^\s<>\"'(),;:\\]+@[^\s<>\"'(),;:\\]+")
_HIDDEN = "[address]"


class Accepted:
    """Whom a mail server has accepted a mail for, so that a repeat leaves them out. Hashes, never addresses.

    `marks`: of an earlier attempt. `record`: is given all marks after each new one, for the next attempt.
    """

    def __init__(
        self, marks: Iterable[str] = (), record: Callable[[tuple[str, ...]], None] = lambda marks: None
    ) -> None:
        self._marks, self._record = dict.fromkeys(marks), record

    def __contains__(self, mark: str) -> bool:
        return mark in self._marks

    def add(self, mark: str) -> None:
        """Remember a recipient."""
        self._marks[mark] = None
        self._record(tuple(self._marks))


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
        accepted: who has it from an earlier attempt, if that is known. SendGrid takes it for all recipients or none.
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
    accepted: Accepted | None = None

    def people(self) -> tuple[str, ...]:
        """The recipients, an address once."""
        unique: dict[str, str] = {}
        for recipient in self.recipients:
            unique.setdefault(bare_address(recipient), recipient)
        return tuple(unique.values())

    def mark_of(self, recipient: str) -> str:
        """Return a hash of the recipient of this mail: another one in each mail."""
        return hashlib.sha256(f"{self.key}\0{bare_address(recipient)}".encode()).hexdigest()[:16]


def hide_addresses(text: str, recipients: Iterable[str] = ()) -> str:
    """Return a mail server's text without addresses, those of the recipients and any other: errors are kept."""
    for address in sorted((parseaddr(recipient)[1] for recipient in recipients), key=len, reverse=True):
        text = text.replace(address, _HIDDEN) if address else text
    return _ADDRESS.sub(_HIDDEN, text)


def bare_address(recipient: str) -> str:
    """Return the address of a recipient without the name, in lower case: equal for one mailbox."""
    return parseaddr(recipient)[1].casefold()
