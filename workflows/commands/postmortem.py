"""The commands of a post-mortem as Temporal messages: each is an update with a validator, and a signal of its name."""

from temporalio import workflow
from temporalio.common import RawValue

from incidents.domain.core.command import Receipt
from incidents.domain.incident.commands import CorrectTime
from incidents.domain.postmortem.commands import (
    AddLine,
    AssignPostmortem,
    EditDocument,
    PublishPostmortem,
    RecordReview,
    ReplaceDocument,
    SetActionItem,
    SettleActionItem,
    SubmitPostmortem,
    WaivePostmortem,
)
from workflows.commands.handlers import CommandHandlers


class PostmortemCommands(CommandHandlers):
    """The handlers of every command of `PostmortemWorkflow`."""

    @workflow.update(name=EditDocument.name, description=EditDocument.help_text)
    def edit(self, command: EditDocument) -> Receipt:
        """Write or replace sections of the document."""
        return self._apply_update(command)

    @edit.validator
    def _validate_edit(self, command: EditDocument) -> None:
        self._validate_update(command)

    @workflow.signal(name=EditDocument.name, description=EditDocument.help_text)
    def edit_signal(self, raw: RawValue) -> None:
        """Take `edit` as a signal: an `EditDocument`."""
        self._apply_signal(EditDocument, raw)

    @workflow.update(name=ReplaceDocument.name, description=ReplaceDocument.help_text)
    def replace(self, command: ReplaceDocument) -> Receipt:
        """Replace all sections by those of a Markdown file."""
        return self._apply_update(command)

    @replace.validator
    def _validate_replace(self, command: ReplaceDocument) -> None:
        self._validate_update(command)

    @workflow.signal(name=ReplaceDocument.name, description=ReplaceDocument.help_text)
    def replace_signal(self, raw: RawValue) -> None:
        """Take `replace` as a signal: a `ReplaceDocument`."""
        self._apply_signal(ReplaceDocument, raw)

    @workflow.update(name=AddLine.name, description=AddLine.help_text)
    def add_line(self, command: AddLine) -> Receipt:
        """Add a line to one of the lists."""
        return self._apply_update(command)

    @add_line.validator
    def _validate_add_line(self, command: AddLine) -> None:
        self._validate_update(command)

    @workflow.signal(name=AddLine.name, description=AddLine.help_text)
    def add_line_signal(self, raw: RawValue) -> None:
        """Take `add_line` as a signal: an `AddLine`."""
        self._apply_signal(AddLine, raw)

    @workflow.update(name=SetActionItem.name, description=SetActionItem.help_text)
    def set_action_item(self, command: SetActionItem) -> Receipt:
        """Add or change an action item."""
        return self._apply_update(command)

    @set_action_item.validator
    def _validate_set_action_item(self, command: SetActionItem) -> None:
        self._validate_update(command)

    @workflow.signal(name=SetActionItem.name, description=SetActionItem.help_text)
    def set_action_item_signal(self, raw: RawValue) -> None:
        """Take `set_action_item` as a signal: a `SetActionItem`."""
        self._apply_signal(SetActionItem, raw)

    @workflow.update(name=SettleActionItem.name, description=SettleActionItem.help_text)
    def settle_action_item(self, command: SettleActionItem) -> Receipt:
        """Close or reopen an action item."""
        return self._apply_update(command)

    @settle_action_item.validator
    def _validate_settle_action_item(self, command: SettleActionItem) -> None:
        self._validate_update(command)

    @workflow.signal(name=SettleActionItem.name, description=SettleActionItem.help_text)
    def settle_action_item_signal(self, raw: RawValue) -> None:
        """Take `settle_action_item` as a signal: a `SettleActionItem`."""
        self._apply_signal(SettleActionItem, raw)

    @workflow.update(name=AssignPostmortem.name, description=AssignPostmortem.help_text)
    def assign(self, command: AssignPostmortem) -> Receipt:
        """Assign the post-mortem to its owner."""
        return self._apply_update(command)

    @assign.validator
    def _validate_assign(self, command: AssignPostmortem) -> None:
        self._validate_update(command)

    @workflow.signal(name=AssignPostmortem.name, description=AssignPostmortem.help_text)
    def assign_signal(self, raw: RawValue) -> None:
        """Take `assign` as a signal: an `AssignPostmortem`."""
        self._apply_signal(AssignPostmortem, raw)

    @workflow.update(name=SubmitPostmortem.name, description=SubmitPostmortem.help_text)
    def submit(self, command: SubmitPostmortem) -> Receipt:
        """Submit the document for review."""
        return self._apply_update(command)

    @submit.validator
    def _validate_submit(self, command: SubmitPostmortem) -> None:
        self._validate_update(command)

    @workflow.signal(name=SubmitPostmortem.name, description=SubmitPostmortem.help_text)
    def submit_signal(self, raw: RawValue) -> None:
        """Take `submit` as a signal: a `SubmitPostmortem`."""
        self._apply_signal(SubmitPostmortem, raw)

    @workflow.update(name=PublishPostmortem.name, description=PublishPostmortem.help_text)
    def publish(self, command: PublishPostmortem) -> Receipt:
        """Publish the post-mortem."""
        return self._apply_update(command)

    @publish.validator
    def _validate_publish(self, command: PublishPostmortem) -> None:
        self._validate_update(command)

    @workflow.signal(name=PublishPostmortem.name, description=PublishPostmortem.help_text)
    def publish_signal(self, raw: RawValue) -> None:
        """Take `publish` as a signal: a `PublishPostmortem`."""
        self._apply_signal(PublishPostmortem, raw)

    @workflow.update(name=WaivePostmortem.name, description=WaivePostmortem.help_text)
    def waive(self, command: WaivePostmortem) -> Receipt:
        """Waive the post-mortem."""
        return self._apply_update(command)

    @waive.validator
    def _validate_waive(self, command: WaivePostmortem) -> None:
        self._validate_update(command)

    @workflow.signal(name=WaivePostmortem.name, description=WaivePostmortem.help_text)
    def waive_signal(self, raw: RawValue) -> None:
        """Take `waive` as a signal: a `WaivePostmortem`."""
        self._apply_signal(WaivePostmortem, raw)

    @workflow.update(name=RecordReview.name, description=RecordReview.help_text)
    def record_review(self, command: RecordReview) -> Receipt:
        """Record the outcome of the review."""
        return self._apply_update(command)

    @record_review.validator
    def _validate_record_review(self, command: RecordReview) -> None:
        self._validate_update(command)

    @workflow.signal(name=RecordReview.name, description=RecordReview.help_text)
    def record_review_signal(self, raw: RawValue) -> None:
        """Take `record_review` as a signal: a `RecordReview`."""
        self._apply_signal(RecordReview, raw)

    @workflow.update(name=CorrectTime.name, description=CorrectTime.help_text)
    def correct_time(self, command: CorrectTime) -> Receipt:
        """Correct a recorded time."""
        return self._apply_update(command)

    @correct_time.validator
    def _validate_correct_time(self, command: CorrectTime) -> None:
        self._validate_update(command)

    @workflow.signal(name=CorrectTime.name, description=CorrectTime.help_text)
    def correct_time_signal(self, raw: RawValue) -> None:
        """Take `correct_time` as a signal: a `CorrectTime`."""
        self._apply_signal(CorrectTime, raw)
