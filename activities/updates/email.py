"""E-mail, by SendGrid or SMTP. Sent mail cannot be looked up, so delivery is at least once.

Whom a mail server accepted the mail for goes to the next attempt, on any worker, as heartbeat details.
"""

from email.utils import parseaddr
from typing import assert_never

from jinja2 import Environment, PackageLoader
from temporalio import activity

from activities import ports
from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import SendMail
from incidents.domain.activity_results import MailSent
from incidents.domain.core.status import Status
from incidents.domain.core.text.escaping import html_value, mail_header, message_id
from incidents.domain.core.text.untrusted import printable
from incidents.domain.mailing import MAILED_AT_ONCE, describe_unreached, mail_sent
from incidents.domain.postmortem.review import invite
from incidents.domain.recipients import EMPTY_BOOK, AddressBook, PersonNamed, StaffAddress, recipient_in_words
from incidents.names import INCIDENT_WORKFLOW
from incidents.vendors.mail.mail import Accepted, Mail, bare_address

_PAGES = Environment(loader=PackageLoader("activities"), autoescape=True, finalize=html_value)


class Email:
    """Sends mail. Without a client, requests are skipped with the reason. `book`: the addresses of those named."""

    def __init__(
        self,
        client: ports.Mailer | None,
        sender: str,
        reply_to: str = "",
        off: str = "",
        book: AddressBook = EMPTY_BOOK,
    ) -> None:
        self._client, self._sender, self._reply_to, self._off = client, sender, reply_to, off
        self._book = book

    @activity.defn
    def send_mail(self, request: SendMail) -> MailSent:
        """Send one mail per recipient, to as many as one request takes. The mails of an incident form one thread."""
        if self._client is None:
            return MailSent(skipped=self._off)
        everyone = self._recipients(request)
        recipients = everyone[request.first : request.first + MAILED_AT_ONCE]
        unreached = tuple(self._book.unknown_customers(request.to))
        if not recipients:
            return MailSent(skipped=_why_nobody(request, unreached))
        with translate_vendor_errors(sends_mail=True):
            self._client.send(self._mail(request, recipients))
        reached = request.first + len(recipients)
        return mail_sent(len(recipients), unreached, reached if reached < len(everyone) else None)

    def _mail(self, request: SendMail, recipients: tuple[str, ...]) -> Mail:
        """Return the mail to these recipients."""
        subject, text, below = mail_header(request.subject), printable(request.text), request.below
        html = _PAGES.get_template("mail.html.j2").render(
            subject=subject, text=text, below=below, preheader=request.preheader, color=_color(request.status)
        )
        return Mail(
            sender=self._sender,
            reply_to=self._reply_to,
            recipients=tuple(mail_header(recipient) for recipient in recipients),
            subject=subject,
            text=text + printable(below.as_text()),
            html=html,
            headers=self._headers(request),
            categories=(request.category,),
            key=request.key,
            incident=_incident_of_activity(),
            customers=self._customers(request),
            accepted=_accepted_before(),
            invitation=invite(request.invitation, recipients) if request.invitation else "",
        )

    def _customers(self, request: SendMail) -> dict[str, str]:
        named = self._book.customers((*request.to, *request.fallback))
        return {bare_address(address): name for address, name in named.items()}

    def _recipients(self, request: SendMail) -> tuple[str, ...]:
        """Return the addresses; the fallback's if none of these is known."""
        return self._reached(self._book.find(request.to)) or self._reached(self._book.find(request.fallback))

    def _reached(self, addresses: tuple[str, ...]) -> tuple[str, ...]:
        """Return those addresses that may be mailed: all of them."""
        return addresses

    def _headers(self, request: SendMail) -> dict[str, str]:
        """Return the headers of the thread: every mail refers to the incident's first one."""
        domain = parseaddr(self._sender)[1].rpartition("@")[2] or "localhost"
        first = message_id(request.thread, domain)
        own = first if request.sequence == 1 else message_id(request.key, domain)
        headers = {"Message-ID": own, "Auto-Submitted": "auto-generated"}
        return headers if own == first else headers | {"References": first, "In-Reply-To": first}


def _color(status: Status | None) -> str:
    """Return the color above the text of a mail, as CSS."""
    match status:
        case Status.INVESTIGATING:
            return "#b3261e"
        case Status.MONITORING:
            return "#b26a00"
        case Status.RESOLVED | Status.CANCELLED:
            return "#1a7f4b"
        case None:
            return "#5b6672"
        case _:
            assert_never(status)


def _accepted_before() -> Accepted | None:
    """Return whom an earlier attempt reached, and where to record whom this one does."""
    if not activity.in_activity():  # operators are notified of an outage without Temporal
        return None
    marks = next(iter(activity.info().heartbeat_details), ())
    return Accepted(marks, activity.heartbeat)


def _incident_of_activity() -> str:
    """Return the workflow id of the incident that sends the mail, for bounces; "" if another workflow sends it."""
    if not activity.in_activity():
        return ""
    info = activity.info()
    return info.workflow_id or "" if info.workflow_type == INCIDENT_WORKFLOW else ""


def _why_nobody(request: SendMail, unreached: tuple[str, ...]) -> str:
    """Say why nobody gets the mail."""
    if unreached:
        return describe_unreached(unreached)
    named = ", ".join(recipient_in_words(one) for one in request.to if isinstance(one, PersonNamed | StaffAddress))
    return f"no e-mail address of {named or 'any recipient'}"
