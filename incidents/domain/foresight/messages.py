"""What a request to an activity sends: by which channel, to whom, and the text."""

from collections.abc import Iterable
from dataclasses import dataclass

from incidents.domain import activity_requests as requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.chat import activity_requests as chat
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.people.references import address_in_words, contact_in
from incidents.domain.postmortem import activity_requests as postmortem
from incidents.domain.recipients import Recipient, StaffAddress, recipient_in_words


@dataclass(frozen=True)
class Message:
    """What is sent. All of it is "" for what sends nothing to anyone."""

    channel: str = ""
    recipient: str = ""
    text: str = ""


def describe(asked: ActivityRequest, incident: Incident, runbook: RunbookConfig) -> Message:
    """Return what a request sends, in the words of runbook.yaml; people by their contact's name."""
    match asked:
        case requests.SendPage():
            return Message("page", _contact(asked.to, runbook), asked.summary)
        case requests.SettlePage():
            return Message("page", _contact(asked.to, runbook), asked.action)
        case requests.PublishStatus():
            readers = "everyone and subscribers" if asked.notify else "everyone"
            return Message("status page", readers, f"{asked.title}\n{asked.body}")
        case requests.SendMail():
            return Message("email", _people(asked.to or asked.fallback, runbook), f"{asked.subject}\n{asked.text}")
        case requests.PostWebhook():
            return Message(Channel.WEBHOOK.value, "its readers", str(asked.payload))
        case chat.DirectMessage():
            return Message("direct message", asked.person or _address(asked.email, runbook), asked.text)
        case _:
            return _record(asked) or _chat_message(asked, incident, runbook)


def _record(asked: ActivityRequest) -> Message | None:
    """Return what a request keeps at another place; None if it is of another kind."""
    match asked:
        case requests.OpenTicket() | requests.RetitleTicket():
            return Message("issue tracker", "ticket", asked.title)
        case requests.CommentTicket():
            return Message("issue tracker", "ticket", asked.body)
        case requests.OpenBridge():
            return Message("video call", "responders", asked.topic)
        case requests.KeepDocument():
            return Message("evidence", "store", asked.name)
        case postmortem.WritePostmortem():
            return Message("evidence", "store", "the post-mortem's draft")
        case postmortem.ProposeDocument():
            return Message("repository", asked.how.value.replace("_", " "), asked.title)
        case _:
            return None


def _chat_message(asked: ActivityRequest, incident: Incident, runbook: RunbookConfig) -> Message:
    match asked:
        case chat.OpenChannel():
            return Message("chat", f"#{asked.name}", "opens")
        case chat.SetTopic():
            return Message("chat", _channel(asked.channel_id, incident), asked.topic)
        case chat.Invite():
            people = ", ".join(_address(each, runbook) for each in asked.emails)
            return Message("chat", _channel(asked.channel_id, incident), f"invites {people}")
        case chat.PostMessage() | chat.KeepSummary():
            return Message("chat", _channel(asked.channel_id, incident), asked.text)
        case chat.AddBookmark():
            return Message("chat", _channel(asked.channel_id, incident), f"bookmark {asked.label}")
        case chat.ArchiveChannel():
            return Message("chat", _channel(asked.channel_id, incident), "archives")
        case _:
            return Message()


def _channel(channel_id: str, incident: Incident) -> str:
    ours = channel_id == incident.resources.channel_id and incident.resources.channel_name
    return f"#{incident.resources.channel_name}" if ours else "digest"


def _contact(name: str, runbook: RunbookConfig) -> str:
    return runbook.contacts[name].name if name in runbook.contacts else name or "on-call"


def _address(address: str, runbook: RunbookConfig) -> str:
    """Return the name of the contact that has an address; no plan shows an address that a contact has."""
    if name := contact_in(address):
        return _contact(name, runbook)
    owner = next((contact.name for contact in runbook.contacts.values() if address and contact.email == address), "")
    return owner or address_in_words(address)


def _people(recipients: Iterable[Recipient], runbook: RunbookConfig) -> str:
    words = (
        _address(each.address, runbook) if isinstance(each, StaffAddress) else recipient_in_words(each)
        for each in recipients
    )
    return ", ".join(dict.fromkeys(words)) or "nobody"
