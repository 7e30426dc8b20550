"""What runbook.yaml says of who hears what: people, pages, the escalation ladder, status updates and their channels."""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field, model_validator

from incidents.domain.config.public_texts import PublicTexts
from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Duration


class Channel(StrEnum):
    """Where a status update is published (runbook, "Status Update Cadence")."""

    STATUS_PAGE = "status_page"
    SLACK = "slack"
    EMAIL = "email"
    ISSUE_TRACKER = "issue_tracker"


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
    """A person or a rota that the runbook names. `schedule`: PagerDuty's id of the schedule that says who it is now.

    `github`: their login, to whom action items are assigned.
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
    """How often customers hear from us, and where. `every` unset: on resolution only.

    `hold_at_most`: how long responders may hold one update back. `office_hours_only`: what falls due outside of them
    waits for the next opening, and the update before says so.
    """

    every: Duration | None = None
    remind_before: Duration = timedelta()
    hold_at_most: Duration = timedelta(minutes=30)
    office_hours_only: bool = False
    channels: tuple[Channel, ...]

    @model_validator(mode="after")
    def _sane(self) -> "Cadence":
        if self.every is not None and self.every < timedelta(seconds=1):
            raise ValueError("every must be at least 1s")
        return self


class Escalation(Frozen):
    """How the ladders of all severities are climbed."""

    rejoin_within: Duration = timedelta(minutes=15)


class Paging(Frozen):
    """What follows an acknowledgement. `silence_for`: how long Alertmanager keeps the alerts to itself, at most."""

    silence_for: Duration = timedelta(hours=2)
    check_alerts_every: Duration = timedelta(minutes=5)

    @model_validator(mode="after")
    def _sane(self) -> "Paging":
        if self.check_alerts_every < timedelta(seconds=10):
            raise ValueError("check_alerts_every must be at least 10s")
        return self


class Updates(Frozen):
    """How status updates behave at every severity."""

    draft_grace: Duration = timedelta(minutes=2)
    nudge_after: int = Field(default=3, ge=1)


class People(Frozen):
    """Who is reached as what. Names refer to `contacts`. `operators` hear when a credential of ours is refused."""

    on_call: str = "on_call"
    stakeholders: tuple[str, ...] = ()
    responders: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()


class Customers(Frozen):
    """Who hears from us by e-mail outside the company.

    `contacts`: a customer's name, as an assessment names them, to the address that is asked whether service is
    restored. `answer_within`: after that, no answer is recorded as no answer, never as a yes. `never_say`: words that
    no customer may read, beside what is found by its form (hosts, links, stack traces, clusters).
    """

    emails: tuple[str, ...] = ()
    contacts: dict[str, str] = {}
    answer_within: Duration = timedelta(hours=4)
    never_say: tuple[str, ...] = ()


class Templates(Frozen):
    """What customers read: the message, with the placeholders of the runbook's own template, and all other texts."""

    subject: str
    body: str
    texts: PublicTexts = PublicTexts()


class StatusPage(Frozen):
    """What Statuspage is told. `components`: our service name to Statuspage's component id."""

    notify_subscribers: bool = True
    components: dict[str, str] = {}


class Chat(Frozen):
    """What the incident's Slack channel is like. `digest_channel`: the id of the channel that lists all incidents.

    `setup_per_minute`: how many calls that set channels up all workers together make, at most. 0: as many as come.
    """

    channel_prefix: str = "incident"
    digest_channel: str = ""
    private: bool = False
    summary_every: Duration = timedelta(seconds=10)
    setup_per_minute: int = Field(default=0, ge=0)


class WarRoom(Frozen):
    """The video call. `static_url`: a bridge that is always open, for when Zoom is off."""

    static_url: str = ""


class Tracker(Frozen):
    """Where a P3 lives: labels of the ticket in the issue tracker."""

    labels: tuple[str, ...] = ("incident",)
