"""The activities of the chaos run: they take a moment, and record each effect in the ledger."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.processes import WorkflowQueries
from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest as Request
from incidents.domain.activity_results import ActivityResult, NumberAllocated, ResourcesChanged
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.incident.state import Resources
from incidents.domain.rollback.verification import Verdict
from tests.chaos.ledger import ActivityRequest, Ledger
from tests.support.fake_activities import FakeActivities

EFFECTS = frozenset(
    {
        "send_page",
        "settle_page",
        "open_channel",
        "invite",
        "add_bookmark",
        "post_message",
        "direct_message",
        "publish_status",
        "send_mail",
        "open_ticket",
        "comment_ticket",
        "open_bridge",
        "redeploy",
    }
)
"""What people notice when it happens twice. All else only reads, or brings something up to date."""

SECONDS = (0.0, 0.15)
"""How long it takes before and after the effect, so that a kill can fall on either side."""
VERIFYING = (0.5, 2.0)
"""How long the verification of a region takes."""


@dataclass
class LedgerActivities(FakeActivities):
    """Every activity, with the real ones where they ask Temporal itself.

    A vendor is asked the way our activities ask it: the first attempt acts at once, a later one and one that is told
    `again` first look whether an earlier one has left its mark. So an effect that stands twice in the ledger was
    requested twice.
    """

    client: Client | None = None
    ledger: Ledger = field(kw_only=True)

    def methods(self) -> list[Callable[..., Any]]:
        """Return the activities for a worker."""
        assert self.client is not None
        processes = WorkflowQueries(self.client)
        real = (processes.follow_rollback, processes.find_lock_holder)
        names = {method.__name__ for method in real}
        return [*real, *(method for method in super().methods() if method.__name__ not in names)]

    def _take(self, name: str, effect: Request) -> None:
        info = activity.info()
        chance = random.Random(f"{effect.key}/{info.attempt}")
        if name == "verify_region":
            time.sleep(chance.uniform(*VERIFYING))
            self.verdict = chance.choice((Verdict.HEALTHY, Verdict.UNHEALTHY, Verdict.UNHEALTHY))
        time.sleep(chance.uniform(*SECONDS))
        if name in EFFECTS:
            self._act(name, effect, info.attempt)
        time.sleep(chance.uniform(*SECONDS))

    def _act(self, name: str, effect: Request, attempt: int) -> None:
        """Have the effect, once. An attempt that was paused until its time was up leaves it to the next one."""
        if (attempt > 1 or effect.again) and self.ledger.has(effect.key):
            return
        info = activity.info()
        limit = info.start_to_close_timeout
        if limit is not None and datetime.now(UTC) >= info.started_time + limit:
            raise ApplicationError("this attempt was paused for too long", type="TooLate")
        self.ledger.append(ActivityRequest(name=name, key=effect.key, attempt=attempt))

    def _answer(self, effect: Request) -> ActivityResult:
        # What the fake counts, every worker process would count anew.
        match effect:
            case activity_requests.AllocateNumber():
                return NumberAllocated(number=1)
            case activity_requests.KeepDocument():
                self.ledger.keep(f"{effect.folder}/{effect.name}", effect.text)
            case chat_requests.OpenChannel():
                return ResourcesChanged(resources=Resources(channel_id="C1", channel_name=effect.name))
        return super()._answer(effect)
