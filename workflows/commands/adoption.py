"""The command that moves an incident to another runbook: an update with a validator, and a signal of its name.

It stands apart from the other commands, because it changes the workflow's input, too: continue-as-new carries it on.
"""

from temporalio import workflow
from temporalio.common import RawValue

from incidents.domain.adoption.adoption import AdoptRunbook
from incidents.domain.core.command import Receipt
from workflows.commands.handlers import CommandHandlers


class AdoptionCommand(CommandHandlers):
    """The handlers of `AdoptRunbook`; of `IncidentWorkflow`."""

    @workflow.update(name=AdoptRunbook.name, description=AdoptRunbook.help_text)
    def adopt_runbook(self, command: AdoptRunbook) -> Receipt:
        """Move the incident to another runbook."""
        return self._apply_update(command)

    @adopt_runbook.validator
    def _validate_adopt_runbook(self, command: AdoptRunbook) -> None:
        self._validate_update(command)

    @workflow.signal(name=AdoptRunbook.name, description=AdoptRunbook.help_text)
    def adopt_runbook_signal(self, raw: RawValue) -> None:
        """Take `adopt_runbook` as a signal: an `AdoptRunbook`."""
        self._apply_signal(AdoptRunbook, raw)
