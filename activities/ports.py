"""Ports: what an activity needs from a vendor, so that vendors can be swapped (docs/extending.md).

Every adapter keeps this contract; `tests/activities/test_ports.py` holds each of them to it:

- **Once.** An effect carries a marker, a key of ours. Either the vendor treats the same marker as the same effect, or
  the port finds by that marker what an earlier attempt did. The mailer alone cannot: it delivers at least once.
- **Errors** are a `VendorError` and nothing else: `VendorUnauthorized` for credentials or rights, `VendorRejected` for
  what would be rejected again, `VendorNotFound` for a target that does not exist, `VendorRateLimited` with
  `retry_after` if the vendor sends it, `VendorUnavailable` for what may pass. The error names its vendor.
  `HealthProbe` alone raises none: trouble is its measurement.
- **Unknown is not "no".** A search returns None for what does not exist, and raises if it could not search.
- One attempt per call, with a time-out. Temporal retries; no adapter sleeps to retry.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from activities.port_values import ChatChannel, HeldSilence, PersonOnCall, Room
from activities.rollback.deployers import Ordered, Standing
from activities.rollback.probes import ProbeAnswer
from incidents.domain.activity_requests import PublishStatus
from incidents.domain.activity_results import ResourcesChanged
from incidents.domain.config.model import Region
from incidents.domain.config.probes import Probe
from incidents.domain.core.severity import PagerSeverity
from incidents.domain.core.text.mrkdwn import Mrkdwn
from incidents.domain.rollback.activity_requests import Redeploy
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.known_good import Deployment
from incidents.domain.rollback.verification import ProbeResult
from incidents.vendors.issues.issue import Comment, Issue
from incidents.vendors.mail.mail import Mail

NAME_TAKEN = "name_taken"
"""The code of the `VendorRejected` with which `Chat.create_channel` says that there is a channel of that name."""


class AlertSource(Protocol):
    """What evaluates alerts: it can be silenced, and asked what still fires."""

    def create_silence(
        self, labels: Mapping[str, str], starts_at: datetime, ends_at: datetime, created_by: str, comment: str
    ) -> str:
        """Silence the alerts with exactly these labels, and return the silence's id.

        A repeat is a second silence: the caller puts a marker into the comment.
        """

    def find_silence(self, marker: str) -> HeldSilence | None:
        """Return the silence, pending or active, whose comment holds the marker."""

    def expire_silence(self, silence_id: str) -> None:
        """End a silence. Idempotent, also for one that has ended or does not exist."""

    def firing(self, name: str) -> Sequence[Mapping[str, str]]:
        """Return the labels of the alerts of that name that fire, silenced ones included."""


class Pager(Protocol):
    """What wakes people. If it can neither deduplicate nor look, it pages twice rather than never."""

    def send_event(
        self,
        action: Literal["trigger", "acknowledge", "resolve"],
        dedup_key: str,
        *,
        summary: str = "",
        source: str = "",
        severity: PagerSeverity = "critical",
        custom_details: Mapping[str, Any] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> str:
        """Trigger, acknowledge or resolve a page, and return its key.

        The marker is `dedup_key`: repeated while the page is open, it is the same page. Acknowledging or resolving what
        is not open is accepted and changes nothing.

        Args:
            action: what to do; all but the first two arguments matter for a trigger only.
            dedup_key: the page's key.
            summary: one line.
            source: what the page is from.
            severity: how loud it is.
            custom_details: what else the person reads.
            links: addresses by their labels.
        """


class OnCallSchedule(Protocol):
    """Who is on call by a rota. Reads only."""

    def on_calls(self, schedule_ids: Sequence[str]) -> Sequence[PersonOnCall]:
        """Return who is on call now, lowest escalation level first; may be empty."""


class Chat(Protocol):
    """Where responders talk. Setting, pinning, archiving and inviting are idempotent; posting is not."""

    def whoami(self) -> str:
        """Return our own user's id."""

    def create_channel(self, name: str, private: bool = False) -> ChatChannel:
        """Create a channel. `VendorRejected` with code `NAME_TAKEN` if there is one of that name, even archived."""

    def find_channel(self, name: str) -> ChatChannel | None:
        """Return the channel of exactly this name, archived ones included."""

    def set_topic(self, channel_id: str, topic: str) -> None:
        """Set the topic."""

    def set_purpose(self, channel_id: str, purpose: str) -> None:
        """Set the purpose."""

    def invite(self, channel_id: str, user_ids: Sequence[str]) -> Sequence[str]:
        """Invite users, and return "USER code" for each who cannot be a member. One never blocks the others."""

    def post(
        self,
        channel_id: str,
        text: Mrkdwn,
        *,
        blocks: Sequence[Mapping[str, Any]] | None = None,
        key: str,
        thread_ts: str | None = None,
    ) -> str:
        """Post a message marked with `key`, and return its id. A repeat is a second message."""

    def find_message(self, channel_id: str, key: str, since: datetime, *, thread_ts: str | None = None) -> str | None:
        """Return the id of our message with this key, posted since then in the channel or in a thread."""

    def update(self, channel_id: str, ts: str, text: Mrkdwn, blocks: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Replace a message. `VendorNotFound` if it was deleted."""

    def pin(self, channel_id: str, ts: str) -> None:
        """Pin a message."""

    def bookmarks(self, channel_id: str) -> Sequence[str]:
        """Return the addresses of the channel's bookmarks."""

    def add_bookmark(self, channel_id: str, title: str, url: str) -> None:
        """Add a link above the channel. A repeat is a second one: check `bookmarks` first."""

    def last_word(self, channel_id: str, since: datetime, thread_ts: str | None = None) -> datetime | None:
        """Return when a person last wrote there, or below that message, after `since`; None if no one did."""

    def archive(self, channel_id: str) -> None:
        """Archive the channel."""

    def unarchive(self, channel_id: str) -> None:
        """Unarchive the channel."""

    def open_dm(self, user_id: str) -> str:
        """Return the id of the direct-message channel with a person."""

    def lookup_user(self, email: str) -> str | None:
        """Return the id of the person with this address."""


class StatusPage(Protocol):
    """The public status page. Its subscribers are notified, so an update is published once."""

    def publish(self, update: PublishStatus, *, repeated: bool) -> ResourcesChanged:
        """Publish an update, and return where the incident is on the page.

        The marker is `update.marker` with `update.sequence`. An update older than the newest that is shown is dropped
        and said so in `detail`: the page never goes back. `repeated`: an earlier attempt may have published it.
        """


class Mailer(Protocol):
    """Sends mail. It cannot be asked what it sent: delivery is at least once."""

    def send(self, mail: Mail) -> str:
        """Send the mail to each recipient alone, and return the mailer's id of it. A repeat is a second mail.

        `VendorRejected` if there is no recipient, or one is rejected for good; the others were sent theirs. A repeat
        leaves out those of `mail.accepted`.
        """


class IssueTracker(Protocol):
    """Tickets with comments. A marker in the text identifies what an earlier attempt created."""

    def create_issue(self, title: str, body: str, labels: Sequence[str] = (), assignees: Sequence[str] = ()) -> Issue:
        """Create an issue. A repeat is a second one: look with `find_issue` first."""

    def find_issue(self, marker: str, label: str) -> Issue | None:
        """Return the newest issue with that label whose text holds the marker, open or closed."""

    def get_issue(self, number: int) -> Issue:
        """Return an issue. `VendorNotFound` if there is none; a code `gone` or `moved` if the tracker says that."""

    def close_issue(self, number: int, reason: Literal["completed", "not_planned"] = "completed") -> Issue:
        """Close an issue. Idempotent."""

    def edit_issue(self, number: int, body: str) -> Issue:
        """Replace the text of an issue. Idempotent."""

    def retitle_issue(self, number: int, title: str) -> Issue:
        """Give an issue another title. Idempotent."""

    def comment(self, number: int, body: str) -> Comment:
        """Comment on an issue. A repeat is a second comment: look with `find_comment` first."""

    def find_comment(self, number: int, marker: str) -> Comment | None:
        """Return the first comment that holds the marker."""


class Meeting(Protocol):
    """The incident's video call. The marker is its topic."""

    def find_meeting(self, topic: str) -> Room | None:
        """Return the meeting of exactly this topic."""

    def create_meeting(self, topic: str) -> Room:
        """Create a meeting that people can join at once. A repeat is a second one: look with `find_meeting` first."""


class Deployer(Protocol):
    """Reads a cluster's deployment history, deploys an exact version once, and follows it."""

    @property
    def name(self) -> str:
        """Return what people call the deployer, within a sentence."""

    def history(self, cluster: str, rules: Rollback) -> tuple[Deployment, ...] | None:
        """Return the whole history of the cluster, newest first; None if there is no such cluster."""

    def deploy(self, request: Redeploy, *, repeated: bool) -> Ordered | None:
        """Order the deployment; None if there is no such cluster.

        `repeated`: an earlier attempt may have ordered it. The marker is that version above `request.mark`: then it is
        ours, and no second one is ordered.
        """

    def standing(self, reference: str) -> Standing:
        """Return the status of an ordered deployment."""


class HealthProbe(Protocol):
    """Measures a region as a customer sees it, by the probes of runbook.yaml.

    Never raises: an error or a time-out of the service is the measurement. What was not measured (a credential was
    rejected or is missing, or there are no probes) has `measured` False, and proves nothing about the service.
    `proven`: the credentials are known to have worked, so a rejection may be the service's own trouble.
    """

    def send(self, probes: tuple[Probe, ...], region: Region, *, proven: bool = False) -> list[ProbeAnswer]:
        """Send each probe to the region once, and return their answers in that order."""

    def look(self, probes: tuple[Probe, ...], region: Region, *, proven: bool = False) -> ProbeResult:
        """Send each probe to the region once, and return the result of all."""
