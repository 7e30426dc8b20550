"""What people write into a post-mortem: the part that no program can write (runbook, "Post-Mortem Process")."""

from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field

from incidents.domain.core.base import Frozen


class Cause(StrEnum):
    """What kind of thing broke, for the reports."""

    UNKNOWN = "unknown"
    DEPLOYMENT = "deployment"
    CONFIGURATION = "configuration"
    CAPACITY = "capacity"
    DEPENDENCY = "dependency"
    INFRASTRUCTURE = "infrastructure"
    SECURITY = "security"
    OTHER = "other"


class ItemState(StrEnum):
    """Where an action item stands. `wont_do` counts as settled only with a reason; `gone`: its issue is not there."""

    OPEN = "open"
    DONE = "done"
    WONT_DO = "wont_do"
    GONE = "gone"


class ActionItem(Frozen):
    """Something that will be done so that it does not happen again.

    `outcome`: how one will see that it is done. `untracked`: why it has no issue, such as a tracker that is off.
    `flag`: what is wrong with its issue. `due`: the last day, in the organisation's zone.
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
        """Tell whether nothing more is to be done about it."""
        return self.state is ItemState.DONE or (self.state is ItemState.WONT_DO and bool(self.reason))

    @property
    def complete(self) -> bool:
        """Tell whether it says what, who, by when, and how one will see it."""
        return bool(self.title and self.owner and self.due and self.outcome)


class Document(Frozen):
    """The sections that people fill. A section that nobody has written yet is empty."""

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
        """The number of the next action item. Numbers are never given twice."""
        return max((item.id for item in self.items), default=0) + 1


LARGEST = 100_000
"""Characters of a document. It travels with its process, whose messages Temporal limits to two megabytes."""


def too_large(document: Document) -> bool:
    """Tell whether a document is larger than anybody would read."""
    return len(document.model_dump_json()) > LARGEST


def merge_edits(ours: Document, base: Document, theirs: Document) -> Document:
    """Return the document with what they changed since `base`, and all that we changed meanwhile.

    Where both wrote the same text, theirs counts; of lists the lines of both are kept, and of action items each.
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
    """Return their items as they changed them, and ours that they could not know of yet."""
    found = []
    for item in theirs.items:
        own, before = ours.item(item.id), base.item(item.id)
        if own is None and item == before:
            continue  # we have taken it out meanwhile
        if own is None or before is None:
            clash = own is not None
            found.append(
                item.replace(id=max(ours.next_id, theirs.next_id, base.next_id), issue=None) if clash else item
            )
        else:
            told = {name: getattr(item, name) for name in _TOLD if getattr(item, name) != getattr(before, name)}
            found.append(own.replace(**told))
    unknown = [item for item in ours.items if base.item(item.id) is None]
    return tuple(sorted((*found, *unknown), key=lambda item: item.id))


_TOLD = ("title", "owner", "due", "outcome")
"""What people write of an action item; the rest is the program's."""


def list_missing(document: Document, *, timeline: int, figures: bool) -> list[str]:
    """Return what a complete post-mortem still lacks, in words; nothing if it may be published (BEHAVIOURS 72).

    `timeline`: how many entries it has; `figures`: whether the impact was computed.
    """
    lacks = []
    if not timeline:
        lacks.append("the timeline is empty")
    if not figures:
        lacks.append("the impact figures are not computed yet")
    if not document.summary.strip():
        lacks.append("the summary is empty")
    if len(document.whys) < 3:
        lacks.append(f"{len(document.whys)} of at least 3 whys")
    if not document.root_cause.strip():
        lacks.append("the whys end in no root cause")
    if not document.well:
        lacks.append('"What went well" is empty')
    if not document.better:
        lacks.append('"What could be better" is empty')
    if not document.items and not document.no_items_because.strip():
        lacks.append("no action item, and no reason why there is none")
    return lacks + [fault for item in document.items for fault in item_faults(item)]


def item_faults(item: ActionItem) -> list[str]:
    """Return what an action item lacks."""
    wanted = {
        "owner": bool(item.owner),
        "due date": item.due is not None,
        "verifiable outcome": bool(item.outcome),
        "GitHub issue": item.issue is not None or bool(item.untracked),
    }
    return [f"action item {item.id} has no {name}" for name, there in wanted.items() if not there]
