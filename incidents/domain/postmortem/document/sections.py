"""The sections of a post-mortem that people write (runbook, "Post-Mortem Process")."""

from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field

from incidents.domain.core.base import Frozen


class Cause(StrEnum):
    """Category of the cause, for reports."""

    UNKNOWN = "unknown"
    DEPLOYMENT = "deployment"
    CONFIGURATION = "configuration"
    CAPACITY = "capacity"
    DEPENDENCY = "dependency"
    INFRASTRUCTURE = "infrastructure"
    SECURITY = "security"
    OTHER = "other"


class ItemState(StrEnum):
    """State of an action item. `wont_do` counts as settled only with a reason; `gone`: its issue was deleted."""

    OPEN = "open"
    DONE = "done"
    WONT_DO = "wont_do"
    GONE = "gone"


class ActionItem(Frozen):
    """Work that prevents a recurrence.

    `outcome`: acceptance criterion. `untracked`: why it has no issue, such as a tracker that is off. `flag`: problem
    with its issue. `due`: last day, in the organization's time zone.
    """

    id: int
    title: str = Field(min_length=1, max_length=200)
    owner: str = Field(default="", max_length=100)
    due: date | None = None
    outcome: str = Field(default="", max_length=500)
    issue: int | None = None
    issue_url: str = ""
    untracked: str = ""
    state: ItemState = ItemState.OPEN
    reason: str = ""
    flag: str = ""
    since: AwareDatetime | None = None

    @property
    def settled(self) -> bool:
        """Tell whether it is done, or dropped with a reason."""
        return self.state is ItemState.DONE or (self.state is ItemState.WONT_DO and bool(self.reason))

    @property
    def complete(self) -> bool:
        """Tell whether it has a title, owner, due date and acceptance criterion."""
        return bool(self.title and self.owner and self.due and self.outcome)


class Document(Frozen):
    """The written sections. Unwritten ones are empty."""

    summary: str = ""
    cause: Cause = Cause.UNKNOWN
    whys: tuple[str, ...] = ()
    root_cause: str = ""
    well: tuple[str, ...] = ()
    better: tuple[str, ...] = ()
    items: tuple[ActionItem, ...] = ()
    no_items_because: str = ""

    def item(self, number: int) -> ActionItem | None:
        """Return the action item of that number."""
        return next((item for item in self.items if item.id == number), None)

    def with_item(self, item: ActionItem) -> Self:
        """Return the document with that item in place of the one of its number, or as a new one."""
        if self.item(item.id) is None:
            return self.replace(items=(*self.items, item))
        return self.replace(items=tuple(item if old.id == item.id else old for old in self.items))

    @property
    def next_id(self) -> int:
        """The number of the next action item. Numbers are never reused."""
        return max((item.id for item in self.items), default=0) + 1


LARGEST = 100_000
"""Largest document in characters. It is part of the workflow's payloads, which Temporal limits to 2 MB."""


def too_large(document: Document) -> bool:
    """Tell whether a document exceeds `LARGEST`."""
    return len(document.model_dump_json()) > LARGEST


def merge_edits(ours: Document, base: Document, theirs: Document) -> Document:
    """Merge `theirs` (edited from `base`) into `ours`.

    If both changed a text, theirs wins; of lists and action items, both sides' entries are kept.
    """
    changes: dict[str, object] = {}
    for name in (name for name in Document.model_fields if name != "items"):
        own, before, new = (getattr(document, name) for document in (ours, base, theirs))
        if new == before:
            continue
        added = (line for line in own if line not in before and line not in new) if isinstance(new, tuple) else ()
        changes[name] = (*new, *added) if isinstance(new, tuple) else new
    return ours.replace(items=_merged_items(ours, base, theirs), **changes)


def _merged_items(ours: Document, base: Document, theirs: Document) -> tuple[ActionItem, ...]:
    """Return their edited items, plus ours that `base` does not have yet."""
    found = []
    for item in theirs.items:
        own, before = ours.item(item.id), base.item(item.id)
        if own is None and item == before:
            continue  # we removed it meanwhile
        if own is None or before is None:
            clash = own is not None
            found.append(
                item.replace(id=max(ours.next_id, theirs.next_id, base.next_id), issue=None) if clash else item
            )
        else:
            changed = {name: getattr(item, name) for name in _WRITTEN if getattr(item, name) != getattr(before, name)}
            found.append(own.replace(**changed))
    unknown = [item for item in ours.items if base.item(item.id) is None]
    return tuple(sorted((*found, *unknown), key=lambda item: item.id))


_WRITTEN = ("title", "owner", "due", "outcome")
"""Fields of an action item that people write; the program writes the rest."""


def list_missing(document: Document, *, timeline: int, figures: bool, issues: bool = True) -> list[str]:
    """Return what is missing for publication, as text; empty if complete (behaviour 72).

    `timeline`: number of entries; `figures`: whether the impact was computed; `issues`: action items need one.
    """
    lacks = []
    if not timeline:
        lacks.append("empty timeline")
    if not figures:
        lacks.append("impact figures not computed yet")
    if not document.summary.strip():
        lacks.append("no summary")
    if len(document.whys) < 3:
        lacks.append(f"{len(document.whys)} of at least 3 whys")
    if not document.root_cause.strip():
        lacks.append("no root cause yet")
    if not document.well:
        lacks.append('nothing under "What went well"')
    if not document.better:
        lacks.append('nothing under "What could be better"')
    if not document.items and not document.no_items_because.strip():
        lacks.append("no action items, and no reason for that")
    return lacks + [fault for item in document.items for fault in item_faults(item, issue=issues)]


def item_faults(item: ActionItem, *, issue: bool = True) -> list[str]:
    """Return the missing parts of an action item; `issue`: whether it needs one."""
    parts = {
        "owner": bool(item.owner),
        "due date": item.due is not None,
        "acceptance criterion": bool(item.outcome),
        "issue": item.issue is not None or bool(item.untracked) or not issue,
    }
    return [f"action item {item.id} has no {name}" for name, there in parts.items() if not there]
