"""Activity requests of the chat: the incident's channel, and direct messages."""

from pydantic import AwareDatetime

from incidents.domain import activity_results as results
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.chat.card import Card
from incidents.domain.core.repeats import READS, looked_for, overwrites
from incidents.domain.core.text.mrkdwn import Mrkdwn


class HearChannel(ActivityRequest[results.ChannelRead]):
    """Look for the newest word of a person in a channel, threads of the newest messages included.

    `thread_ts`: a thread that counts however old it is.
    """

    repeat = READS
    channel_id: str
    since: AwareDatetime
    thread_ts: str | None = None


class OpenChannel(ActivityRequest[results.ResourcesChanged]):
    """Open the incident's channel, or adopt the one that carries its `marker`."""

    repeat = looked_for("its name, and the run in its purpose")
    name: str
    marker: str
    private: bool = False


class SetTopic(ActivityRequest[results.ResourcesChanged]):
    """Set a channel's topic."""

    repeat = overwrites("the channel's id")
    channel_id: str
    topic: str


class Invite(ActivityRequest[ActivityResult]):
    """Invite people, by e-mail address, to a channel."""

    repeat = overwrites("the people, who are members then")
    channel_id: str
    emails: tuple[str, ...]


class PostMessage(ActivityRequest[results.MessagePosted]):
    """Post a message into a channel, once. `mentions`: the names of people who are notified of it.

    `card` shows the text with its parts and buttons. `thread_ts`: the message below which it goes.
    """

    repeat = looked_for("the request's key in the message's metadata")
    channel_id: str
    text: Mrkdwn
    mentions: tuple[str, ...] = ()
    thread_ts: str | None = None
    card: Card | None = None


class DirectMessage(ActivityRequest[ActivityResult]):
    """Send a person a direct message, once: to the one in the directory named `person`, else to that address."""

    repeat = looked_for("the request's key in the message's metadata")
    email: str = ""
    text: Mrkdwn
    person: str = ""


class KeepSummary(ActivityRequest[results.ResourcesChanged]):
    """Post a message, or bring the one that is there up to date. `card` shows it with its parts and buttons."""

    repeat = looked_for("its `ts`; before it is known, the request's key in the message's metadata")
    channel_id: str
    ts: str | None
    text: Mrkdwn
    pin: bool = True
    card: Card | None = None
    thread_ts: str | None = None


class AddBookmark(ActivityRequest[ActivityResult]):
    """Put a bookmark above a channel, once."""

    repeat = looked_for("its address")
    channel_id: str
    label: str
    url: str


class ArchiveChannel(ActivityRequest[ActivityResult]):
    """Archive a channel."""

    repeat = overwrites("the channel's id")
    channel_id: str
