"""The post-mortem section of runbook.yaml: deadline, action items, review."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum

from dateutil.rrule import rrulestr
from pydantic import Field, field_validator, model_validator

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.calendar import Zone
from incidents.domain.core.time.duration import Duration, Term


class Proposal(StrEnum):
    """How the draft is proposed in the repository."""

    PULL_REQUEST = "pull_request"
    ISSUE = "issue"
    NONE = "none"


class ItemRules(Frozen):
    """How action items are followed. `check_every`: polling interval of their issues, besides webhooks.

    `private_issues`: those of a private incident become issues, too. Only for a repository that is itself private;
    otherwise they stay in the record (behaviour 100).
    """

    labels: tuple[str, ...] = ("action-item",)
    check_every: Duration = timedelta(minutes=15)
    chase_every: Duration = timedelta(days=7)
    private_issues: bool = False


class ReviewRules(Frozen):
    """The engineering all-hands: an RFC 5545 rule counted from the day `since`, at the wall-clock time `at` of a zone.

    `notice`: a post-mortem that is published later than this before a meeting goes to the next one.
    """

    rule: str = "FREQ=WEEKLY;BYDAY=TH"
    since: date = date(2026, 1, 1)
    at: time = time(16)
    lasts: Duration = timedelta(hours=1)
    time_zone: Zone = "UTC"
    notice: Duration = timedelta(hours=2)
    remind_before: Duration = timedelta(days=1)
    invite: tuple[str, ...] = ("engineering_manager",)

    @field_validator("rule")
    @classmethod
    def _recurs(cls, rule: str) -> str:
        try:
            rrulestr(rule)
        except ValueError as error:
            raise ValueError(f"{rule!r} is not a recurrence rule (RFC 5545): {error}") from None
        if "COUNT=" in rule.upper() or "UNTIL=" in rule.upper():
            raise ValueError("the meeting must not end: remove COUNT and UNTIL")
        return rule

    @model_validator(mode="after")
    def _takes_place(self) -> "ReviewRules":
        first = rrulestr(self.rule, dtstart=datetime.combine(self.since, time()))
        if first.after(datetime.combine(self.since, time()), inc=True) is None:
            raise ValueError(f"{self.rule!r} matches no day")
        return self


class PostmortemPolicy(Frozen):
    """When the post-mortem is due, who is reminded, and where it goes.

    `executive` is notified when it is overdue by `executive_after`. `folder`: where the repository keeps post-mortems.
    """

    within: Term = Term(elapsed=timedelta(hours=48))
    remind_before: tuple[Duration, ...] = (timedelta(hours=24), timedelta(hours=4), timedelta())
    overdue_every: Duration = timedelta(hours=24)
    manager: str = "engineering_manager"
    executive: str = "vp_engineering"
    executive_after: Duration = timedelta(hours=48)
    proposal: Proposal = Proposal.PULL_REQUEST
    folder: str = Field(default="postmortems", pattern=r"^[\w./-]*$")
    base: str = "main"
    labels: tuple[str, ...] = ("postmortem",)
    rewrite_after: Duration = timedelta(seconds=10)
    read_back_every: Duration = timedelta(minutes=5)
    items: ItemRules = ItemRules()
    review: ReviewRules = ReviewRules()
    blaming: tuple[str, ...] = ()
