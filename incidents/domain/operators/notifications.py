"""Who the operators are, and the requests that notify them outside of an incident."""

from incidents.domain.activity_requests import ActivityRequest, SendMail
from incidents.domain.chat.activity_requests import DirectMessage
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.text.mrkdwn import mrkdwn
from incidents.domain.core.text.public_text import InternalMessage
from incidents.domain.people.references import contact_reference
from incidents.domain.recipients import staff


class Operator(Frozen):
    """Who is notified. `email`: a reference to the address (`people/references.py`); empty if runbook.yaml has none."""

    contact: str
    email: str = ""


def operators(runbook: RunbookConfig) -> tuple[Operator, ...]:
    """Return the operators in runbook.yaml."""
    return tuple(
        Operator(contact=name, email=contact_reference(name) if runbook.contacts[name].email else "")
        for name in runbook.people.operators
    )


def mail_to(operator: Operator, message: InternalMessage, key: str, thread: str = "", sequence: int = 1) -> SendMail:
    """Return the request that mails an operator. `thread`, `sequence`: the mails that belong together, and its place.

    Without a thread, it begins the one of its key.
    """
    return SendMail(
        key=f"{key}/{operator.contact}/mail",
        to=staff((operator.email,)),
        subject=message.subject,
        text=message.body,
        thread=thread or key,
        sequence=sequence,
        category="operators",
    )


def direct_message_to(operator: Operator, message: InternalMessage, key: str) -> DirectMessage:
    """Return the request that sends an operator a direct message."""
    text = mrkdwn("*{}*\n{}", message.subject, message.body)
    return DirectMessage(key=f"{key}/{operator.contact}/chat", email=operator.email, text=text)


def notifications(message: InternalMessage, to: tuple[Operator, ...], key: str) -> dict[str, ActivityRequest]:
    """Return the requests that notify each operator by each way; what each is called, such as `cto by mail`."""
    found: dict[str, ActivityRequest] = {}
    for operator in to:
        if operator.email:
            found[f"{operator.contact} by mail"] = mail_to(operator, message, key)
            found[f"{operator.contact} by direct message"] = direct_message_to(operator, message, key)
    return found
