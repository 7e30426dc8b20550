"""Records of incidents and post-mortems for reports. Stored beside the evidence, they outlive Temporal's retention."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.measures import time_to_acknowledge, time_to_detect
from incidents.domain.incident.state import Interval
from incidents.domain.postmortem.document.sections import ActionItem, Cause
from incidents.domain.postmortem.figures.impact import Outage, outages
from incidents.domain.postmortem.postmortem import Postmortem, Stage
from incidents.domain.rollback.state import RollbackStatus


class Record(Frozen):
    """One incident, as reports count it. `acknowledge_due`: the acknowledgement deadline.

    `acknowledge` and `detect`: the times as `incident/measures.py` defines them; records of 0.1.0 have neither.
    `updates` and `punctual` count the status updates that were due at a time, and those of them that were on time.
    `postmortem_due` is set from the resolution on, if one is owed. `merged_into`: number of the incident that it was
    merged into.
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
    acknowledge: timedelta | None = None
    detect: timedelta | None = None
    mitigated_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    intervals: tuple[Interval, ...] = ()
    outages: tuple[Outage, ...] = ()
    updates: int = 0
    punctual: int = 0
    postmortem_due: AwareDatetime | None = None
    merged_into: int | None = None

    @property
    def counts(self) -> bool:
        """Tell whether it counts in reports: drills, false alarms and merged ones do not (behaviours 65, 67, 81).

        What a merged incident was about counts as the one that it was merged into.
        """
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
    timed = [update for update in incident.updates.published if update.has_due_time]
    archive, policy = incident.evidence.archive, runbook.policy(incident.episodes[0].severity)
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
        acknowledged_at=incident.first_acknowledged_at,
        acknowledge_due=runbook.calendar.deadline(incident.opened_at, policy.acknowledge_within),
        acknowledge=time_to_acknowledge(incident),
        detect=time_to_detect(incident),
        mitigated_at=incident.mitigated_at,
        resolved_at=incident.resolved_at,
        intervals=incident.intervals,
        outages=outages(incident, runbook, now),
        updates=archive.updates_due + len(timed),
        punctual=archive.updates_on_time + sum(update.is_on_time for update in timed),
        postmortem_due=_postmortem_due(incident, runbook),
        merged_into=incident.merging.into.number if incident.merging.into else None,
    )


def _postmortem_due(incident: Incident, runbook: RunbookConfig) -> datetime | None:
    """Return when the post-mortem is due; None if the incident owes none, or is not resolved."""
    policy_owes = runbook.policy(incident.highest_severity).postmortem
    owed = policy_owes and not (incident.backfilled or incident.drill)
    owed = (owed or incident.postmortem.started) and incident.status != Status.CANCELLED
    if not owed or incident.resolved_at is None:
        return None
    return runbook.calendar.deadline(incident.resolved_at, runbook.postmortem.within)


def _cause(incident: Incident) -> Cause:
    """Return the cause category, as far as it is known: a successful rollback means a deployment."""
    helped = any(state.status is RollbackStatus.HEALTHY for state in incident.rollback.clusters)
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
        reviewed_at=postmortem.review.reviewed_at,
    )
