"""Communication settings of runbook.yaml: people, pages, escalation ladders, status updates and their channels."""

import json
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, assert_never

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from incidents.domain.config.public_texts import PublicTexts
from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Duration
from incidents.domain.people.config import Directory
from incidents.domain.people.permissions import Permissions


def _checked_links(links: dict[str, str]) -> dict[str, str]:
    for label, url in links.items():
        try:
            url.format(service="", severity="", environment="")
        except (KeyError, IndexError, ValueError):
            raise ValueError(f"{label}: only {{service}}, {{severity}} and {{environment}} may be in braces") from None
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"{label}: the URL must start with https:// or http://")
    return links


PageLinks = Annotated[dict[str, str], AfterValidator(_checked_links)]
"""Links of a page, label to URL, with placeholders in braces."""


class Channel(StrEnum):
    """Where a status update is published (runbook, "Status Update Cadence").

    Who reads what a webhook posts is not known here: so it counts as public, and as read by customers.
    """

    STATUS_PAGE = "status_page"
    SLACK = "slack"
    EMAIL = "email"
    ISSUE_TRACKER = "issue_tracker"
    WEBHOOK = "webhook"

    @property
    def public(self) -> bool:
        """Whether more people than the responders read it. Private incidents skip it (behaviour 24)."""
        match self:
            case Channel.STATUS_PAGE | Channel.ISSUE_TRACKER | Channel.WEBHOOK:
                return True
            case Channel.SLACK | Channel.EMAIL:
                return False
            case _:
                assert_never(self)

    @property
    def read_by_customers(self) -> bool:
        """Whether customers read it.

        An incident of an unknown service skips it (behaviour 97), and one of a surge for which another informs the
        customers.
        """
        match self:
            case Channel.STATUS_PAGE | Channel.EMAIL | Channel.WEBHOOK:
                return True
            case Channel.SLACK | Channel.ISSUE_TRACKER:
                return False
            case _:
                assert_never(self)


class Reach(StrEnum):
    """How a person is reached. In this order another one is tried when none of a rung's own works."""

    PAGE = "page"
    SLACK = "slack"
    EMAIL = "email"


class Unless(StrEnum):
    """What makes a rung of the escalation ladder needless. Read at the moment at which it is due."""

    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class Contact(Frozen):
    """A person or a rota that the runbook names. `schedule`: the pager's id of the schedule that says who it is now.

    `github`: their login, the assignee of action items.
    """

    name: str
    email: str | None = None
    schedule: str = ""
    github: str = ""


class Rung(Frozen):
    """One step of a severity's escalation ladder. Without `after` it is climbed when the acknowledgement is overdue."""

    contact: str
    after: Duration | None = None
    unless: Unless = Unless.RESOLVED
    by: tuple[Reach, ...] = (Reach.PAGE, Reach.EMAIL)


class Cadence(Frozen):
    """How often status updates are published, and where. `every` unset: on resolution only.

    `every_while_monitoring`: the interval once the incident is mitigated; unset: `every`. `hold_at_most`: how long
    responders may hold one update back. `office_hours_only`: what falls due outside of them waits for the next
    opening, and the update before says so.
    """

    every: Duration | None = None
    every_while_monitoring: Duration | None = None
    remind_before: Duration = timedelta()
    hold_at_most: Duration = timedelta(minutes=30)
    office_hours_only: bool = False
    channels: tuple[Channel, ...]

    @model_validator(mode="after")
    def _sane(self) -> "Cadence":
        for name in ("every", "every_while_monitoring"):
            interval = getattr(self, name)
            if interval is not None and interval < timedelta(seconds=1):
                raise ValueError(f"{name} must be at least 1s")
        if self.every is None and self.every_while_monitoring is not None:
            raise ValueError("every_while_monitoring needs every")
        return self

    def interval(self, *, monitoring: bool) -> timedelta | None:
        """Return the time between two updates; None if only the resolution is published."""
        return (self.every_while_monitoring if monitoring else None) or self.every


class EscalateFrom(StrEnum):
    """From when the rungs of a severity count that was declared later than the incident (behaviour 28)."""

    SEVERITY_CHANGE = "severity_change"
    DECLARED = "declared"


class Escalation(Frozen):
    """How the ladders of all severities are climbed.

    `escalate_from`: `after` of a rung counts from the change to its severity, or from when the incident was declared or
    reopened; what is past by then is due at once.
    """

    rejoin_within: Duration = timedelta(minutes=15)
    escalate_from: EscalateFrom = EscalateFrom.SEVERITY_CHANGE


class Paging(Frozen):
    """Pages, and what follows an acknowledgement. `silence_for`: how long the alerts are silenced, at most.

    `links`: label to URL, in every page; {service}, {severity} and {environment} are filled in.
    """

    silence_for: Duration = timedelta(hours=2)
    check_alerts_every: Duration = timedelta(minutes=5)
    links: PageLinks = {}

    @model_validator(mode="after")
    def _sane(self) -> "Paging":
        if self.check_alerts_every < timedelta(seconds=10):
            raise ValueError("check_alerts_every must be at least 10s")
        return self


class Updates(Frozen):
    """How status updates behave at every severity.

    `overdue_after`: an update that is not out this long after it was due is overdue. None, as in runbooks from before
    there was such a state, never marks one.
    """

    draft_grace: Duration = timedelta(minutes=2)
    nudge_after: int = Field(default=3, ge=1)
    overdue_after: Duration | None = None


class People(Frozen):
    """Roles of people. Names refer to `contacts`. `operators` are notified of rejected credentials and program errors.

    `directory`: people by name. It holds addresses, and so is never written into a workflow's input; `names` are.
    `groups`: of people in the directory. `permissions`: who may send a command, groups and people; a command that is
    not named may be sent by everyone. Both are the ones of today, so they are not written there, either.
    """

    on_call: str = "on_call"
    stakeholders: tuple[str, ...] = ()
    responders: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    directory: Directory = Field(default={}, exclude=True)
    names: tuple[str, ...] = ()
    groups: dict[str, tuple[str, ...]] = Field(default={}, exclude=True)
    permissions: dict[str, tuple[str, ...]] = Field(default={}, exclude=True)

    @property
    def authorized(self) -> Permissions:
        """Return who may send which command."""
        return Permissions(groups=self.groups, commands=self.permissions)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, fields: Any) -> Any:
        """Keep the names where the directory is left out."""
        known = fields.get("directory") if isinstance(fields, dict) else None
        return {**fields, "names": tuple(known)} if isinstance(known, dict) and known else fields


class Templates(Frozen):
    """What customers read: the message, with the placeholders of the runbook's own template, and all other texts."""

    subject: str
    body: str
    texts: PublicTexts = PublicTexts()


class Chat(Frozen):
    """The incident's channel. `digest_channel`: the id of the channel that lists all incidents.

    `setup_per_minute`: how many calls of each kind (create, topic, invite, bookmark) set channels up in a minute, at
    most; all workers share it. 0: as many as come. `setup_burst`: how many channels are set up at once before that.
    `notices_below_summary`: notices wait for the summary, so that all of them go below it. False, as in runbooks from
    before it: the first ones may stand at the top.
    """

    channel_prefix: str = "incident"
    digest_channel: str = ""
    private: bool = False
    summary_every: Duration = timedelta(seconds=10)
    setup_per_minute: int = Field(default=0, ge=0)
    setup_burst: int = Field(default=10, ge=1)
    notices_below_summary: bool = False


class WarRoom(Frozen):
    """The video call. `static_url`: a bridge that is always open, for when no meetings can be created."""

    static_url: str = ""


class Tracker(Frozen):
    """Labels of the ticket in the issue tracker, for severities whose updates go there."""

    labels: tuple[str, ...] = ("incident",)


class Webhook(Frozen):
    """What the channel `webhook` posts, as JSON: {SUBJECT}, {BODY}, {UPDATE} and {INCIDENT_ID} are filled in.

    `{UPDATE}`: the update's number, by which people recognize one that was posted twice.
    """

    payload: dict[str, JsonValue] = {"text": "{SUBJECT} (update {UPDATE})\n\n{BODY}"}

    @field_validator("payload")
    @classmethod
    def _holds_the_update(cls, payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if "{BODY}" not in json.dumps(payload):
            raise ValueError("payload needs {BODY} in a text: the update itself")
        return payload
