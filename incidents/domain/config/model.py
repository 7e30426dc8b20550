"""The shape of runbook.yaml: every number, name, channel and text that an SRE may change.

A copy travels in the input of each incident, so that editing the file does not change an incident that is under way.
What is not copied is today's for every incident: people, permissions, customers' addresses, and the texts of our site.
"""

from datetime import timedelta
from typing import Annotated, TypeVar, get_args
from urllib.parse import quote

from pydantic import AliasChoices, Field, field_serializer, field_validator

from incidents.domain.alerting.config import AlertApi, Flapping, MaintenanceWindow, Route, Surge, UnknownService
from incidents.domain.config.communication import (
    Cadence,
    Chat,
    Contact,
    Escalation,
    PageLinks,
    Paging,
    People,
    Rung,
    Templates,
    Tracker,
    Updates,
    WarRoom,
    Webhook,
)
from incidents.domain.config.probes import Probe
from incidents.domain.config.status_page import StatusPage
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import ComponentState, PagerSeverity, PublicImpact, Severity, name_fault
from incidents.domain.core.time.calendar import Calendar
from incidents.domain.core.time.duration import Duration, Term
from incidents.domain.customers.config import Customers
from incidents.domain.drill.config import DrillRules
from incidents.domain.heartbeat.config import HeartbeatName, HeartbeatRule
from incidents.domain.investigation.config import Investigation
from incidents.domain.left_open.config import LeftOpen
from incidents.domain.people.references import contact_reference
from incidents.domain.postmortem.config import PostmortemPolicy
from incidents.domain.rollback.config import Rollback, RollbackPolicy

Word = TypeVar("Word", bound=str)


class SeverityPolicy(Frozen):
    """What the runbook promises for incidents of one severity.

    `silent_after`: time without activity since the acknowledgement after which on-call is re-paged.
    `commander_within`: time without a commander after which the channel is reminded. `auto_resolve_after`: time without
    activity (a command, a message in its channel) after which it is resolved once all alerts have ended; unset: never.
    `downtime`: its minutes count against the SLA.
    `complete_checklist`: to resolve with open checklist steps, a responder has to force it and give a reason.
    `pager_severity`, `status_page_impact`, `component_state`: what pager and status page call it; unset: by rank.
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
    complete_checklist: bool = False
    auto_resolve_after: Duration | None = None
    stability_window: Duration
    reopen_window: Duration
    pager_severity: PagerSeverity | None = None
    status_page_impact: PublicImpact | None = None
    component_state: ComponentState | None = None

    @property
    def war_room(self) -> bool:
        """Tell whether this severity gets a video call."""
        return self.war_room_within is not None


class Intake(Frozen):
    """How alerts are grouped into incidents, and get their severity. With `private_label` "true" an alert is private.

    `unknown_severity`: what an alert without a known severity is taken as. Unset: the second worst there is.
    `sources`: the API of each alert source; one that is not named has none. `raise_on_graver_alert`: an alert that
    states a worse severity than its incident has raises it. `recurrence_within`: an incident that opens within this
    time of the last one with the same key links it; 0: none does. `routes`: by source and labels.
    """

    correlate_by: tuple[str, ...] = ("service", "environment")
    defaults: dict[str, str] = {"environment": "production"}
    severity_label: str = "severity"
    severities: dict[str, Severity] = {}
    unknown_severity: Severity | None = None
    private_label: str = "private"
    self_resolve_within: Duration = timedelta(minutes=5)
    sources: dict[str, AlertApi] = {"alertmanager": AlertApi.ALERTMANAGER}
    raise_on_graver_alert: bool = True
    flapping: Flapping = Flapping()
    unknown_service: UnknownService = UnknownService()
    recurrence_within: Duration = timedelta(days=30)
    surge: Surge = Surge()
    routes: tuple[Route, ...] = ()

    def route(self, name: str) -> Route | None:
        """Return the route of that name; None if there is none, as in a runbook of before it."""
        return next((route for route in self.routes if name and route.name == name), None)

    def api_of(self, source: str) -> AlertApi:
        """Return the API by which the alerts of that source are silenced and asked about."""
        named = {name.casefold(): api for name, api in self.sources.items()}
        return named.get(source.casefold(), AlertApi.NONE)

    @field_validator("correlate_by")
    @classmethod
    def _some_label(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if not labels:
            raise ValueError("name at least one label, or every alert becomes the same incident")
        return labels


class RetryLimits(Frozen):
    """How long a failing vendor is retried before the obligation counts as failed.

    `reach`: an escalation by one way; after that, the person's next way is tried. Once called `patience`.
    """

    page: Duration = timedelta(hours=1)
    reach: Duration = timedelta(minutes=5)
    publish: Duration = timedelta(hours=4)
    others: Duration = timedelta(minutes=15)


class Region(Frozen):
    """A region: where its probes go, the deployer's name of its cluster, what customers call it (unset: its name)."""

    name: str
    url: str
    cluster: str
    public_name: str = ""

    def address(self, probe: Probe) -> str:
        """Return where that probe goes in this region."""
        return probe.url.format(api=self.url.rstrip("/"), region=self.name, cluster=self.cluster)


class Service(Frozen):
    """A service that alerts name: what customers call it, and what serves it.

    `on_call` and, by severity, `escalation`: who is paged and called for it in place of the runbook's own. `links`: of
    its pages, besides or in place of `paging.links`, such as its dashboard and its section of the runbook.
    """

    name: str
    public_name: str
    regions: tuple[str, ...] = ()
    deploys: tuple[str, ...] = ()
    on_call: str = ""
    escalation: dict[Severity, tuple[Rung, ...]] = {}
    links: PageLinks = {}


class EvidenceRules(Frozen):
    """What is saved: from `before` the first alert to the resolution; of each source at most `most_rows` rows."""

    before: Duration = timedelta(minutes=30)
    most_rows: int = Field(default=10_000, ge=1)
    metrics_step: Duration = timedelta(seconds=15)


HISTORY_EVENTS = 500
"""Events of a workflow's run, after which it continues in a fresh one. Replaying that takes about a third of a
second (`make bench BENCH=replay`), and a workflow task has ten seconds: past that, it could never be completed."""


class Durability(Frozen):
    """How many events a run has before it continues as new: at a quiet moment, and at 1.5 times that in any case."""

    history_events: int = Field(default=HISTORY_EVENTS, ge=200, le=2000)


class RunbookConfig(Frozen):
    """The whole runbook. Every name in it that refers to another part of it exists (`references.dangling`)."""

    product: str
    team: str
    calendar: Calendar = Calendar()
    intake: Intake = Intake()
    severities: dict[Severity, SeverityPolicy]
    retry_for: RetryLimits = Field(RetryLimits(), validation_alias=AliasChoices("retry_for", "patience"))
    paging: Paging = Paging()
    escalation: Escalation = Escalation()
    updates: Updates = Updates()
    contacts: dict[str, Contact]
    people: People = People()
    customers: Customers = Customers()
    regions: tuple[Region, ...] = ()
    probes: tuple[Probe, ...] = ()
    services: tuple[Service, ...] = ()
    heartbeats: dict[HeartbeatName, HeartbeatRule] = {}
    rollback: Rollback = Rollback()
    postmortem: PostmortemPolicy = PostmortemPolicy()
    sla: dict[str, Annotated[float, Field(gt=0, le=100)]] = {}
    status_page: StatusPage = StatusPage()
    chat: Chat = Chat()
    tracker: Tracker = Tracker()
    webhook: Webhook = Webhook()
    investigation: Investigation = Investigation()
    evidence: EvidenceRules = EvidenceRules()
    war_room: WarRoom = WarRoom()
    drill: DrillRules = DrillRules()
    durability: Durability = Durability()
    left_open: LeftOpen | None = None
    maintenance: tuple[MaintenanceWindow, ...] = ()
    templates: Templates

    @field_serializer("contacts")
    def _without_addresses(self, contacts: dict[str, Contact]) -> dict[str, Contact]:
        """Write references in place of the contacts' addresses: what an incident carries stays in its history."""
        named = ((name, contact, contact_reference(name)) for name, contact in contacts.items())
        return {name: contact.replace(email=to) if contact.email else contact for name, contact, to in named}

    @field_validator("severities")
    @classmethod
    def _named(cls, severities: dict[Severity, SeverityPolicy]) -> dict[Severity, SeverityPolicy]:
        if len(severities) < 2:
            raise ValueError("name at least two severities, worst first: the worst is never guessed")
        for severity in severities:
            if fault := name_fault(severity):
                raise ValueError(fault)
        if len({severity.casefold() for severity in severities}) < len(severities):
            raise ValueError("two severities differ in upper and lower case only")
        return severities

    def policy(self, severity: Severity) -> SeverityPolicy:
        """Return what is promised for that severity."""
        return self.severities[severity]

    @property
    def severity_names(self) -> tuple[Severity, ...]:
        """The severities, worst first."""
        return tuple(self.severities)

    @property
    def unknown_severity(self) -> Severity:
        """What an alert without a known severity is taken as: never the worst (behaviour 11)."""
        return self.intake.unknown_severity or self.severity_names[1]

    def severity_named(self, name: str) -> Severity | None:
        """Return the severity of that name, whatever its case; None if there is none."""
        typed = name.strip().casefold()
        return next((severity for severity in self.severities if severity.casefold() == typed), None)

    def rank(self, severity: Severity) -> int:
        """Return a severity's place, 1 for the worst. One that this config does not know comes after all others."""
        names = self.severity_names
        return names.index(severity) + 1 if severity in self.severities else len(names) + 1

    def worst(self, first: Severity, *others: Severity) -> Severity:
        """Return the worst of the severities given."""
        return min((first, *others), key=self.rank)

    def pager_severity(self, severity: Severity) -> PagerSeverity:
        """Return what the pager calls that severity."""
        words: tuple[PagerSeverity, ...] = get_args(PagerSeverity)
        return self.policy(severity).pager_severity or self._by_rank(severity, words)

    def status_page_impact(self, severity: Severity) -> PublicImpact:
        """Return what the status page calls the impact of an incident of that severity."""
        words: tuple[PublicImpact, ...] = get_args(PublicImpact)
        return self.policy(severity).status_page_impact or self._by_rank(severity, words)

    def component_state(self, severity: Severity) -> ComponentState:
        """Return the status page's state of a component during an incident of that severity."""
        words: tuple[ComponentState, ...] = get_args(ComponentState)
        return self.policy(severity).component_state or self._by_rank(severity, words)

    def _by_rank(self, severity: Severity, words: tuple[Word, ...]) -> Word:
        return words[min(self.rank(severity), len(words)) - 1]

    def service(self, name: str) -> Service:
        """Return the service of that name; one that the runbook does not know has neither regions nor deployments."""
        return next((s for s in self.services if s.name == name), Service(name=name, public_name=name))

    def page_links(self, service: str, severity: Severity, environment: str) -> dict[str, str]:
        """Return the links of a page, label to URL: the service's own and those of all pages."""
        filled = {"service": quote(service), "severity": quote(severity), "environment": quote(environment)}
        return {label: url.format(**filled) for label, url in (self.paging.links | self.service(service).links).items()}

    def regions_of(self, service: str) -> tuple[Region, ...]:
        """Return the regions that serve `service`, in the runbook's order."""
        names = self.service(service).regions
        return tuple(region for region in self.regions if region.name in names)
