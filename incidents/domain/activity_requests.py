"""Requests to activities. One request model for each activity; its type parameter is what the activity returns.

Requests hold only what the activity needs: the text is rendered when the obligation is due, from the state at that
moment. `key` is the obligation's idempotency key, unique in the installation; `again` tells that an earlier
attempt may have left its mark, so the activity looks for it before it acts.
"""

from typing import ClassVar, Generic

from pydantic import AwareDatetime, JsonValue
from typing_extensions import TypeVar

from incidents.domain import activity_results as results
from incidents.domain.activity_results import ActivityResult
from incidents.domain.alerting.config import AlertApi
from incidents.domain.core.base import Frozen
from incidents.domain.core.repeats import READS, Repeat, deduplicated, looked_for, overwrites, sent_again
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.numbering import Allocation
from incidents.domain.recipients import Recipient
from incidents.domain.updates.mail_footer import MailFooter

LONGEST_TITLE = 256
"""Characters of an issue's title that the tracker takes."""


Returned = TypeVar("Returned", covariant=True, default=ActivityResult)


class ActivityRequest(Frozen, Generic[Returned]):
    """A request to one activity, which returns a `Returned`. `ActivityRequest` alone: one that returns any result."""

    key: str
    again: bool = False
    repeat: ClassVar[Repeat]
    """What happens if it is carried out twice. Each request declares it."""

    @classmethod
    def result_type(cls) -> type[Returned]:
        """Return what the activity returns, as the request's class declares it.

        Raises:
            TypeError: it declares nothing.
        """
        for base in cls.__mro__:
            if issubclass(base, ActivityRequest) and (declared := base.__pydantic_generic_metadata__["args"]):
                found: type[Returned] = declared[0]
                return found
        raise TypeError(f"{cls.__name__} does not declare what its activity returns")


class AllocateNumber(ActivityRequest[results.NumberAllocated]):
    """Get the incident's number: the same one for the same run."""

    repeat = deduplicated("the run that it was allocated to")
    allocation: Allocation


class SendPage(ActivityRequest[ActivityResult]):
    """Send a page. A repeated `dedup_key` is the same page while it is open. `severity`: the pager's word.

    `to`: the contact, for whom a pager of their own may be set up. `links`: label to address, such as the war room.
    """

    repeat = deduplicated("`dedup_key`, while the page is open (ntfy: a tag in the topic)")
    dedup_key: str
    summary: str
    source: str
    severity: str
    details: dict[str, str] = {}
    to: str = ""
    links: dict[str, str] = {}


class SettlePage(ActivityRequest[ActivityResult]):
    """Acknowledge or resolve an open page. `action` is `acknowledge` or `resolve`."""

    repeat = deduplicated("`dedup_key`, and what the page is by then (ntfy: a tag in the topic)")
    dedup_key: str
    action: str
    to: str = ""


class FindOnCall(ActivityRequest[results.OnCallFound]):
    """Ask who is on call by a schedule."""

    repeat = READS
    schedule: str


class SilenceAlerts(ActivityRequest[results.AlertsSilenced]):
    """Silence exactly these alerts (fingerprint to labels) until then, each once.

    `apis`: of each source, by fingerprint; one that is missing has the API that incidents of 0.1 had.
    """

    repeat = looked_for("the request's key in the silence's comment")
    alerts: dict[str, dict[str, str]]
    apis: dict[str, AlertApi] = {}
    since: AwareDatetime
    until: AwareDatetime
    by: str
    comment: str


class LiftSilences(ActivityRequest[ActivityResult]):
    """Expire silences. One that has already expired counts as success. `apis`: as `SilenceAlerts`', by silence."""

    repeat = overwrites("the silence's id")
    silences: tuple[str, ...]
    apis: dict[str, AlertApi] = {}


class CheckAlerts(ActivityRequest[results.AlertsChecked]):
    """Ask which of these alerts (fingerprint to labels) do not fire any more, silenced or not.

    `apis`: as `SilenceAlerts`'.
    """

    repeat = READS
    alerts: dict[str, dict[str, str]]
    apis: dict[str, AlertApi] = {}


class OpenBridge(ActivityRequest[results.ResourcesChanged]):
    """Open a video call; `static_url` is the bridge that serves without a vendor, if there is one."""

    repeat = looked_for("its topic, which names the incident")
    topic: str
    static_url: str = ""


class PublishStatus(ActivityRequest[results.ResourcesChanged]):
    """Publish an update on the status page, as a new incident there if `page_id` is unset.

    `marker` finds the incident whose creation reply was lost; `sequence` keeps the page from going backwards. `title`
    and `body` are framed as a mail; `headline` and `words` are the same without it. `affected`: the public names of the
    affected services, with their state; `regions`: of the affected regions, none for all. `withdrawn`: the incident has
    become private, so that this update replaces all earlier ones; without words, it is removed from the page.
    """

    repeat = looked_for("the run in the page's metadata, and the update's number in it")
    page_id: str | None
    marker: str
    sequence: int
    title: PublicText
    status: str
    body: PublicText
    impact: str
    components: dict[str, str] = {}
    at: AwareDatetime | None = None
    product: str = ""
    notify: bool = True
    headline: PublicText | None = None
    words: PublicText | None = None
    affected: dict[str, str] = {}
    regions: tuple[str, ...] = ()
    withdrawn: bool = False

    @property
    def removes(self) -> bool:
        """Tell whether it removes the incident from the page, because it has become private."""
        return self.withdrawn and self.words == ""


class SendMail(ActivityRequest[results.MailSent]):
    """Mail an update to each of `to`, who never see each other. `thread` is the same for one incident's mails.

    `fallback`: who gets it if no address of `to` is known. `invitation`: an iCalendar text that goes with it. `first`:
    how many recipients an earlier request has reached. `preheader`: what a mailbox shows of it before it is opened,
    unset: its first line. `below`: what follows the text. `status`: of the incident, shown as a color.
    """

    repeat = sent_again(
        "nothing: a sent mail cannot be looked up. Its Message-ID is the same: many mailboxes show it once"
    )
    to: tuple[Recipient, ...] = ()
    fallback: tuple[Recipient, ...] = ()
    subject: str
    text: str
    thread: str
    sequence: int
    category: str = "incident"
    invitation: str = ""
    first: int = 0
    preheader: str = ""
    below: MailFooter = MailFooter()
    status: Status | None = None


class PostWebhook(ActivityRequest[ActivityResult]):
    """Post `payload` by the incoming webhook. It cannot be asked what it posted, so it is posted at least once."""

    repeat = sent_again("nothing")
    payload: JsonValue


class OpenTicket(ActivityRequest[results.ResourcesChanged]):
    """Open a ticket in the issue tracker, or find the one that carries the `marker`.

    `assignees`: logins; `people`: names whose logins the directory has.
    """

    repeat = looked_for("the run in the ticket's text, among those with our label")
    title: str
    body: str
    labels: tuple[str, ...]
    marker: str
    assignees: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


class RetitleTicket(ActivityRequest[results.ResourcesChanged]):
    """Give a ticket another title; the same again changes nothing."""

    repeat = overwrites("the ticket's number")
    ticket: int
    title: str


class CommentTicket(ActivityRequest[results.ResourcesChanged]):
    """Comment on a ticket, opening it first if it is missing; close it if `close`, as not planned if `not_planned`."""

    repeat = looked_for("the request's key in the comment's text")
    ticket: int | None
    body: str
    close: bool
    opening: OpenTicket
    not_planned: bool = False


class KeepDocument(ActivityRequest[results.ResourcesChanged]):
    """Write a document that people will edit, such as the post-mortem's draft, beside the incident's evidence."""

    repeat = overwrites("its path")
    folder: str
    name: str
    text: str
