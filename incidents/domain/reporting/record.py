"""Records of incidents and post-mortems for reports. Stored beside the evidence, they outlive Temporal's retention."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Interval, Status
from incidents.domain.postmortem.document.sections import ActionItem, Cause
from incidents.domain.postmortem.figures.impact import Outage, outages
from incidents.domain.postmortem.postmortem import Postmortem, Stage
from incidents.domain.rollback.state import RollbackStatus

_PUNCTUAL = timedelta(minutes=1)
"""An update is on time if it was published within this delay after it was due."""


class Record(Frozen):
    """One incident, as reports count it. `acknowledge_due`: the acknowledgement deadline.

    `updates` and `punctual` count the status updates that were due at a time, and those of them that were on time.
    `postmortem_due` is set from the resolution on, if one is owed.
    """

    first_run_id: str
    number: int
    title: str
    service: str
    severity: Severity
    status: Status
    cause: Cause
    drill: bool = False
    backfilled: bool = False
    private: bool = False
    started_at: AwareDatetime
    acknowledged_at: AwareDatetime | None = None
    acknowledge_due: AwareDatetime
    mitigated_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    intervals: tuple[Interval, ...] = ()
    outages: tuple[Outage, ...] = ()
    updates: int = 0
    punctual: int = 0
    postmortem_due: AwareDatetime | None = None

    @property
    def counts(self) -> bool:
        """Tell whether it counts in reports: drills and false alarms do not (behaviours 67 and 81)."""
        return not self.drill and self.status != Status.CANCELLED


class PostmortemRecord(Frozen):
    """One post-mortem, as reports count it."""

    first_run_id: str
    number: int
    stage: Stage
    owner: str
    due: AwareDatetime | None
    published_at: AwareDatetime | None
    cause: Cause
    root_cause: str
    items: tuple[ActionItem, ...]
    reviewed_at: AwareDatetime | None


def record_of(incident: Incident, runbook: RunbookConfig, now: datetime | None = None) -> Record:
    """Return the record of an incident, with corrected times. `now`: end of an open incident's downtime.

    Raises:
        ValueError: it has no number yet.
    """
    if incident.number is None:
        raise ValueError("an incident without a number has no record")
    timed = [update for update in incident.updates if update.kind in ("initial", "scheduled")]
    policy = runbook.policy(incident.episodes[0].severity)
    owed = runbook.policy(incident.highest_severity).postmortem and not incident.backfilled
    owed = (owed or incident.postmortem_started) and incident.status != Status.CANCELLED
    resolved = incident.resolved_at
    return Record(
        first_run_id=incident.first_run_id,
        number=incident.number,
        title="" if incident.private else incident.title,
        service=incident.service,
        severity=incident.highest_severity,
        status=incident.status,
        cause=_cause(incident),
        drill=incident.drill,
        private=incident.private,
        backfilled=incident.backfilled,
        started_at=incident.started_at,
        acknowledged_at=incident.acknowledged_at,
        acknowledge_due=runbook.calendar.deadline(incident.opened_at, policy.acknowledge_within),
        mitigated_at=incident.mitigated_at,
        resolved_at=resolved,
        intervals=incident.intervals,
        outages=outages(incident, runbook, now),
        updates=len(timed),
        punctual=sum(update.at - update.due <= _PUNCTUAL for update in timed),
        postmortem_due=runbook.calendar.deadline(resolved, runbook.postmortem.within) if owed and resolved else None,
    )


def _cause(incident: Incident) -> Cause:
    """Return the cause category, as far as it is known: a successful rollback means a deployment."""
    helped = any(state.status is RollbackStatus.HEALTHY for state in incident.rollbacks)
    return Cause.DEPLOYMENT if helped else Cause.UNKNOWN


def postmortem_record(postmortem: Postmortem) -> PostmortemRecord:
    """Return the record of a post-mortem; without text for a private incident."""
    hidden, document = postmortem.incident.private, postmortem.document
    items = tuple(item.replace(title=f"item {item.id}", outcome="") if hidden else item for item in document.items)
    return PostmortemRecord(
        first_run_id=postmortem.incident.first_run_id,
        number=postmortem.number,
        stage=postmortem.stage,
        owner=postmortem.owner,
        due=postmortem.due,
        published_at=postmortem.published_at,
        cause=document.cause,
        root_cause="" if hidden else document.root_cause,
        items=items,
        reviewed_at=postmortem.reviewed_at,
    )
