"""Inputs and messages of the workflows.

A responder's command is an update and a signal of its own name: `Command.name` (incidents.domain.incident.commands).
What only reads imports `incidents.names`: no model has to be made for it.
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
from incidents.names import AGENDA_QUERY as AGENDA_QUERY
from incidents.names import ALLOCATE_NUMBER as ALLOCATE_NUMBER
from incidents.names import FIND_NUMBER_QUERY as FIND_NUMBER_QUERY
from incidents.names import INCIDENT_QUERY as INCIDENT_QUERY
from incidents.names import INCIDENT_WORKFLOW as INCIDENT_WORKFLOW
from incidents.names import NUMBERS_ID as NUMBERS_ID
from incidents.names import NUMBERS_WORKFLOW as NUMBERS_WORKFLOW
from incidents.names import POSTMORTEM_QUERY as POSTMORTEM_QUERY
from incidents.names import POSTMORTEM_WORKFLOW as POSTMORTEM_WORKFLOW
from incidents.names import ROLLBACK_STEPS_QUERY as ROLLBACK_STEPS_QUERY
from incidents.names import ROLLBACK_WORKFLOW as ROLLBACK_WORKFLOW
from incidents.names import STANDSTILL_WORKFLOW as STANDSTILL_WORKFLOW
from incidents.names import TIMELINE_QUERY as TIMELINE_QUERY
from incidents.names import WATCHED as WATCHED


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
