"""A virtual world with the real activities: what went out, when and in which words is read back from the sandbox."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from temporalio.worker import Worker

from activities.registry import ActivitySet
from incidents.app.composition.workers import make_worker
from incidents.contracts import AlertBatch
from incidents.domain.config.model import RunbookConfig
from incidents.rehearsal.fitting import calm, closing_alone
from incidents.rehearsal.server import VendorsClock
from sandbox.server import RunningSandbox
from tests.support.environment import QUEUE, World, an_alert

T0 = datetime(2030, 1, 7, 14, 0, tzinfo=UTC)
"""A Monday. Each story begins then, so that its texts are always the same."""


@dataclass(frozen=True)
class Sent:
    """One thing that a vendor did for us: whole minutes since T0, which one, to whom or where, and its words."""

    minute: int
    at: datetime
    operation: str
    where: str
    text: str
    payload: dict[str, Any]


@dataclass
class Stage(World):
    """A `World` whose activities are the real ones, and whose vendors are the sandbox's."""

    sandbox: RunningSandbox = field(kw_only=True)
    real: ActivitySet = field(kw_only=True)
    began: datetime = T0

    def worker(self) -> Worker:
        return make_worker(
            self.env.client,
            QUEUE,
            self.real.methods(),
            interceptors=[VendorsClock(self.sandbox)],
            query_safety=self.safety,
            sandboxed=self.sandboxed,
        )

    async def begin(
        self,
        severity: str | None = "critical",
        *,
        but: str | tuple[str, ...] = "\0",
        at: datetime = T0,
        earlier: timedelta = timedelta(),
        **labels: str,
    ) -> None:
        """Let the alert open the incident at T0; the alert itself began so much `earlier`."""
        self.began = at
        await self.env.sleep(at - await self.now())
        self.sandbox.clock(at)
        for region in ("eu", "us"):
            self.sandbox.history(region, {"version": "v2.13.0"}, {"version": "v2.14.0"})
        await self.open(severity, labels=labels, settle=False, earlier=earlier)
        await self.settled(but=but)
        self.fire(severity, labels=labels)

    def fire(
        self, severity: str | None = "critical", *, ended: bool = False, labels: dict[str, str] | None = None
    ) -> None:
        """Let Alertmanager know of the alert, too: it is asked whether the alert still fires."""
        named = {"severity": severity} if severity else {}
        alert: dict[str, Any] = {"labels": {**an_alert(T0).labels, **named, **(labels or {})}}
        if ended:
            alert["endsAt"] = (T0 - timedelta(minutes=1)).isoformat()
        url = self.sandbox.environment()["ALERTMANAGER_URL"]
        httpx.post(f"{url}/api/v2/alerts", json=[alert], trust_env=False).raise_for_status()

    async def alert_ends(self) -> None:
        """Let the alert end after its silence has expired: Alertmanager tells it."""
        self.fire(ended=True)
        ended = an_alert(self.t0, severity="critical").replace(ended_at=await self.now())
        await self.handle.signal("alert_resolved", AlertBatch(alerts=(ended,)))
        await self.settled()

    def ledger(self, vendor: str, operation: str = "") -> list[Sent]:
        """What a vendor did for us, in order."""
        rows = (row for row in self.sandbox.ledger(vendor) if row["operation"].startswith(operation))
        return [self._sent(row) for row in rows]

    def pages(self) -> list[Sent]:
        """The pages that went out."""
        return self.ledger("pagerduty", "event.trigger")

    def mails(self, category: str = "incident") -> list[Sent]:
        """The mails of one kind."""
        return [mail for mail in self.ledger("sendgrid") if category in mail.payload["categories"]]

    def posts(self, channel: str, holding: str = "") -> list[Sent]:
        """The messages posted in a channel that hold these words."""
        found = (post for post in self.ledger("slack", "chat.postMessage") if post.where == f"#{channel}")
        return [post for post in found if holding in post.text]

    def page_updates(self) -> list[Sent]:
        """The updates on the status page."""
        return self.ledger("statuspage", "incident.")

    def channel(self, name: str) -> dict[str, Any]:
        """A channel of the workspace as it stands."""
        return next(row for row in self.sandbox.state()["slack"]["channels"] if row["name"] == name)

    def _sent(self, row: dict[str, Any]) -> Sent:
        payload, at = row["payload"], datetime.fromisoformat(row["at"])
        text = payload.get("text") or payload.get("body") or payload.get("summary") or payload.get("topic") or ""
        where = f"#{payload['channel_name']}" if "channel_name" in payload else ", ".join(payload.get("to") or [])
        minute = int((at - self.began + timedelta(seconds=1)).total_seconds() // 60)
        return Sent(minute, at, row["operation"], where, text, payload)


def minutes(sent: list[Sent]) -> list[int]:
    """When these went out, in whole minutes since T0."""
    return [one.minute for one in sent]


def with_digest(runbook: RunbookConfig, sandbox: RunningSandbox) -> RunbookConfig:
    """The runbook, with the workspace's channel of all incidents as its digest, and no pace for setting up.

    Silenced alerts are asked for every eleven minutes, not five: the time-skipping server loses workflow tasks when two
    timers fire together.
    """
    digest = next(row["id"] for row in sandbox.state()["slack"]["channels"] if row["name"] == "incidents")
    chat = runbook.chat.replace(digest_channel=digest, setup_per_minute=0)
    paging = runbook.paging.replace(check_alerts_every=timedelta(minutes=11))
    return closing_alone(runbook.replace(chat=chat, paging=paging, postmortem=calm(runbook.postmortem)))
