"""What a click on a button means: a command, or a form that makes one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from incidents.domain.chat import forms
from incidents.domain.chat.buttons import SNOOZE_MINUTES, Action, Target
from incidents.domain.chat.form import Form
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command
from incidents.domain.incident import commands
from incidents.domain.incident.commands import Publication
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback import commands as rollback_commands

Values = Mapping[str, str]
_SNOOZED = "Held from the reminder"

DIRECT: dict[Action, Callable[[str, Target], Command]] = {
    Action.ACKNOWLEDGE: lambda by, _: commands.Acknowledge(by=by),
    Action.TAKE_COMMAND: lambda by, _: commands.AssignRole(by=by, role=commands.Role.COMMANDER, person=by),
    Action.ESCALATE: lambda by, target: commands.Escalate(by=by, revision=target.revision),
    Action.APPROVE: lambda by, target: rollback_commands.ApproveRollback(
        by=by, cluster=target.cluster, version=target.version
    ),
    Action.HEALTHY: lambda by, target: rollback_commands.JudgeRollback(by=by, cluster=target.cluster, healthy=True),
    Action.UNHEALTHY: lambda by, target: rollback_commands.JudgeRollback(by=by, cluster=target.cluster, healthy=False),
    Action.NEXT_VERSION: lambda by, target: rollback_commands.RequestRollback(by=by, cluster=target.cluster),
    Action.ROLL_FORWARD: lambda by, target: rollback_commands.RequestRollback(
        by=by, cluster=target.cluster, forward=True
    ),
    Action.SNOOZE: lambda by, _: commands.HoldUpdate(by=by, minutes=SNOOZE_MINUTES, reason=_SNOOZED),
}
"""The command of each button that needs no form. `by`: who clicked."""


@dataclass(frozen=True)
class FormAction:
    """A form and its commands, sent one after the other. The incident is None if no worker could tell its state."""

    form: Callable[[RunbookConfig, Incident | None, Target], Form]
    commands: Callable[[str, Values, Target], tuple[Command, ...]]


def _update(by: str, values: Values, _: Target) -> tuple[Command, ...]:
    when = Publication(values.get("when") or Publication.NOW)
    return (commands.PostUpdate(by=by, text=values.get("text", ""), when=when),)


def _severity(by: str, values: Values, _: Target) -> tuple[Command, ...]:
    severity, reason = values.get("severity", ""), values.get("reason", "")
    return (commands.DeclareSeverity(by=by, severity=severity, reason=reason),)


def _rollback(by: str, values: Values, _: Target) -> tuple[Command, ...]:
    cluster, insist = values.get("cluster", ""), bool(values.get("insist"))
    cluster = "" if cluster == forms.EVERYWHERE else cluster
    return (
        rollback_commands.RequestRollback(by=by, cluster=cluster, forward=bool(values.get("forward")), insist=insist),
    )


def _resolve(by: str, values: Values, _: Target) -> tuple[Command, ...]:
    ticked = {"force": bool(values.get("force")), "now": bool(values.get("now"))}
    return (commands.Resolve(by=by, text=values.get("text", ""), reason=values.get("reason", ""), **ticked),)


def _reopen(by: str, values: Values, _: Target) -> tuple[Command, ...]:
    return (commands.Reopen(by=by, reason=values.get("reason", "")),)


def _decline(by: str, values: Values, target: Target) -> tuple[Command, ...]:
    return (rollback_commands.DeclineRollback(by=by, reason=values.get("reason", ""), cluster=target.cluster),)


def _another(by: str, values: Values, target: Target) -> tuple[Command, ...]:
    if not (version := values.get("version", "").strip()):
        raise ValueError("Name the version.")
    return (rollback_commands.RequestRollback(by=by, cluster=target.cluster, version=version),)


WITH_FORM: dict[Action, FormAction] = {
    Action.UPDATE: FormAction(forms.update_form, _update),
    Action.SEVERITY: FormAction(forms.severity_form, _severity),
    Action.ROLLBACK: FormAction(forms.rollback_form, _rollback),
    Action.RESOLVE: FormAction(forms.resolve_form, _resolve),
    Action.REOPEN: FormAction(forms.reopen_form, _reopen),
    Action.DECLINE: FormAction(forms.decline_form, _decline),
    Action.ANOTHER: FormAction(forms.another_form, _another),
}
