"""Requests to activities, and what they return. One request model for each activity.

Requests hold only what the activity needs: the text is rendered when the obligation is due, from the state at that
moment. `key` is the obligation's idempotency key, unique in the installation; `again` tells that an earlier
attempt may have left its mark, so the activity looks for it before it acts.
"""

from pydantic import AwareDatetime

from incidents.domain.config.model import Region
from incidents.domain.core.base import Frozen
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.evidence.manifest import ManifestRef
from incidents.domain.incident.parts import Resources, Silence
from incidents.domain.rollback.known_good import Offer


class ActivityRequest(Frozen):
    """A request to one activity."""

    key: str
    again: bool = False


class AllocateNumber(ActivityRequest):
    """Get the incident's number: the same one for the same `first_run_id`."""

    first_run_id: str
    workflow_id: str


class SendPage(ActivityRequest):
    """Page somebody. A repeated `dedup_key` is the same page while it is open. `severity`: PagerDuty's word.

    `to`: the contact, for whom a pager of their own may be set up. `links`: label to address, such as the war room.
    """

    dedup_key: str
    summary: str
    source: str
    severity: str
    details: dict[str, str] = {}
    to: str = ""
    links: dict[str, str] = {}


class SettlePage(ActivityRequest):
    """Acknowledge or resolve an open page. `action` is `acknowledge` or `resolve`."""

    dedup_key: str
    action: str
    to: str = ""


class FindOnCall(ActivityRequest):
    """Ask who is on call by a schedule."""

    schedule: str


class SilenceAlerts(ActivityRequest):
    """Silence exactly these alerts (fingerprint to labels) until then, each once."""

    alerts: dict[str, dict[str, str]]
    since: AwareDatetime
    until: AwareDatetime
    by: str
    comment: str


class LiftSilences(ActivityRequest):
    """End silences; one that has ended is as good."""

    silences: tuple[str, ...]


class CheckAlerts(ActivityRequest):
    """Ask which of these alerts (fingerprint to labels) do not fire any more, silenced or not."""

    alerts: dict[str, dict[str, str]]


class HearChannel(ActivityRequest):
    """Look for the newest word of a person in a channel, threads of the newest messages included."""

    channel_id: str
    since: AwareDatetime


class OpenChannel(ActivityRequest):
    """Open the incident's channel, or adopt the one that carries its `marker`."""

    name: str
    marker: str
    private: bool = False


class SetTopic(ActivityRequest):
    """Set a channel's topic."""

    channel_id: str
    topic: str


class Invite(ActivityRequest):
    """Invite people, by e-mail address, to a channel."""

    channel_id: str
    emails: tuple[str, ...]


class PostMessage(ActivityRequest):
    """Post a message into a channel, once."""

    channel_id: str
    text: str
    thread_ts: str | None = None


class DirectMessage(ActivityRequest):
    """Send a person a direct message, once."""

    email: str
    text: str


class Button(Frozen):
    """A button below a message: what it says, which action it stands for, and what it sends back."""

    label: str
    action: str
    value: str
    danger: bool = False


class KeepSummary(ActivityRequest):
    """Post the summary message, or bring the one that is there up to date."""

    channel_id: str
    ts: str | None
    text: str
    pin: bool = True
    buttons: tuple[Button, ...] = ()


class AddBookmark(ActivityRequest):
    """Put a bookmark above a channel, once."""

    channel_id: str
    label: str
    url: str


class ArchiveChannel(ActivityRequest):
    """Archive a channel."""

    channel_id: str


class OpenBridge(ActivityRequest):
    """Open a video call; `static_url` is the bridge that serves without a vendor, if there is one."""

    topic: str
    static_url: str = ""


class PublishStatus(ActivityRequest):
    """Publish an update on the status page, as a new incident there if `page_id` is unset.

    `marker` finds the incident whose creation reply was lost; `sequence` keeps the page from going backwards.
    """

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


class SendMail(ActivityRequest):
    """Mail an update to each of `to`, who never see each other. `thread` is the same for one incident's mails.

    `invitation`: an iCalendar text that goes with it.
    """

    to: tuple[str, ...]
    subject: str
    text: str
    thread: str
    sequence: int
    category: str = "incident"
    invitation: str = ""


class OpenTicket(ActivityRequest):
    """Open a ticket in the issue tracker, or find the one that carries the `marker`."""

    title: str
    body: str
    labels: tuple[str, ...]
    marker: str
    assignees: tuple[str, ...] = ()


class CommentTicket(ActivityRequest):
    """Comment on a ticket, opening it first if it is missing; close it if `close`, as not planned if `not_planned`."""

    ticket: int | None
    body: str
    close: bool
    opening: OpenTicket
    not_planned: bool = False


class Investigate(ActivityRequest):
    """Look at one source of facts about the service around the time of the alert."""

    service: str
    regions: tuple[Region, ...]
    since: AwareDatetime
    until: AwareDatetime


class QueryMetrics(Investigate):
    """Ask each of `queries` (name to PromQL), and probe each region once."""

    queries: dict[str, str] = {}


class QueryLogs(Investigate):
    """Ask for the error logs of the service, by the name that the logs know."""

    log_service: str


class KeepDocument(ActivityRequest):
    """Write a document that people will edit, such as the post-mortem's draft, beside the incident's evidence."""

    folder: str
    name: str
    text: str


class IssueFact(Frozen):
    """How an issue stands: `open`, `closed` (`reason`: completed, not_planned ...), `gone` (deleted) or `moved`."""

    number: int
    state: str
    reason: str = ""


class Person(Frozen):
    """Somebody on call."""

    name: str
    email: str = ""


class ActivityResult(Frozen):
    """What came of a request. `skipped`: why it was not done on purpose, such as an integration that is off.

    `reference`: what a deployment is called by its deployer, or where a document is read. `ended`: the fingerprints of
    alerts that fire no more. `text`: what a document says now, `digest` its SHA-256. `issues`: those that are not as
    they were known.
    """

    skipped: str | None = None
    detail: str = ""
    resources: Resources = Resources()
    number: int | None = None
    reference: str = ""
    manifest: ManifestRef | None = None
    on_call: tuple[Person, ...] = ()
    silences: tuple[Silence, ...] = ()
    ended: tuple[str, ...] = ()
    heard_at: AwareDatetime | None = None
    offers: tuple[Offer, ...] = ()
    text: str = ""
    digest: str = ""
    issues: tuple[IssueFact, ...] = ()
