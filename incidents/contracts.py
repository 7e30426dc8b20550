"""What the workflows are started with and told by others. Light to import: short-lived programs need no more."""

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


class AlertBatch(Frozen):
    """Alerts of one incident."""

    alerts: tuple[Alert, ...]


class RecorderInput(Frozen):
    """What one round of the recorder probes."""

    regions: tuple[Region, ...]
    rules: RecorderRules


class Published(Frozen):
    """Where the post-mortem can be read."""

    url: str


class PostmortemInput(Frozen):
    """What a post-mortem starts with; `postmortem` is set when it goes on after continue-as-new.

    `told`: the incident knows of the publication. `history_limit`: as of `IncidentInput`.
    """

    incident: Incident
    runbook: RunbookConfig
    postmortem: Postmortem | None = None
    told: bool = False
    history_limit: int = 0


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
