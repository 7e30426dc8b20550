"""Inputs and messages of the workflows.

A responder's command is an update and a signal of its own name: `Command.name` (incidents.domain.incident.commands).
What only reads imports `incidents.names`: no model has to be made for it.
"""

from datetime import timedelta

from pydantic import AwareDatetime

from incidents.domain.alerting.alert import Alert
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.build_request import SETUP, SetupCall
from incidents.domain.config.model import Region, RunbookConfig
from incidents.domain.config.probes import Probe
from incidents.domain.core.base import Frozen
from incidents.domain.drill.script import DrillScript
from incidents.domain.heartbeat.config import HeartbeatRule
from incidents.domain.heartbeat.watch import HeartbeatWatch
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.state import Opening
from incidents.domain.operators.notifications import Operator
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.domain.rollback.config import RecorderRules
from incidents.domain.standstill import Standstill
from incidents.domain.updates.bounces import MailBounce


def setup_queue(task_queue: str, call: SetupCall) -> str:
    """Return the queue of one kind of call that sets chat channels up, beside the workflows' own queue.

    A chat limits each kind by itself, and a worker cannot say which it wants, only from which queue.
    """
    return f"{task_queue}-setup-{call.activity}"


def former_setup_queue(task_queue: str) -> str:
    """Return the queue in which the calls of all kinds waited before each had its own: some may wait there still."""
    return f"{task_queue}-setup"


def setup_queues(task_queue: str) -> tuple[str, ...]:
    """Return all queues of what sets chat channels up."""
    return tuple(setup_queue(task_queue, call) for call in SETUP.values())


def drill_queue(task_queue: str) -> str:
    """Return the queue of drills: their workers bind every activity to a sink (behaviours 81 and 104)."""
    return f"{task_queue}-drill"


class IncidentInput(Frozen):
    """What an incident starts with; `incident` is set after continue-as-new.

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


WINDOWS_CHANGED = "windows_changed"
"""To an incident: the maintenance windows that responders have started, as `WindowsChanged`."""
WINDOWS_MEMO = "started-windows"
"""In the memo of the maintenance workflow, which is read without a worker: a list of `StartedWindow`."""


class WindowsChanged(Frozen):
    """All windows that responders have started and that are not over."""

    windows: tuple[MaintenanceWindow, ...]


MAIL_BOUNCED = "mail_bounced"
"""To an incident: mails of it did not arrive, as `MailBounced`."""


class MailBounced(Frozen):
    """Mails that did not arrive."""

    bounces: tuple[MailBounce, ...]


MERGE_MESSAGE = "merge_message"
"""Between a merged incident and the one that it was merged into, as `MergeMessage`."""


SURGE_MESSAGE = "surge_message"
"""Between the incidents of a surge, as `SurgeMessage`."""


ROLLBACK_MOVED = "rollback_moved"
"""From a rollback to its incident: a step, as `RollbackProgress`."""
ROLLBACK_ENDED = "rollback_ended"
"""From a rollback to its incident: the end, as `RollbackResult`."""
PROBED = "probed"
"""To a rollback: how the verification of a region goes, as `Probed`."""
JUDGED = "judged"
"""To a rollback: a person's verdict, as `ResponderVerdict`."""


class RecorderInput(Frozen):
    """What one round of the recorder probes."""

    regions: tuple[Region, ...]
    rules: RecorderRules
    probes: tuple[Probe, ...] = ()


HEARTBEAT_CAME = "heartbeat_came"
"""To the watch of a heartbeat: it came, as `HeartbeatCame`."""
HEARTBEAT_RULE = "heartbeat_rule"
"""To the watch of a heartbeat: what the runbook says of it now, as `HeartbeatRule`."""
HEARTBEAT_RETIRED = "heartbeat_retired"
"""To the watch of a heartbeat, without a payload: the runbook does not name it any more."""


class HeartbeatInput(Frozen):
    """What the watch of a heartbeat starts with; `watch` and `history_limit`: as of `IncidentInput`."""

    name: str
    rule: HeartbeatRule
    watch: HeartbeatWatch | None = None
    history_limit: int = 0


class HeartbeatCame(Frozen):
    """A heartbeat. `at`: when it came, aware UTC."""

    at: AwareDatetime


COMMAND_REFUSED = "command_refused"
"""To an incident or a post-mortem: a command was not sent, because its sender is not authorized, as `Unauthorized`."""


class Unauthorized(Frozen):
    """A command that was refused before it was sent. `command`: as runbook.yaml calls it. `reason`: who may send it."""

    command: str
    by: str
    reason: str


POSTMORTEM_PUBLISHED = "postmortem_published"
"""From a post-mortem to its incident: it is `Published`."""


POSTMORTEM_WAIVED = "postmortem_waived"
"""From a post-mortem to its incident: it is `Waived`."""


class Published(Frozen):
    """Where the post-mortem of the incident with that first run can be read.

    A later incident of the same alert has the same workflow id: it ignores the message by `first_run_id`.
    """

    url: str
    first_run_id: str = ""


class Waived(Frozen):
    """The post-mortem of the incident with that first run is waived."""

    first_run_id: str = ""


class PostmortemInput(Frozen):
    """What a post-mortem starts with; `postmortem` is set after continue-as-new.

    `incident_notified`: the incident was sent `POSTMORTEM_PUBLISHED` or `POSTMORTEM_WAIVED`. `history_limit`: as of
    `IncidentInput`.
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
INCIDENT_CLOSED = "incident_closed"
"""From an incident that closes before its post-mortem is over to the post-mortem, without a payload."""
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


DRILL_STOPPED = "drill_stopped"
"""To a drill: play nothing more."""


class DrillInput(Frozen):
    """What a drill starts with: its script, and the runbook that its incident follows."""

    script: DrillScript
    runbook: RunbookConfig


class DrillPlayed(Frozen):
    """How a script ended. `played`: its steps that were played."""

    workflow_id: str
    played: int
    of: int
    stopped: bool
