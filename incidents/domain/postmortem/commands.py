"""Post-mortem commands. Each is a Temporal update and a signal of the same name."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime, Field, field_validator, model_validator

from incidents.domain.core.command import Command
from incidents.domain.core.time.instants import day_fault
from incidents.domain.postmortem.document.sections import LARGEST, Cause, ItemState


class EditDocument(Command):
    """Replace sections. Omitted ones stay; a list replaces the whole list."""

    name = "edit"
    help_text = "Write or replace the summary, the cause, the whys, the root cause, or the two lists."
    summary: str | None = Field(default=None, max_length=10_000)
    cause: Cause | None = None
    whys: tuple[str, ...] | None = None
    root_cause: str | None = Field(default=None, max_length=5_000)
    well: tuple[str, ...] | None = None
    better: tuple[str, ...] | None = None
    no_items_because: str | None = Field(default=None, max_length=2_000)

    @property
    def changes(self) -> dict[str, object]:
        """Fields to replace, with their values."""
        fields = ("summary", "cause", "whys", "root_cause", "well", "better", "no_items_because")
        return {name: value for name in fields if (value := getattr(self, name)) is not None}

    @model_validator(mode="after")
    def _something(self) -> "EditDocument":
        if not self.changes:
            raise ValueError("no section given; use an option such as --summary")
        return self


class ReplaceDocument(Command):
    """Replace all sections from Markdown in the draft's format."""

    name = "replace"
    help_text = "Replace all sections from Markdown in the draft's format."
    markdown: str = Field(min_length=1, max_length=LARGEST)


class Section(StrEnum):
    """List sections, to which lines are added."""

    WHYS = "whys"
    WELL = "well"
    BETTER = "better"


class AddLine(Command):
    """Add a line to the whys or to one of the two lists."""

    name = "add_line"
    help_text = "Add a why, something that went well, or something that could be better."
    section: Section
    text: str = Field(min_length=1, max_length=2_000)


class SetActionItem(Command):
    """Add an action item, or (with its `number`) change one. Omitted fields stay."""

    name = "set_action_item"
    help_text = "Add or change an action item: title, owner, due date, acceptance criterion."
    number: int = Field(default=0, ge=0)
    title: str = Field(default="", max_length=200)
    owner: str = Field(default="", max_length=100)
    due: date | None = None
    outcome: str = Field(default="", max_length=500)

    @field_validator("due")
    @classmethod
    def _in_bounds(cls, due: date | None) -> date | None:
        if why := day_fault(due):
            raise ValueError(why)
        return due

    @model_validator(mode="after")
    def _named(self) -> "SetActionItem":
        if not self.number and not self.title:
            raise ValueError("a new action item needs a title")
        return self


class SettleActionItem(Command):
    """Mark an action item as done, as won't do (with a reason), or reopen it."""

    name = "settle_action_item"
    help_text = "Mark an action item as done, as won't do (with a reason), or reopen it."
    number: int = Field(ge=1)
    state: ItemState
    reason: str = Field(default="", max_length=2_000)

    @field_validator("state")
    @classmethod
    def _by_hand(cls, state: ItemState) -> ItemState:
        if state is ItemState.GONE:
            raise ValueError("state must be done, wont_do or open")
        return state

    @model_validator(mode="after")
    def _reasoned(self) -> "SettleActionItem":
        if self.state is ItemState.WONT_DO and not self.reason.strip():
            raise ValueError("won't do needs a reason")
        return self


class AssignPostmortem(Command):
    """Assign the owner. Without a person: the commander, or else the manager."""

    name = "assign"
    help_text = "Assign the owner of the post-mortem."
    person: str = Field(default="", max_length=100)


class SubmitPostmortem(Command):
    """Submit the complete document for review."""

    name = "submit"
    help_text = "Submit for review. Rejected with the list of missing sections if incomplete."


class PublishPostmortem(Command):
    """Publish the document. Default `url`: the pull request or draft."""

    name = "publish"
    help_text = "Publish the post-mortem and start following its action items and review."
    url: str = Field(default="", max_length=2000)

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: str) -> str:
        if url and not url.startswith(("https://", "http://")):
            raise ValueError("the URL must start with https:// or http://")
        return url


class WaivePostmortem(Command):
    """Waive the post-mortem. The author and reason are recorded."""

    name = "waive"
    help_text = "Waive the post-mortem, with a reason."
    reason: str = Field(min_length=1, max_length=2000)


class RecordReview(Command):
    """Record the outcome of the review at the engineering all-hands."""

    name = "record_review"
    help_text = "Record the outcome of the review at the all-hands."
    outcome: str = Field(min_length=1, max_length=5000)
    at: AwareDatetime | None = None


POSTMORTEM_COMMANDS: tuple[type[Command], ...] = (
    EditDocument,
    ReplaceDocument,
    AddLine,
    SetActionItem,
    SettleActionItem,
    AssignPostmortem,
    SubmitPostmortem,
    PublishPostmortem,
    WaivePostmortem,
    RecordReview,
)
