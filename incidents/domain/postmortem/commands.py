"""What responders can tell a post-mortem. Each command is a Temporal update and a signal of the same name."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime, Field, field_validator, model_validator

from incidents.domain.core.instants import day_fault
from incidents.domain.incident.commands import Command
from incidents.domain.postmortem.document import LARGEST, Cause, ItemState


class EditDocument(Command):
    """Replace what a section says. What is not given stays; a list that is given replaces the whole list."""

    name = "edit"
    says = "Write or replace the summary, the cause, the whys, the root cause, or the two lists."
    summary: str | None = Field(default=None, max_length=10_000)
    cause: Cause | None = None
    whys: tuple[str, ...] | None = None
    root_cause: str | None = Field(default=None, max_length=5_000)
    well: tuple[str, ...] | None = None
    better: tuple[str, ...] | None = None
    no_items_because: str | None = Field(default=None, max_length=2_000)

    @property
    def changes(self) -> dict[str, object]:
        """What is to be replaced: field to value."""
        fields = ("summary", "cause", "whys", "root_cause", "well", "better", "no_items_because")
        return {name: value for name in fields if (value := getattr(self, name)) is not None}

    @model_validator(mode="after")
    def _something(self) -> "EditDocument":
        if not self.changes:
            raise ValueError("nothing to change: say which section, such as --summary")
        return self


class ReplaceDocument(Command):
    """Take all sections from a Markdown file in the draft's form."""

    name = "replace"
    says = "Take all sections from a Markdown file in the draft's form."
    markdown: str = Field(min_length=1, max_length=LARGEST)


class Section(StrEnum):
    """The lists that grow line by line."""

    WHYS = "whys"
    WELL = "well"
    BETTER = "better"


class AddLine(Command):
    """Add a line to the whys or to one of the two lists."""

    name = "add_line"
    says = "Add a why, something that went well, or something that could be better."
    section: Section
    text: str = Field(min_length=1, max_length=2_000)


class SetActionItem(Command):
    """Add an action item, or (with its `number`) change one. What is not given stays."""

    name = "set_action_item"
    says = "Add an action item, or change one: what, who, by when, and how one will see it."
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
    """Say that an action item is done, will not be done (with a reason), or is open again."""

    name = "settle_action_item"
    says = "An action item is done, will not be done (with a reason), or is open again."
    number: int = Field(ge=1)
    state: ItemState
    reason: str = Field(default="", max_length=2_000)

    @field_validator("state")
    @classmethod
    def _by_hand(cls, state: ItemState) -> ItemState:
        if state is ItemState.GONE:
            raise ValueError("state is done, wont_do or open")
        return state

    @model_validator(mode="after")
    def _reasoned(self) -> "SettleActionItem":
        if self.state is ItemState.WONT_DO and not self.reason.strip():
            raise ValueError("what will not be done needs a reason (BEHAVIOURS 74)")
        return self


class AssignPostmortem(Command):
    """Give the post-mortem to somebody. Without a person it falls back to the commander, then to the manager."""

    name = "assign"
    says = "Make somebody the owner of the post-mortem."
    person: str = Field(default="", max_length=100)


class SubmitPostmortem(Command):
    """Say that the document is complete and ready to be read by others."""

    name = "submit"
    says = "The document is complete: have it read. What is missing is listed."


class PublishPostmortem(Command):
    """Publish the document. Without `url`, where the program put it counts."""

    name = "publish"
    says = "Publish the post-mortem: the deadline is met, its action items and its review are followed."
    url: str = Field(default="", max_length=2000)

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: str) -> str:
        if url and not url.startswith(("https://", "http://")):
            raise ValueError("the address begins with https://")
        return url


class WaivePostmortem(Command):
    """Do without a post-mortem. It is recorded who decided so, and why."""

    name = "waive"
    says = "Do without a post-mortem, with a reason."
    reason: str = Field(min_length=1, max_length=2000)


class RecordReview(Command):
    """Record what came of the review at the engineering all-hands."""

    name = "record_review"
    says = "Record what came of the review at the all-hands."
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
