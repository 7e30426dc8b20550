"""A virtual world for one incident: a time-skipping server, a worker with stand-in activities, and a clock from T0."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from incidents.app.composition.workers import make_worker
from incidents.app.liveness.query_safety import QuerySafety
from incidents.contracts import AlertBatch, IncidentInput
from incidents.domain.alerting.alert import Alert
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command, Receipt
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import opening_from
from incidents.domain.obligation import Obligation
from incidents.rehearsal.fitting import calm, closing_alone
from incidents.rehearsal.server import pass_time, wake
from incidents.search_attributes import at_start
from tests.support.determinism.histories import assert_sound
from tests.support.fake_activities import Call, FakeActivities
from tests.support.pauses import Pauses
from workflows.incident import IncidentWorkflow

T = TypeVar("T")

QUEUE = "incidents-test"
_WHOLE = parse_runbook(Path("runbook.yaml").read_text(encoding="utf-8"))


RUNBOOK = closing_alone(
    _WHOLE.replace(chat=_WHOLE.chat.replace(setup_per_minute=0), postmortem=calm(_WHOLE.postmortem))
)
"""The runbook, without the queue that has a worker of its own (tests/workflows/test_pace.py) and with few looks."""


def an_alert(at: datetime, *, severity: str | None = "critical", name: str = "EvaluationErrors", **more: str) -> Alert:
    """An alert of flag evaluation."""
    labels = {"alertname": name, "service": "flag-evaluation", "environment": "production", **more}
    if severity is not None:
        labels["severity"] = severity
    return Alert(
        name=name, labels=labels, summary=f"{name} is high", started_at=at, fingerprint=name, source="Alertmanager"
    )


async def result_of(handle: WorkflowHandle[Any, T]) -> T:
    """Wait for a workflow's end; where the server stands still, wake it."""
    waiting = asyncio.create_task(handle.result())
    for _ in range(10):
        done, _ = await asyncio.wait({waiting}, timeout=4)
        if done:
            break
        await wake(handle)
    return await waiting


async def update(handle: WorkflowHandle[Any, Any], command: Command) -> Receipt:
    """Send a command as an update, as the client does: again if its workflow task was rejected, and so not applied.

    A run that continues as new while something else arrives has its task rejected (`incidents/client/commands.py`).
    """
    receipt: Receipt
    for _ in range(3):
        try:
            receipt = await handle.execute_update(command.name, command, result_type=Receipt)
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
            await asyncio.sleep(0.2)
        else:
            return receipt
    receipt = await handle.execute_update(command.name, command, result_type=Receipt)
    return receipt


@dataclass
class World:
    """One incident under test. Minutes are counted from `t0`, when it was opened."""

    env: WorkflowEnvironment
    activities: FakeActivities
    runbook: RunbookConfig = RUNBOOK
    t0: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    safety: QuerySafety = QuerySafety.NONE
    """In virtual time one worker lives for ever and is asked all the time: evicting would replay at each question."""
    sandboxed: bool = True
    """False where workflows are not what is tested: they run as in production, which takes less CPU."""
    handle: WorkflowHandle[Any, Incident] = field(init=False)

    def worker(self) -> Worker:
        """A worker like the real one, with stand-in activities."""
        return make_worker(
            self.env.client,
            QUEUE,
            self.activities.methods(),
            query_safety=self.safety,
            sandboxed=self.sandboxed,
        )

    async def now(self) -> datetime:
        """The virtual time."""
        return (await self.env.get_current_time()).astimezone(UTC)

    async def open(
        self,
        severity: str | None = "critical",
        history_limit: int = 0,
        settle: bool = True,
        labels: dict[str, str] | None = None,
        earlier: timedelta = timedelta(),
    ) -> None:
        """Let an alert open the incident, and wait until all that is due at once is done."""
        self.t0 = await self.now()
        alert = an_alert(self.t0 - earlier, severity=severity, **(labels or {}))
        opening = opening_from((alert,), "flag-evaluation:production", self.runbook)
        self.handle = await self.env.client.start_workflow(
            IncidentWorkflow.run,
            IncidentInput(opening=opening, runbook=self.runbook, history_limit=history_limit),
            id=f"incident-{opening.key}",
            task_queue=QUEUE,
            start_signal="alert_fired",
            start_signal_args=[AlertBatch(alerts=(alert,))],
            search_attributes=at_start(opening),
        )
        self.t0 = (await self.incident()).opened_at
        if settle:
            await self.settled()

    async def settled(self, *, but: str | tuple[str, ...] = "\0") -> None:
        """Wait until nothing is due any more, but for obligations whose key begins with `but`."""
        pauses = self.pauses(self.handle.id)
        for tries in range(1, 201):
            await pauses.next()
            owed = await self.agenda()
            now = await self.now()  # after the query, which may have been the incident's first breath
            due = [obligation for obligation in owed if obligation.due <= now and not obligation.key.startswith(but)]
            if not due:
                return
            if tries % 15 == 0:
                await wake(self.handle)
        raise AssertionError(f"still due: {[obligation.key for obligation in due]}")

    def pauses(self, workflow_id: str) -> Pauses:
        """Return the moments at which it is worth asking a workflow of this world again."""
        return Pauses(self.env.client, workflow_id, at_once=self.safety is QuerySafety.NONE)

    async def at(self, minutes: float, *, but: str | tuple[str, ...] = "\0") -> None:
        """Let the virtual time pass until some seconds after `minutes` from T0, and what was due by then be done.

        Some seconds after: a command that arrives together with a timer makes this server lose the workflow task, and
        most timers are at whole minutes.
        """
        left = self.t0 + timedelta(minutes=minutes, seconds=3) - await self.now()
        if left > timedelta():
            await self.pass_time(left)
        await self.settled(but=but)

    async def pass_time(self, left: timedelta) -> None:
        """Let virtual time pass; where the server stands still, wake it."""
        await pass_time(self.env, getattr(self, "handle", None), left)

    async def ended(self) -> Incident:
        """Wait for the incident's end, and return it."""
        return await result_of(self.handle)

    async def tell(self, command: Command, *, but: str | tuple[str, ...] = "\0") -> Receipt:
        """Send a command as an update, and let what follows at once be done."""
        receipt = await update(self.handle, command)
        await self.settled(but=but)
        return receipt

    async def incident(self) -> Incident:
        """The incident as it stands."""
        return await self._ask(IncidentWorkflow.incident)

    async def agenda(self) -> list[Obligation]:
        """What is owed."""
        return await self._ask(IncidentWorkflow.agenda)

    async def _ask(self, query: Callable[[IncidentWorkflow], T]) -> T:
        """Ask the running incident; again if the question was lost.

        This server forgets a question to a run that continues as new before it answers. Asking twice changes nothing.
        """
        for _ in range(10):
            try:
                return await self.handle.query(query, rpc_timeout=timedelta(seconds=5))
            except RPCError as error:
                if error.status not in (
                    RPCStatusCode.CANCELLED,
                    RPCStatusCode.DEADLINE_EXCEEDED,
                    RPCStatusCode.RESOURCE_EXHAUSTED,  # another reader's question waits
                ):
                    raise
                await asyncio.sleep(0.2)
        raise AssertionError("the incident does not answer")

    def sent(self, name: str, key: str = "") -> list[tuple[int, Any]]:
        """The requests to one activity whose key holds `key`: whole minutes since T0, and the request."""
        return [
            (self.minute(call), call.effect)
            for call in self.activities.calls
            if call.name == name and key in call.effect.key
        ]

    async def assert_sound(self) -> None:
        """Hold every history of this world to what all of ours keep to."""
        if handle := getattr(self, "handle", None):
            await assert_sound(self.env.client, handle.id, handle.first_execution_run_id)
        clusters = {region.cluster for region in self.runbook.regions}
        others = [f"rollback-{cluster}-flag-evaluation" for cluster in sorted(clusters)]
        for workflow_id in ("postmortem-1", "postmortem-9", *others):
            await assert_sound(self.env.client, workflow_id)

    def minute(self, call: Call) -> int:
        """The whole minutes from T0 to a call."""
        return round((call.at - self.t0).total_seconds()) // 60

    async def said(self) -> list[str]:
        """The timeline's texts."""
        return [entry.text for entry in (await self.incident()).timeline]
