"""The sinks of a drill: the activities of a real incident, bound to what reaches only the drill's participants.

Each class overrides every activity of its base, so that nothing of a drill goes where a real incident's would. Every
text holds `[DRILL]`.
"""

from collections.abc import Mapping

from temporalio import activity

from activities import ports
from activities.chat.chat import Chat
from activities.chat.war_room import WarRoom
from activities.heartbeats import Heartbeats
from activities.maintenance import Maintenance
from activities.paging.paging import Paging
from activities.rollback.probes import ProbeAnswer, RegionProbes
from activities.updates.email import Email
from activities.updates.status_page import StatusPage
from activities.updates.status_pages.static_site import StatusSite
from incidents.client.paging.acknowledge_links import AcknowledgeLinks
from incidents.contracts import WindowsChanged
from incidents.domain.activity_requests import OpenBridge, PublishStatus, SendMail, SendPage, SettlePage
from incidents.domain.activity_results import ActivityResult, ChannelRead, MailSent, MessagePosted, ResourcesChanged
from incidents.domain.chat.activity_requests import (
    AddBookmark,
    ArchiveChannel,
    DirectMessage,
    HearChannel,
    Invite,
    KeepSummary,
    OpenChannel,
    PostMessage,
    SetTopic,
)
from incidents.domain.chat.card import Card
from incidents.domain.config.model import Region
from incidents.domain.config.probes import Probe
from incidents.domain.core.text.mrkdwn import Mrkdwn
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.heartbeat.watch import HeartbeatReport
from incidents.domain.incident.state import Resources
from incidents.domain.people.references import address_in_words
from incidents.domain.recipients import EMPTY_BOOK, AddressBook
from incidents.vendors.mail.mail import bare_address

MARK = "[DRILL]"
_NO_PROBES = "is not sent in a drill"


def marked(text: str) -> str:
    """Return the text with `[DRILL]` at its start, unless it has that somewhere."""
    return text if MARK in text else f"{MARK} {text}"


def _marked_card(card: Card | None) -> Card | None:
    return card and card.replace(title=marked(card.title))


class DrillPaging(Paging):
    """Pages participants by their own pager, if drills page participants; no one else, and no shared service."""

    def __init__(self, own: Mapping[str, ports.Pager], off: str, links: AcknowledgeLinks | None = None) -> None:
        super().__init__(None, off, own, links)

    @activity.defn
    def send_page(self, page: SendPage) -> ActivityResult:
        """Page a participant."""
        return super().send_page(page.replace(summary=marked(page.summary)))

    @activity.defn
    def settle_page(self, page: SettlePage) -> ActivityResult:
        """Acknowledge or resolve the page of a participant."""
        return super().settle_page(page)


class DrillChat(Chat):
    """Writes into the drills' channel, and to participants (e-mail addresses) only. That channel is never archived."""

    def __init__(
        self,
        client: ports.Chat | None,
        channel: str,
        participants: frozenset[str],
        off: str,
        *,
        interactive: bool,
        book: AddressBook = EMPTY_BOOK,
    ) -> None:
        super().__init__(client if channel else None, off, interactive=interactive, book=book)
        self._channel, self._participants = channel, frozenset(map(bare_address, participants))

    @activity.defn
    def open_channel(self, request: OpenChannel) -> ResourcesChanged:
        """Use the drills' channel; create none. Its name is not known: runbook.yaml has its id."""
        if self._client is None:
            return ResourcesChanged(skipped=self._off)
        return ResourcesChanged(detail="the drills' channel", resources=Resources(channel_id=self._channel))

    @activity.defn
    def set_topic(self, request: SetTopic) -> ResourcesChanged:
        """Set the topic of the drills' channel."""
        kept = super().set_topic(request.replace(channel_id=self._channel, topic=marked(request.topic)))
        if kept.skipped is not None:
            return kept
        return kept.replace(resources=kept.resources.replace(topic=request.topic))

    @activity.defn
    def invite(self, request: Invite) -> ActivityResult:
        """Invite participants."""
        emails = tuple(email for email in request.emails if self._takes_part(email))
        if not emails:
            return ActivityResult(skipped="drill: none of them is a participant")
        return super().invite(request.replace(channel_id=self._channel, emails=emails))

    @activity.defn
    def post_message(self, message: PostMessage) -> MessagePosted:
        """Post into the drills' channel."""
        marks = {"text": Mrkdwn(marked(message.text)), "card": _marked_card(message.card)}
        return super().post_message(message.replace(channel_id=self._channel, **marks))

    @activity.defn
    def hear_channel(self, request: HearChannel) -> ChannelRead:
        """Look for words in the drills' channel."""
        return super().hear_channel(request.replace(channel_id=self._channel))

    @activity.defn
    def add_bookmark(self, request: AddBookmark) -> ActivityResult:
        """Add none: the channel serves many drills."""
        return ActivityResult(skipped="drill: no bookmarks in the drills' channel")

    @activity.defn
    def direct_message(self, message: DirectMessage) -> ActivityResult:
        """Send a participant a direct message."""
        if not self._takes_part(message.email):
            named = address_in_words(message.email) or message.person
            return ActivityResult(skipped=f"drill: {named} is no participant")
        return super().direct_message(message.replace(text=Mrkdwn(marked(message.text))))

    def _takes_part(self, address: str) -> bool:
        return bare_address(self._book.resolve(address)) in self._participants

    @activity.defn
    def keep_summary(self, summary: KeepSummary) -> ResourcesChanged:
        """Keep the summary in the drills' channel."""
        marks = {"text": Mrkdwn(marked(summary.text)), "card": _marked_card(summary.card)}
        kept = super().keep_summary(summary.replace(channel_id=self._channel, **marks))
        if kept.resources.summary_text is None:
            return kept
        return kept.replace(resources=kept.resources.replace(summary_text=summary.text))

    @activity.defn
    def archive_channel(self, request: ArchiveChannel) -> ActivityResult:
        """Archive nothing: the channel serves the next drill."""
        return ActivityResult(skipped="drill: the drills' channel stays")


class DrillStatusPage(StatusPage):
    """Publishes on the drills' static site."""

    def __init__(self, site: StatusSite) -> None:
        super().__init__(site)

    @activity.defn
    def publish_status(self, update: PublishStatus) -> ResourcesChanged:
        """Publish on the drills' site."""
        framed = {"title": update.title, "body": update.body}
        words = update.body if update.words is None else update.words
        bare = {"headline": update.headline or update.title, "words": words}
        marks = {name: PublicText.trusted(marked(text)) for name, text in (framed | bare).items() if text}
        return super().publish_status(update.replace(**marks))


class DrillEmail(Email):
    """Mails participants (e-mail addresses) only: no customer, and nobody who does not take part.

    That holds for people who are named, and for the fallback, too.
    """

    def __init__(
        self,
        client: ports.Mailer | None,
        sender: str,
        reply_to: str,
        participants: frozenset[str],
        off: str,
        book: AddressBook = EMPTY_BOOK,
    ) -> None:
        super().__init__(client, sender, reply_to, off, book)
        self._participants = frozenset(map(bare_address, participants))

    @activity.defn
    def send_mail(self, request: SendMail) -> MailSent:
        """Mail those recipients who take part."""
        if self._client is not None and not self._recipients(request):
            return MailSent(skipped="drill: none of the recipients is a participant")
        return super().send_mail(request.replace(subject=marked(request.subject), text=marked(request.text)))

    def _reached(self, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(address for address in addresses if bare_address(address) in self._participants)


class DrillWarRoom(WarRoom):
    """Opens no call: the static one may have a real incident in it."""

    def __init__(self, off: str) -> None:
        super().__init__(None, off)

    @activity.defn
    def open_bridge(self, request: OpenBridge) -> ResourcesChanged:
        """Open none, whatever the request names."""
        return ResourcesChanged(skipped=self._off)


class DrillHeartbeats(Heartbeats):
    """Opens no incident: one of a real queue is not a drill's to open."""

    def __init__(self) -> None:
        """Take no client."""

    @activity.defn
    async def report_heartbeat(self, report: HeartbeatReport) -> str:
        """Report nothing; return the reason."""
        return "drill: heartbeats are not reported"


class DrillMaintenance(Maintenance):
    """Tells no incident: a person opens a drill, and it waits for no window."""

    def __init__(self) -> None:
        """Take no client."""

    @activity.defn
    async def announce_windows(self, changed: WindowsChanged) -> int:
        """Tell nobody."""
        return 0


class DrillProbes(RegionProbes):
    """Sends no probe: a drill says nothing about the product."""

    def __init__(self) -> None:
        """Take no client."""

    def send(self, probes: tuple[Probe, ...], region: Region, *, proven: bool = False) -> list[ProbeAnswer]:
        """Return that no probe was sent."""
        return [ProbeAnswer(probe, 0.0, _NO_PROBES, measured=False) for probe in probes]
