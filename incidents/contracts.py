"""Inputs and messages of the workflows. Light to import: a short-lived program needs no more.

A responder's command is an update and a signal of its own name: `Command.name` (incidents.domain.incident.commands).
"""

from datetime import timedelta

from incidents.domain.alerting.alert import Alert
from incidents.domain.config.model import Region, RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Opening
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.domain.rollback.config import RecorderRules
from incidents.domain.standstill import Operator, Standstill

INCIDENT_WORKFLOW = "IncidentWorkflow"
POSTMORTEM_WORKFLOW = "PostmortemWorkflow"
ROLLBACK_WORKFLOW = "RollbackWorkflow"
NUMBERS_WORKFLOW = "IncidentNumbersWorkflow"
STANDSTILL_WORKFLOW = "StandstillWorkflow"
NUMBERS_ID = "incident-numbers"
WATCHED = (INCIDENT_WORKFLOW, POSTMORTEM_WORKFLOW, ROLLBACK_WORKFLOW, NUMBERS_WORKFLOW)
"""The workflows whose standing still operators are notified of."""


INCIDENT_QUERY = "incident"
"""Of an incident: the `Incident`."""
POSTMORTEM_QUERY = "postmortem"
"""Of a post-mortem: the `Postmortem`."""
TIMELINE_QUERY = "timeline"
"""Of an incident and of a post-mortem: its entries, in order."""
AGENDA_QUERY = "agenda"
"""Of an incident and of a post-mortem: what is due, the earliest first."""
ROLLBACK_STEPS_QUERY = "progress"
"""Of a rollback: the steps taken, one line each."""
FIND_NUMBER_QUERY = "find"
"""Of the incident numbers: the incident of a number, if it is among the recent ones."""
ALLOCATE_NUMBER = "allocate"
"""An update of the incident numbers: the number of an `Allocation`."""


def setup_queue(task_queue: str) -> str:
    """Return the queue of what sets chat channels up, whose rate is limited, beside the workflows' own queue."""
    return f"{task_queue}-setup"


class IncidentInput(Frozen):
    """What an incident starts with; `incident` is set when it goes on after continue-as-new.

    `history_limit`: events after which it continues as new; 0 leaves that to the server's advice.
    """

    opening: Opening
    runbook: RunbookConfig
    incident: Incident | None = None
    history_limit: int = 0


ALERT_FIRED = "alert_fired"
"""To an incident: the alerts of an `AlertBatch` fire."""
ALERT_RESOLVED = "alert_resolved"
"""To an incident: the alerts of an `AlertBatch` have ended."""


class AlertBatch(Frozen):
    """Alerts of one incident."""

    alerts: tuple[Alert, ...]


ROLLBACK_MOVED = "rollback_moved"
"""From a rollback to its incident: a step, as `RollbackProgress`."""
ROLLBACK_ENDED = "rollback_ended"
"""From a rollback to its incident: the end, as `RollbackResult`."""
PROBED = "probed"
"""To a rollback: how the verification of a region goes, as `Probed`."""
JUDGED = "judged"
"""To a rollback: a person's verdict, as `Judgement`."""


class RecorderInput(Frozen):
    """What one round of the recorder probes."""

    regions: tuple[Region, ...]
    rules: RecorderRules


POSTMORTEM_PUBLISHED = "postmortem_published"
"""From a post-mortem to its incident: it is `Published`."""


class Published(Frozen):
    """Where the post-mortem can be read."""

    url: str


class PostmortemInput(Frozen):
    """What a post-mortem starts with; `postmortem` is set when it goes on after continue-as-new.

    `incident_notified`: the incident was sent `POSTMORTEM_PUBLISHED`. `history_limit`: as of `IncidentInput`.
    """

    incident: Incident
    runbook: RunbookConfig
    postmortem: Postmortem | None = None
    incident_notified: bool = False
    history_limit: int = 0


INCIDENT_RESOLVED = "incident_resolved"
"""From an incident to its post-mortem: a `Resolution`."""
INCIDENT_REOPENED = "incident_reopened"
"""From an incident to its post-mortem, without a payload."""
INCIDENT_CANCELLED = "incident_cancelled"
"""From an incident to its post-mortem, without a payload."""
ISSUE_CHANGED = "issue_changed"
"""To a post-mortem: the issue of an action item was changed, as `IssueFact`."""


class Resolution(Frozen):
    """The incident, resolved again."""

    incident: Incident


class StandstillInput(Frozen):
    """A stuck run, and who is notified of it. `retry_for`: how long a way that fails is retried."""

    stuck: Standstill
    operators: tuple[Operator, ...]
    retry_for: timedelta


class StandstillReport(Frozen):
    """Who was notified by which way, and which ways failed, with the reason."""

    reached: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
