"""The shape of runbook.yaml: every number, name, channel and text that an SRE may change.

A copy travels in the input of each incident, so that editing the file never changes an incident that is under way.
"""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from incidents.domain.config.communication import (
    Cadence,
    Chat,
    Contact,
    Customers,
    Escalation,
    Paging,
    People,
    Rung,
    StatusPage,
    Templates,
    Tracker,
    Updates,
    WarRoom,
)
from incidents.domain.core.base import Frozen
from incidents.domain.core.calendar import Calendar
from incidents.domain.core.duration import Duration, Term
from incidents.domain.core.severity import Severity
from incidents.domain.postmortem.config import PostmortemPolicy
from incidents.domain.rollback.config import Rollback


class RollbackPolicy(StrEnum):
    """Who decides that a suspect deployment is rolled back."""

    AUTOMATIC = "automatic"
    APPROVE = "approve"
    NEVER = "never"


class SeverityPolicy(Frozen):
    """What the runbook promises for incidents of one severity.

    `silent_after`: acknowledged, and then no word for so long: the on-call is paged again. `commander_within`: without
    a commander for so long, the channel is reminded. Unset: never. `downtime`: its minutes count against the SLA.
    """

    name: str
    definition: str
    impact: str
    page: bool = True
    acknowledge_within: Term
    investigate_within: Term | None = None
    fix_within: Term | None = None
    war_room_within: Term | None = None
    updates: Cadence
    escalation: tuple[Rung, ...] = ()
    silent_after: Duration | None = None
    commander_within: Duration | None = None
    postmortem: bool = False
    downtime: bool = False
    rollback: RollbackPolicy = RollbackPolicy.APPROVE
    confirm_resolution: bool = False
    stability_window: Duration
    reopen_window: Duration

    @property
    def war_room(self) -> bool:
        """Tell whether this severity gets a video call."""
        return self.war_room_within is not None


class Intake(Frozen):
    """How an alert finds its incident and its first severity. An alert whose `private_label` is "true" is private."""

    correlate_by: tuple[str, ...] = ("service", "environment")
    defaults: dict[str, str] = {"environment": "production"}
    severity_label: str = "severity"
    severities: dict[str, Severity] = {}
    unknown_severity: Severity = Severity.P1
    private_label: str = "private"
    self_resolve_within: Duration = timedelta(minutes=5)

    @field_validator("correlate_by")
    @classmethod
    def _some_label(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if not labels:
            raise ValueError("name at least one label, or every alert becomes the same incident")
        return labels

    @field_validator("unknown_severity")
    @classmethod
    def _never_guess_p0(cls, severity: Severity) -> Severity:
        if severity is Severity.P0:
            raise ValueError("P0 is declared by a label or a person, never guessed (BEHAVIOURS 11)")
        return severity


class Patience(Frozen):
    """How long a vendor that fails is tried again before the obligation counts as failed.

    `reach`: an escalation by one way; after that, the person's next way is tried.
    """

    page: Duration = timedelta(hours=1)
    reach: Duration = timedelta(minutes=5)
    publish: Duration = timedelta(hours=4)
    others: Duration = timedelta(minutes=15)


class Region(Frozen):
    """A region of the product: where its probes go, and the deployment portal's name of its cluster."""

    name: str
    url: str
    cluster: str


class Service(Frozen):
    """A service that alerts name: what customers call it, and what serves it."""

    name: str
    public_name: str
    regions: tuple[str, ...] = ()
    deploys: tuple[str, ...] = ()


class Investigation(Frozen):
    """What the investigation asks the monitoring: PromQL by name, and the service's name in the logs."""

    metrics: dict[str, str] = {}
    log_service: str = "featuresignals-api"


class EvidenceRules(Frozen):
    """What is preserved: from `before` the first alert to the resolution; of each source at most `most_rows` rows."""

    before: Duration = timedelta(minutes=30)
    most_rows: int = Field(default=10_000, ge=1)
    metrics_step: Duration = timedelta(seconds=15)


HISTORY_EVENTS = 500
"""Events of a workflow's run, after which it continues in a fresh one. Replaying that takes about a third of a
second (`make bench BENCH=replay`), and a workflow task has ten seconds: past that, it could never be completed."""


class Durability(Frozen):
    """How long the history of a run becomes before it continues as new: at a quiet moment, and at 1.5 times that."""

    history_events: int = Field(default=HISTORY_EVENTS, ge=200, le=2000)


class RunbookConfig(Frozen):
    """The whole runbook. Every name in it that refers to another part of it exists."""

    product: str
    team: str
    calendar: Calendar = Calendar()
    intake: Intake = Intake()
    severities: dict[Severity, SeverityPolicy]
    patience: Patience = Patience()
    paging: Paging = Paging()
    escalation: Escalation = Escalation()
    updates: Updates = Updates()
    contacts: dict[str, Contact]
    people: People = People()
    customers: Customers = Customers()
    regions: tuple[Region, ...] = ()
    services: tuple[Service, ...] = ()
    rollback: Rollback = Rollback()
    postmortem: PostmortemPolicy = PostmortemPolicy()
    sla: dict[str, Annotated[float, Field(gt=0, le=100)]] = {}
    status_page: StatusPage = StatusPage()
    chat: Chat = Chat()
    tracker: Tracker = Tracker()
    investigation: Investigation = Investigation()
    evidence: EvidenceRules = EvidenceRules()
    war_room: WarRoom = WarRoom()
    durability: Durability = Durability()
    templates: Templates

    @field_validator("severities")
    @classmethod
    def _all_four(cls, severities: dict[Severity, SeverityPolicy]) -> dict[Severity, SeverityPolicy]:
        missing = [severity for severity in Severity if severity not in severities]
        if missing:
            raise ValueError(f"missing: {', '.join(missing)}")
        return severities

    def dangling(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield the place of every name that refers to nothing, with what is wrong with it."""
        people: list[tuple[tuple[str | int, ...], str]] = [
            (("people", "on_call"), self.people.on_call),
            *((("people", "stakeholders", n), name) for n, name in enumerate(self.people.stakeholders)),
            *((("people", "responders", n), name) for n, name in enumerate(self.people.responders)),
            *((("people", "operators", n), name) for n, name in enumerate(self.people.operators)),
            (("postmortem", "manager"), self.postmortem.manager),
            (("postmortem", "executive"), self.postmortem.executive),
            *((("postmortem", "review", "invite", n), who) for n, who in enumerate(self.postmortem.review.invite)),
        ]
        for severity, policy in self.severities.items():
            ladder = ("severities", severity.value, "escalation")
            people += [((*ladder, n, "contact"), rung.contact) for n, rung in enumerate(policy.escalation)]
        for place, contact in people:
            if contact not in self.contacts:
                yield place, f"{contact!r} is not among contacts: {', '.join(self.contacts)}"
        regions = [region.name for region in self.regions]
        for index, service in enumerate(self.services):
            for n, region in enumerate(service.regions):
                if region not in regions:
                    yield ("services", index, "regions", n), f"{region!r} is not among regions: {', '.join(regions)}"

    def policy(self, severity: Severity) -> SeverityPolicy:
        """Return what is promised for that severity."""
        return self.severities[severity]

    def service(self, name: str) -> Service:
        """Return the service of that name; one that the runbook does not know has neither regions nor deployments."""
        return next((s for s in self.services if s.name == name), Service(name=name, public_name=name))

    def regions_of(self, service: str) -> tuple[Region, ...]:
        """Return the regions that serve `service`, in the runbook's order."""
        names = self.service(service).regions
        return tuple(region for region in self.regions if region.name in names)
