"""The commands that the pages offer, in the order of their buttons."""

from dataclasses import dataclass
from urllib.parse import urlencode

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command
from incidents.domain.core.status import Status
from incidents.domain.incident import commands
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.people.permissions import Permissions
from incidents.domain.rollback import commands as rollback_commands
from incidents.domain.rollback.state import RollbackStatus
from incidents.gateway.web.action import Action, Field, Fields, Input


def _live(incident: Incident) -> bool:
    return not incident.over


def _not_closed(incident: Incident) -> bool:
    return not incident.closed


def _fields(*fields: Field) -> Fields:
    return lambda incident, runbook: fields


def _severity_fields(incident: Incident, runbook: RunbookConfig) -> tuple[Field, ...]:
    choices = tuple((name, f"{name} {policy.name}: {policy.definition}") for name, policy in runbook.severities.items())
    return Field("severity", "Severity", Input.CHOICE, required=True, choices=choices), _REASON


def _failed_steps(incident: Incident) -> tuple[str, ...]:
    """Return what failed for good: steps of the checklist, and other obligations by their keys."""
    steps = [str(state.step) for state in incident.steps if state.status == StepStatus.FAILED]
    return tuple(dict.fromkeys((*steps, *(failure.key for failure in incident.ledger.failures))))


def _step_fields(incident: Incident, runbook: RunbookConfig) -> tuple[Field, ...]:
    choices = tuple((name, name) for name in _failed_steps(incident))
    ways = (("retry", "try it again"), ("done", "it was done by hand"), ("skip", "skip it"))
    return (
        Field("step", "What failed", Input.CHOICE, required=True, choices=choices),
        Field("how", "What to do", Input.CHOICE, required=True, choices=ways),
        Field("reason", "Reason", hint="Needed to skip it."),
    )


def _rollback_fields(incident: Incident, runbook: RunbookConfig) -> tuple[Field, ...]:
    clusters = dict.fromkeys(region.cluster for region in runbook.regions_of(incident.service))
    return (
        Field("cluster", "Cluster", Input.CHOICE, choices=(("", "all"), *((name, name) for name in clusters))),
        Field("version", "Version", hint="Empty: the newest one that is known-good."),
        Field("forward", "Roll forward: undo a rollback that did not help", Input.CHECK),
        Field("insist", "Despite a newer deployment or a recovered region", Input.CHECK),
    )


_REASON = Field("reason", "Reason", Input.TEXT)
_NEEDED_REASON = Field("reason", "Reason", Input.TEXT, required=True)
_CLUSTER = Field("cluster", "", Input.HIDDEN)
_VERSION = Field("version", "", Input.HIDDEN)
"""The candidate as the reader saw it: if another one is offered by now, its approval is refused."""
_REVISION = Field("revision", "", Input.HIDDEN)
"""The incident's as the reader saw it: if it has turned since, an escalation is refused (behaviour 46)."""
_WHEN = (
    (str(commands.Publication.NOW), "now"),
    (str(commands.Publication.NEXT), "with the next scheduled update"),
    (str(commands.Publication.DRAFT), "not yet: save it as a draft"),
)
_ROLES = tuple((str(role), str(role)) for role in commands.Role)
_READ_BY_CUSTOMERS = "Customers read these words."
_OWN_WORDS = f"{_READ_BY_CUSTOMERS} Empty: the runbook's own."
_HEALTHY = Field(
    "healthy", "Is service healthy?", Input.CHOICE, True, (("false", "no, unhealthy"), ("true", "yes, healthy"))
)
_RESTORED = Field("restored", "Is service restored?", Input.CHOICE, True, (("true", "yes"), ("false", "not yet")))

ACTIONS = (
    Action(
        "acknowledge",
        "Acknowledge",
        commands.Acknowledge,
        lambda incident: _live(incident) and not incident.paging.attended,
        _fields(),
        "primary",
        asks=False,
    ),
    Action(
        "approve",
        "Approve rollback",
        rollback_commands.ApproveRollback,
        _live,
        _fields(_CLUSTER, _VERSION),
        "primary",
        asks=False,
        clusters=(RollbackStatus.OFFERED,),
    ),
    Action(
        "decline",
        "Decline rollback",
        rollback_commands.DeclineRollback,
        _not_closed,
        _fields(_NEEDED_REASON, _CLUSTER),
        clusters=(RollbackStatus.OFFERED, RollbackStatus.HELD, RollbackStatus.UNHEALTHY, RollbackStatus.FAILED),
    ),
    Action(
        "verdict",
        "Verdict",
        rollback_commands.JudgeRollback,
        _not_closed,
        _fields(_HEALTHY, _REASON, _CLUSTER),
        clusters=(RollbackStatus.UNDECIDED, RollbackStatus.INCONCLUSIVE),
    ),
    Action("command", "Take command", commands.AssignRole, _live, _fields(), asks=False, takes_command=True),
    Action(
        "update",
        "Update",
        commands.PostUpdate,
        _live,
        _fields(
            Field("text", "Text", Input.TEXT, required=True, hint=_READ_BY_CUSTOMERS),
            Field("when", "Publish", Input.CHOICE, required=True, choices=_WHEN),
        ),
    ),
    Action(
        "note",
        "Note",
        commands.AddNote,
        _not_closed,
        _fields(Field("text", "Note", Input.TEXT, required=True, hint="For responders only.")),
    ),
    Action(
        "assess",
        "Assess",
        commands.Assess,
        _live,
        _fields(
            Field("impact", "Impact", Input.TEXT, required=True, hint=_READ_BY_CUSTOMERS),
            Field("complete_outage", "Complete outage", Input.CHECK),
            Field("customers", "Affected customers", hint="Names as in runbook.yaml, with commas between."),
            Field("services", "Affected services", hint="With commas between."),
            Field("title", "Public title", hint=f"{_READ_BY_CUSTOMERS} Empty: as it is."),
        ),
    ),
    Action("severity", "Severity", commands.DeclareSeverity, _live, _severity_fields),
    Action("escalate", "Escalate", commands.Escalate, _live, _fields(_REASON, _REVISION)),
    Action(
        "monitor",
        "Mitigated",
        commands.Monitor,
        lambda incident: _live(incident) and incident.status != Status.MONITORING,
        _fields(Field("text", "Text", Input.TEXT, hint=_OWN_WORDS)),
    ),
    Action(
        "resolve",
        "Resolve",
        commands.Resolve,
        _live,
        _fields(
            Field("text", "Text", Input.TEXT, hint=_OWN_WORDS),
            Field("force", "Also while an alert still fires", Input.CHECK),
            Field("now", "Do not wait for a running rollback", Input.CHECK),
            Field("reason", "Reason", hint="Needed for each of the two."),
        ),
    ),
    Action(
        "reopen",
        "Reopen",
        commands.Reopen,
        lambda incident: incident.status == Status.RESOLVED and not incident.closed,
        _fields(_NEEDED_REASON),
    ),
    Action("step", "Settle a failed step", commands.SettleStep, lambda found: bool(_failed_steps(found)), _step_fields),
    Action(
        "role",
        "Role",
        commands.AssignRole,
        _live,
        _fields(
            Field("role", "Role", Input.CHOICE, required=True, choices=_ROLES),
            Field("person", "Person", hint="A name, or a contact of the runbook."),
            Field("unassign", "Leave the role empty", Input.CHECK),
        ),
        seldom=True,
    ),
    Action(
        "hold",
        "Hold the next update",
        commands.HoldUpdate,
        _live,
        _fields(Field("minutes", "Minutes", required=True), _NEEDED_REASON),
        seldom=True,
    ),
    Action("rollback", "Roll back", rollback_commands.RequestRollback, _live, _rollback_fields, seldom=True),
    Action(
        "flag",
        "Flag a release",
        rollback_commands.FlagRelease,
        _not_closed,
        _fields(Field("version", "Version", required=True), _NEEDED_REASON),
        seldom=True,
    ),
    Action(
        "confirm",
        "Confirm recovery",
        commands.ConfirmRecovery,
        lambda incident: incident.status != Status.CANCELLED and not incident.closed,
        _fields(_RESTORED, Field("customer", "Customer", hint="Empty: you."), Field("note", "What they reported")),
        seldom=True,
    ),
    Action(
        "private",
        "Make private",
        commands.MakePrivate,
        lambda incident: not incident.private and not incident.closed,
        _fields(_NEEDED_REASON),
        seldom=True,
    ),
    Action("cancel", "Cancel: false alarm", commands.Cancel, _live, _fields(_NEEDED_REASON), seldom=True),
)
ELSEWHERE: tuple[type[Command], ...] = (
    commands.Merge,
    commands.Unmerge,
    commands.StartPostmortem,
    commands.ReviewDrill,
    commands.CorrectTime,
)
"""Commands that only the command line and Slack have: none is done in a hurry."""
_BY_PATH = {action.path: action for action in ACTIONS}


@dataclass(frozen=True)
class Button:
    """A link to an action of an incident. `seldom`: it is among the further ones."""

    href: str
    label: str
    style: str
    seldom: bool


def find_action(path: str) -> Action | None:
    """Return the action of that part of an address."""
    return _BY_PATH.get(path)


def offered_version(action: Action, incident: Incident, cluster: str) -> str:
    """Return the version that an approval is about; "" of another command, or of offers of several versions."""
    if action.command is not rollback_commands.ApproveRollback:
        return ""
    offers = [state.offer for state in incident.rollback.clusters if state.status in action.clusters]
    found = {offer.candidate.version for offer in offers if offer.candidate and cluster in ("", offer.cluster)}
    return found.pop() if len(found) == 1 else ""


def buttons(incident: Incident, href: str, reader: str, permissions: Permissions) -> list[Button]:
    """Return the buttons of what the incident offers now and this reader may do. `href`: of its page."""
    allowed = (action for action in ACTIONS if not permissions.refusal(action.command.name, reader))
    offered = [action for action in allowed if action.offered(incident)]
    if incident.roles.commander == reader:
        offered = [action for action in offered if not action.takes_command]
    return [button for action in offered for button in _buttons_of(action, incident, href)]


def _buttons_of(action: Action, incident: Incident, href: str) -> list[Button]:
    address = f"{href}/do/{action.path}"
    if not action.clusters:
        return [Button(address, action.label, action.style, action.seldom)]
    waiting = [state.offer.cluster for state in incident.rollback.clusters if state.status in action.clusters]
    return [
        Button(f"{address}?{urlencode({'cluster': cluster})}", f"{action.label} of {cluster}", action.style, False)
        for cluster in waiting
    ]
