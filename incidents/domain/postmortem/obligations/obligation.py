"""One obligation of a post-mortem, and what the program knows about its kind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic

from pydantic import AwareDatetime

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, Result
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.keys import Key
from incidents.domain.core.postponing import Postpones
from incidents.domain.postmortem.postmortem import Postmortem, Stage


class PostmortemObligationKind(StrEnum):
    """Kinds of obligations of a post-mortem."""

    WRITE = "write"
    PROPOSE = "propose"
    READ = "read"
    ANNOUNCE = "announce"
    REMIND = "remind"
    MAIL = "mail"
    DIRECT_MESSAGE = "direct_message"
    BREACH = "breach"
    OPEN_ISSUE = "open_issue"
    CLOSE_ISSUE = "close_issue"
    RECORD_INCIDENT = "record_incident"
    WATCH = "watch"
    CHASE = "chase"
    INVITE = "invite"
    REVIEW_REMINDER = "review_reminder"
    NOT_REVIEWED = "not_reviewed"
    COMPLETE = "complete"
    RECORD = "record"
    REPORT_FAULT = "report_fault"
    ARCHIVE = "archive"


class PostmortemObligation(Frozen):
    """One obligation of the post-mortem, like `incidents.domain.obligation.Obligation`.

    `item`: the number of its action item, or of its fault. `count`: the number of the reminder, the first is 0.
    """

    key: Key
    kind: PostmortemObligationKind
    due: AwareDatetime
    since: AwareDatetime
    summary: str
    item: int = 0
    count: int = 0


def owe(
    kind: PostmortemObligationKind, key: Key, due: datetime, summary: str, *, item: int = 0, count: int = 0
) -> PostmortemObligation:
    """Return an obligation that is due at that time, for a cause of the same time."""
    return PostmortemObligation(key=key, kind=kind, due=due, since=due, summary=summary, item=item, count=count)


@dataclass(frozen=True)
class Due:
    """An obligation that is fulfilled: by which runbook, and when (`at`: workflow time, aware UTC)."""

    obligation: PostmortemObligation
    runbook: RunbookConfig
    at: datetime


Derive = Callable[[Postmortem, RunbookConfig], Iterator[PostmortemObligation]]
BuildRequest = Callable[[Postmortem, Due], ActivityRequest[Result] | Result]
ApplyDue = Callable[[Postmortem, Due], Postmortem]
ApplyResult = Callable[[Postmortem, Due, Result], Postmortem]
ApplyBegun = Callable[[Postmortem], Postmortem]

ALWAYS = frozenset(Stage)
OPEN = ALWAYS - {Stage.WAIVED, Stage.COMPLETED}
ACTIVE = OPEN - {Stage.WITHDRAWN}
PUBLISHED = frozenset({Stage.PUBLISHED})
UNPUBLISHED = ACTIVE - PUBLISHED
OVER = frozenset({Stage.PUBLISHED, Stage.WAIVED, Stage.COMPLETED})


@dataclass(frozen=True)
class Owed:
    """A function that derives obligations, in these stages. `survives`: also when the agenda cannot be derived."""

    derive: Derive
    stages: frozenset[Stage]
    survives: bool = False


def keep_begun(postmortem: Postmortem) -> Postmortem:
    """Change nothing beyond what every attempt changes. The default of `PostmortemSpec.apply_begun`."""
    return postmortem


def keep_result(postmortem: Postmortem, due: Due, result: ActivityResult) -> Postmortem:
    """Change nothing beyond what every result changes. The default of `PostmortemSpec.apply_result`."""
    return postmortem


_POLLED_FOR = timedelta(days=7)


@dataclass(frozen=True)
class PostmortemSpec(Generic[Result]):
    """One kind of obligation, and what its requests return.

    It is fulfilled by `build_request` (an activity) or `apply_due` (a change of state).

    `poll`: an answer is waited for; what each attempt changes, however it ends. It is asked again whatever the answer
    was, retried for long, and cancelled when no longer needed. `apply_begun` and `apply_result` are what else an
    attempt and a success change. `silent`: success is not worth a timeline entry. `logs_itself`: `apply_result` writes
    the entry. `housekeeping`: not among "up next". `postpones`: a
    failure is tried again later, and why.
    """

    kind: PostmortemObligationKind
    owed: Owed
    build_request: BuildRequest[Result] | None = None
    apply_due: ApplyDue | None = None
    poll: ApplyDue | None = None
    apply_begun: ApplyBegun = keep_begun
    apply_result: ApplyResult[Result] = keep_result
    silent: bool = False
    logs_itself: Callable[[Result], bool] = lambda result: False
    housekeeping: bool = False
    postpones: Postpones | None = None

    def retry_for(self, runbook: RunbookConfig) -> timedelta:
        """Return how long a failing obligation is retried before it counts as failed, or is postponed."""
        if self.poll is not None:
            return _POLLED_FOR
        return runbook.retry_for.others if self.postpones else runbook.retry_for.publish
