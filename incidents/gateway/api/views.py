"""What the API answers with. A field that an answer has today stays; further ones may come."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from incidents.domain.core.timeline import Entry, Kind
from incidents.domain.incident.incident import Incident


class View(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, use_enum_values=True)


class Problem(View):
    """Why a request was refused. `error`: one line for a person."""

    error: str


class Opened(View):
    """An incident that Temporal has recorded. `number`: None until a worker has given it one."""

    workflow_id: str
    number: int | None
    url: str


class Listed(View):
    """An incident in a list. `title`: None without the scope `private`, for a list does not know what is private."""

    number: int | None
    workflow_id: str
    title: str | None
    severity: str | None
    status: str | None
    service: str | None
    commander: str | None
    drill: bool
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    update_overdue: bool


class IncidentList(View):
    """Incidents, newest first."""

    incidents: tuple[Listed, ...]


class StepView(View):
    """A step of the checklist."""

    title: str
    status: str
    detail: str


class RollbackView(View):
    """The rollback of a cluster. `approved_by`: the first of two people. `decided_by`: empty until it is decided."""

    cluster: str
    status: str
    attempt: int
    suspect: str | None
    candidate: str | None
    approved_by: str
    decided_by: str
    detail: str


class IncidentView(View):
    """An incident as it stands."""

    number: int | None
    workflow_id: str
    title: str
    service: str
    environment: str
    severity: str
    status: str
    private: bool
    drill: bool
    source: str
    started_at: AwareDatetime
    opened_at: AwareDatetime
    acknowledged_at: AwareDatetime | None
    acknowledged_by: str
    mitigated_at: AwareDatetime | None
    resolved_at: AwareDatetime | None
    resolved_by: str
    commander: str
    communications: str
    scribe: str
    impact: str | None
    steps: tuple[StepView, ...]
    rollbacks: tuple[RollbackView, ...]
    links: dict[str, str]
    revision: int


class EntryView(View):
    """A line of the timeline. `happened_at`: when it happened, where that is known to be earlier than `at`."""

    sequence: int
    at: AwareDatetime
    happened_at: AwareDatetime | None
    actor: str
    kind: Kind
    text: str


class Timeline(View):
    """Entries of a timeline, oldest first. `archived`: how many older ones are in the evidence store only."""

    entries: tuple[EntryView, ...]
    archived: int


class Receipt(View):
    """What became of a command.

    `changed`: False if an earlier command had done it. `queued`: no worker has taken it yet; Temporal has recorded it.
    """

    message: str
    changed: bool
    queued: bool
    revision: int


class Health(View):
    """A part of this gateway, and why it cannot do its work; "" if it can."""

    ok: bool
    reason: str


class Ready(View):
    """Whether this gateway can do its work. `slack`: Slack's Socket Mode, where it is configured."""

    ready: bool
    temporal: Health
    spool: Health
    paging: Health
    slack: Health | None = None


def incident_view(incident: Incident) -> IncidentView:
    """Return an incident as the API shows it."""
    resources, roles = incident.resources, incident.roles
    links: dict[str, Any] = {
        "channel": resources.channel_url,
        "war_room": resources.bridge_url,
        "status_page": resources.status_page_url,
        "ticket": resources.ticket_url,
    }
    same = {name: getattr(incident, name) for name in IncidentView.model_fields if hasattr(incident, name)}
    return IncidentView.model_validate(
        same
        | {
            "status": incident.shown_status,
            "commander": roles.commander,
            "communications": roles.communications,
            "scribe": roles.scribe,
            "impact": incident.assessment.impact if incident.assessment else None,
            "steps": tuple(StepView(title=s.title, status=s.status, detail=s.detail) for s in incident.steps),
            "rollbacks": tuple(_rollbacks(incident)),
            "links": {name: url for name, url in links.items() if url},
        }
    )


def _rollbacks(incident: Incident) -> list[RollbackView]:
    return [
        RollbackView(
            cluster=state.offer.cluster,
            status=state.status,
            attempt=state.attempt,
            suspect=state.offer.suspect.version if state.offer.suspect else None,
            candidate=state.offer.candidate.version if state.offer.candidate else None,
            approved_by=state.approved_by,
            decided_by=state.decided_by,
            detail=state.detail or state.progress,
        )
        for state in incident.rollback.clusters
    ]


def timeline_view(incident: Incident, after: int) -> Timeline:
    """Return the entries after the one of that number."""
    entries = [entry for entry in incident.timeline if entry.sequence > after]
    first = incident.timeline[0].sequence if incident.timeline else 1
    return Timeline(entries=tuple(map(_entry, entries)), archived=max(0, first - 1 - after))


def _entry(entry: Entry) -> EntryView:
    return EntryView.model_validate({name: getattr(entry, name) for name in EntryView.model_fields})
