"""What an incident is made of: its opening, episodes, intervals, and what it owns at the vendors."""

from pydantic import AwareDatetime

from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.incident.checklist import StepState


class Opening(Frozen):
    """How an incident starts: from an alert, or by hand. `reporter`: the person, or else the source.

    `service_assumed`: the alert names none. `by_alert`: an alert opens it, and not a person. `region`: as the alert
    names it. `maintenance`: the windows that responders have started, as of the alert's arrival.
    `route`: the name of the route of the alert that opens it.
    `recurrence_of`: number of the incident that it repeats, as a person says. `scenario`: which one a drill plays; ""
    without a script.
    """

    key: str
    title: str
    service: str
    environment: str = "production"
    severity: Severity
    needs_triage: bool = False
    alerted_at: AwareDatetime
    source: str
    reporter: str = ""
    drill: bool = False
    private: bool = False
    service_assumed: bool = False
    by_alert: bool = False
    region: str = ""
    route: str = ""
    maintenance: tuple[MaintenanceWindow, ...] = ()
    recurrence_of: int | None = None
    scenario: str = ""


class Episode(Frozen):
    """A stretch of time that the incident spent at one severity."""

    severity: Severity
    since: AwareDatetime
    until: AwareDatetime | None = None


class Interval(Frozen):
    """From the start, or a reopening, to a resolution."""

    since: AwareDatetime
    until: AwareDatetime
    by: str


class Resources(Frozen):
    """What the incident owns at the vendors. A field that is unset has not been made."""

    channel_id: str | None = None
    channel_name: str | None = None
    channel_url: str | None = None
    summary_ts: str | None = None
    summary_text: str | None = None
    topic: str | None = None
    digest_ts: str | None = None
    digest_text: str | None = None
    bridge_url: str | None = None
    status_page_id: str | None = None
    status_page_url: str | None = None
    ticket: int | None = None
    ticket_url: str | None = None
    evidence_url: str | None = None

    def merged(self, newer: "Resources") -> "Resources":
        """Return these with everything that `newer` has."""
        return self.replace(**{name: value for name, value in newer if value is not None})


class Correction(Frozen):
    """A time of the incident that was corrected. `which`: started, acknowledged, mitigated or resolved."""

    which: str
    was: AwareDatetime
    now: AwareDatetime
    by: str
    at: AwareDatetime
    reason: str


class RolesState(Frozen):
    """The assignee of each role; empty if unassigned. `no_commander_since`: since when there has been no commander."""

    commander: str = ""
    no_commander_since: AwareDatetime | None = None
    communications: str = ""
    scribe: str = ""


class EarlierResponse(Frozen):
    """The first response of an earlier round, as a reopening ended it at `until`."""

    until: AwareDatetime
    acknowledged_at: AwareDatetime | None = None
    acknowledged_by: str = ""
    roles: RolesState = RolesState()
    steps: tuple[StepState, ...] = ()
