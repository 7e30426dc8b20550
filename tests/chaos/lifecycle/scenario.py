"""What people and alerts do in a run, from the alert to the published post-mortem.

The driver itself is never killed. Whatever it sends, it sends again, under the same id, until it sees it taken.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from activities.processes import WorkflowQueries
from incidents.client.commands import send
from incidents.client.lookup import describe
from incidents.client.problems import CommandFailed, NoAnswer, NotFound
from incidents.domain.core.command import Command
from incidents.domain.incident.commands import Acknowledge, Assess, ConfirmRecovery, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.people.permissions import Permissions
from incidents.domain.postmortem.commands import EditDocument, PublishPostmortem, SetActionItem, SubmitPostmortem
from incidents.domain.postmortem.document.sections import Cause
from incidents.domain.postmortem.postmortem import Postmortem, Stage
from incidents.domain.rollback.commands import ApproveRollback
from incidents.domain.rollback.state import RollbackStatus
from incidents.names import AGENDA_QUERY, INCIDENT_QUERY, POSTMORTEM_QUERY
from sandbox.demo.stage import BAD, REGION, ROUNDS, alertmanager_payload
from tests.chaos.lifecycle.processes import TOKEN, Site

INCIDENT, POSTMORTEM = "incident-flag-evaluation:production", "postmortem-1"
STANDSTILL = 300.0
"""Seconds without the next step being reached, after which the run has failed. Generous: the machine may be busy."""
RPC = timedelta(seconds=5)
RUNGS = 5
"""Ways in which the ladder of a P0 reaches somebody: CTO and CEO by page and mail, the second on-call by page."""
PACE = 1.5
"""Seconds that a person takes before the next command, so that faults meet every phase."""
UPDATES = 3
"""Scheduled updates before the resolution."""
OFFERED, VERIFIED, DRAFT = "an offer to roll back", "a verified rollback", "the draft"
"""Steps as they are reported, by which others beside the scenario know its moments."""
UNAVAILABLE = (RPCError, WorkflowQueryFailedError, CommandFailed, NoAnswer, NotFound, httpx.HTTPError)
State = TypeVar("State", Incident, Postmortem)


class Stuck(Exception):
    """A step was not reached in time."""


@dataclass
class Scenario:
    """One incident. `report` is called with each step."""

    client: Client
    site: Site
    report: Callable[[str], None]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def prepare(self) -> None:
        """Wait for a latency baseline, and deploy a bad version. No fault has struck yet."""
        self.started = datetime.now(UTC)
        await self._until("a latency baseline", self._has_baseline)
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            order = {"region": REGION, "version": BAD}
            (await http.post(f"{self.site.sandbox_url}/_control/deploy", json=order)).raise_for_status()

    async def play(self) -> None:
        """Let the incident live, until its post-mortem is published and all is told."""
        await self._alert(ended=False)
        await self._reach("the first response", is_answered, Incident)
        await self._tell(Acknowledge(by="ann"), lambda i: bool(i.acknowledged_by), Incident)
        impact = "About half of all flag evaluations in Europe fail."
        await self._tell(
            Assess(by="ann", impact=impact, customers=("ACME",)), lambda i: i.assessment is not None, Incident
        )
        await self._reach(OFFERED, lambda i: bool(i.rollback.clusters), Incident)
        await self._tell(ApproveRollback(by="ann"), lambda i: _status(i) is not RollbackStatus.OFFERED, Incident)
        await self._reach(VERIFIED, lambda i: _status(i) is RollbackStatus.HEALTHY, Incident)
        await self._alert(ended=True)
        await self._tell(
            ConfirmRecovery(by="ann", customer="ACME", note="flags evaluate again"), _is_confirmed, Incident
        )
        await self._reach("updates on the cadence", lambda i: len(_scheduled(i)) >= UPDATES, Incident)
        await self._reach("the stability window", lambda i: i.stable_since is not None, Incident)
        await self._tell(Resolve(by="ann", text="Service is back to normal."), lambda i: i.over, Incident)
        await self._reach("a post-mortem", lambda i: i.postmortem.handed_over, Incident)
        await self._learn()

    async def rest(self) -> None:
        """Wait until nothing is owed any more, and the incident is closed."""
        self.report("rest")
        await self._until("a post-mortem that owes nothing", lambda: self._owes_nothing(Postmortem))
        await self._reach("an incident that is closed", lambda i: i.closed, Incident)
        await self._until("an incident that owes nothing", lambda: self._owes_nothing(Incident))

    async def incident(self) -> Incident:
        """Return the incident, as soon as it answers."""
        return await self._reach("an answer", lambda _: True, Incident)

    async def postmortem(self) -> Postmortem:
        """Return the post-mortem, as soon as it answers."""
        return await self._reach("an answer", lambda _: True, Postmortem)

    async def _learn(self) -> None:
        await self._reach(DRAFT, lambda p: bool(p.draft_url and p.repository.proposal_url), Postmortem)
        written = EditDocument(
            by="ann",
            summary="A bad release was rolled back.",
            cause=Cause.DEPLOYMENT,
            whys=("Evaluations failed.", "A bad release was deployed.", "No test covered it."),
            root_cause="No test covered the release.",
            well=("The rollback worked.",),
            better=("Canary releases.",),
        )
        await self._tell(written, lambda p: bool(p.document.summary), Postmortem)
        due = datetime.now(UTC).date() + timedelta(days=14)
        item = SetActionItem(by="ann", title="Test releases", owner="cto", due=due, outcome="The job is green.")
        await self._tell(item, lambda p: bool(p.document.items), Postmortem)
        await self._reach("a complete post-mortem", lambda p: not p.lacks, Postmortem)
        await self._tell(SubmitPostmortem(by="ann"), lambda p: bool(p.submitted_by), Postmortem)
        await self._tell(PublishPostmortem(by="ann"), lambda p: p.stage is Stage.PUBLISHED, Postmortem)
        await self.rest()

    async def _alert(self, *, ended: bool) -> None:
        """Send Alertmanager's webhook until the gateway has taken it, which may have done so before its reply."""
        self.report(f"alert, {'ended' if ended else 'firing'}")
        payload = alertmanager_payload(self.started, ended=ended)

        async def accepted() -> bool:
            url, token = f"{self.site.gateway_url}/alerts/alertmanager", {"Authorization": f"Bearer {TOKEN}"}
            async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
                return (await http.post(url, json=payload, headers=token)).status_code == 202

        await self._until("an alert that is accepted", accepted)

    async def _tell(self, command: Command, taken: Callable[[State], bool], kind: type[State]) -> None:
        """Send a command, under one id, until its effect is seen."""
        command = command.replace(id=f"chaos-{command.name}")
        await asyncio.sleep(PACE)
        self.report(command.name)

        async def is_taken() -> bool:
            if taken(await self._ask(kind)):
                return True
            run = await describe(self.client, _workflow(kind))
            await send(self.client, run, command, RPC, Permissions())
            return taken(await self._ask(kind))

        await self._until(command.name, is_taken)

    async def _reach(self, what: str, reached: Callable[[State], bool], kind: type[State]) -> State:
        self.report(what)
        found: list[State] = []

        async def is_reached() -> bool:
            found[:] = [await self._ask(kind)]
            return reached(found[0])

        await self._until(what, is_reached)
        return found[0]

    async def _ask(self, kind: type[State]) -> State:
        handle = self.client.get_workflow_handle(_workflow(kind))
        query = INCIDENT_QUERY if kind is Incident else POSTMORTEM_QUERY
        state: State = await handle.query(query, result_type=kind, rpc_timeout=RPC)
        return state

    async def _owes_nothing(self, kind: type[State]) -> bool:
        """Tell whether nothing is due. What only watches for changes elsewhere never ends."""
        handle = self.client.get_workflow_handle(_workflow(kind))
        owed = await handle.query(AGENDA_QUERY, result_type=list[dict[str, Any]], rpc_timeout=RPC)
        now = datetime.now(UTC)
        return not any(datetime.fromisoformat(one["due"]) <= now for one in owed if not one["kind"].startswith("watch"))

    async def _has_baseline(self) -> bool:
        return len((await WorkflowQueries(self.client).recording()).samples) >= ROUNDS * 2  # in each of two regions

    async def _until(self, what: str, condition: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + STANDSTILL
        while True:
            with contextlib.suppress(*UNAVAILABLE):
                if await condition():
                    return
            if time.monotonic() > deadline:
                raise Stuck(f"not reached within {STANDSTILL:.0f} s: {what}")
            await asyncio.sleep(0.3)


def _workflow(kind: type[Any]) -> str:
    return INCIDENT if kind is Incident else POSTMORTEM


def _status(incident: Incident) -> RollbackStatus:
    return incident.rollback.clusters[0].status


def _scheduled(incident: Incident) -> list[int]:
    return [update.sequence for update in incident.updates.published if update.kind == "scheduled"]


def _is_confirmed(incident: Incident) -> bool:
    return any("flags evaluate again" in entry.text for entry in incident.timeline)


def is_answered(incident: Incident) -> bool:
    """Tell whether the first response is out: all of the ladder, channel, war room, and an update on each channel.

    The first update need not be among the latter: one that is undelivered when the next is due is superseded by it.
    """
    done = incident.ledger.fulfilled
    rungs = sum(key.startswith("escalate/") for key in done)
    channels = {key.rpartition("/")[2] for key in done if re.match(r"update/\d+/", key)}
    firsts = all(incident.ledger.settled(key) for key in ("channel", "war-room", "invite"))
    return firsts and rungs >= RUNGS and channels >= {"status_page", "slack", "email"}
