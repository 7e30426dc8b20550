"""E-mail by SMTP, as an alternative to SendGrid.

Each recipient gets a message of their own, all of them over one connection. There is no idempotency: a repeat leaves
out those whose message the server is known to have accepted (`Mail.accepted`). An answer that was lost is sent again.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from incidents.vendors.access.access import Access
from incidents.vendors.attempt import acting
from incidents.vendors.calling import Calls
from incidents.vendors.errors import VendorRejected, VendorUnauthorized, VendorUnavailable
from incidents.vendors.http import one_line
from incidents.vendors.mail.mail import Accepted, Mail, hide_addresses


class SmtpClient:
    """One mail server: `smtp://user:password@host:587` (STARTTLS if it is offered) or `smtps://…:465`."""

    def __init__(self, url: str, timeout: float = 10) -> None:
        parts = urlsplit(url)
        self._host, self._tls = parts.hostname or "localhost", parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._timeout, self._calls = timeout, Calls("smtp", timeout)

    def check_access(self) -> Access:
        """Connect and log in, and send nothing."""
        with self._calls.one("login", effect=False):
            try:
                with self._connected() as server:
                    server.noop()
            except smtplib.SMTPAuthenticationError as error:
                raise VendorUnauthorized("smtp", "login", f"{error.smtp_code}", status=error.smtp_code) from None
            except (OSError, smtplib.SMTPException) as error:
                problem = self._shown(str(error) or type(error).__name__, ())
                raise VendorUnavailable("smtp", "login", problem) from None
        return Access()

    def send(self, mail: Mail) -> str:
        """Send to each recipient alone; return the first one's Message-ID, or "".

        Raises:
            VendorRejected: the server permanently rejected an address or the text; others were sent theirs.
            VendorUnavailable: the server deferred some (4yz) or failed; a repeat sends to those who have none yet.
        """
        people = mail.people()
        if not people:
            raise VendorRejected("smtp", "send", "the mail has no recipients", code="no_recipients")
        with self._calls.one("send", effect=True):
            return self._send(mail, people)

    def _send(self, mail: Mail, people: tuple[str, ...]) -> str:
        accepted = mail.accepted or Accepted()
        waiting = [person for person in people if mail.mark_of(person) not in accepted]
        result = _Result(sent=len(people) - len(waiting))
        try:
            if waiting:
                with self._connected() as server:
                    for person in waiting:
                        with acting("smtp", "send", self._timeout):  # many of them take longer than an attempt may
                            is_accepted = _send_one(server, mail, person, result)
                        if is_accepted:
                            accepted.add(mail.mark_of(person))
        except smtplib.SMTPAuthenticationError as error:
            raise VendorUnauthorized("smtp", "login", f"{error.smtp_code}", status=error.smtp_code) from None
        except smtplib.SMTPResponseException as error:
            raise self._failed(error, people, result.sent) from None
        except (OSError, smtplib.SMTPException) as error:
            problem = self._shown(str(error) or type(error).__name__, people)
            raise VendorUnavailable("smtp", "send", problem, maybe_done=result.sent > 0) from None
        if result.deferred or result.refused:
            raise self._unsent(result, people)
        return str(mail.headers.get("Message-ID", ""))

    def _unsent(self, result: _Result, people: tuple[str, ...]) -> VendorRejected | VendorUnavailable:
        """Return the error of a mail that not all have: retryable if the server may accept the rest later."""
        parts = []
        for replies, what in ((result.deferred, "deferred"), (result.refused, "rejected")):
            if replies:
                shown = "; ".join(dict.fromkeys(self._shown(reply, people) for reply in replies))
                parts.append(f"{len(replies)} of {len(people)} mails {what} ({shown})")
        kind = VendorUnavailable if result.deferred else VendorRejected
        return kind("smtp", "send", one_line(", ".join(parts)), maybe_done=result.sent > 0)

    def _shown(self, text: str, people: tuple[str, ...]) -> str:
        """Return a server's text as it may be kept: it often repeats the address of a customer."""
        return one_line(hide_addresses(text, people), [self._password] if self._password else [])

    def _failed(
        self, error: smtplib.SMTPResponseException, people: tuple[str, ...], sent: int
    ) -> VendorRejected | VendorUnavailable:
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        problem = self._shown(f"{error.smtp_code} {said}", people)
        kind = VendorRejected if error.smtp_code >= 500 else VendorUnavailable  # 4yz: try again later (RFC 5321, 4.2.1)
        return kind("smtp", "send", problem, status=error.smtp_code, maybe_done=sent > 0)

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif self._user:
                server.close()
                raise VendorUnauthorized(
                    "smtp", "login", "the server offers no TLS; the password was not sent in clear text"
                )
        if self._user:
            server.login(self._user, self._password)
        return server


@dataclass
class _Result:
    """How many have the mail, and the server's replies for those who have not. `deferred`: 4yz, to be tried later."""

    sent: int
    deferred: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def _send_one(server: smtplib.SMTP, mail: Mail, person: str, result: _Result) -> bool:
    """Send to one recipient; return whether the server took it. A rejection keeps the mail from nobody else."""
    try:
        server.send_message(_message(mail, person), to_addrs=[parseaddr(person)[1]])
    except smtplib.SMTPRecipientsRefused as error:
        code, why = next(iter(error.recipients.values()))
    except smtplib.SMTPDataError as error:
        code, reply = error.smtp_code, error.smtp_error
        why = reply if isinstance(reply, bytes) else reply.encode()
    else:
        result.sent += 1
        return True
    reply_text = f"{code} {why.decode('utf-8', 'replace')}"
    (result.deferred if 400 <= code < 500 else result.refused).append(reply_text)
    return False


def _message(mail: Mail, person: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = mail.sender, person
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(datetime.now(UTC))
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to
    for name, value in mail.headers.items():
        message[name] = " ".join(value.split())
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    if mail.invitation:
        message.add_attachment(mail.invitation, filename="invite.ics", subtype="calendar", params={"method": "REQUEST"})
    return message
