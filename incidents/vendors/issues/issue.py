"""An issue and its comments, as every issue tracker returns them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Issue:
    """An issue. `state_reason` tells "completed" from "not_planned"; "" if it was never closed."""

    number: int
    url: str
    title: str
    body: str
    state: str
    state_reason: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    closed_at: datetime | None


@dataclass(frozen=True)
class Comment:
    """A comment on an issue."""

    id: int
    url: str
    body: str
