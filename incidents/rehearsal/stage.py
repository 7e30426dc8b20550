"""The stage of a rehearsal: one incident on a time-skipping server, whose vendors are the sandbox's."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.client import WorkflowHandle, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from incidents.contracts import ALERT_FIRED, ALERT_RESOLVED, AlertBatch, IncidentInput
from incidents.domain.alerting.alert import Alert
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command, Receipt
from incidents.domain.core.keys import Key
from incidents.domain.foresight.scenario import FilledScenario
from incidents.domain.foresight.simulation import alert_of
from incidents.domain.incident.opening import opening_from
from incidents.domain.obligation import Obligation
from incidents.domain.postmortem.obligations.obligation import PostmortemObligation
from incidents.names import AGENDA_QUERY
from incidents.rehearsal.server import describe, pass_time, wake
from incidents.search_attributes import at_start
from sandbox.server import RunningSandbox
from workflows.incident import IncidentWorkflow

QUEUE = "rehearsal"
_AFTER = timedelta(seconds=3)
"""Facts come so much after their time: one that arrives together with a timer makes this server lose the task."""
_SOON = timedelta(seconds=2)
"""What is due so soon is waited for before a fact comes: a timer that fires while the fact is taken in has the server
lose what is ordered then (docs/temporal-notes.md#virtual-time)."""
_MOMENTS = 10
"""How often at most that is waited for."""
_STILL = 40
"""Checks of an unchanged agenda after which what is due waits for a vendor, or the server stands still."""
_CHECKS = 2000
"""Checks of the agenda until the server counts as standing still, though the agenda changes."""
_PAUSE = 0.02
_SENDS = 4
_ANSWER = 6.0
"""Seconds until a command is sent again."""


class Stage:
    """One incident."""

    def __init__(self, env: WorkflowEnvironment, sandbox: RunningSandbox, runbook: RunbookConfig) -> None:
        self.env, self.sandbox, self._runbook = env, sandbox, runbook
        self.start = datetime.min.replace(tzinfo=UTC)
        self.handle: WorkflowHandle[Any, Any]
        self._alert: Alert
        self._ended = False
        self._commands = 0

    async def now(self) -> datetime:
        """Return the virtual time."""
        return (await self.env.get_current_time()).astimezone(UTC)

    async def wait_until(self, at: datetime) -> None:
        """Let virtual time pass before the alert."""
        left = at - await self.now()
        if left > timedelta():
            await self.env.sleep(left)
        self.sandbox.clock(max(at, await self.now()))

    async def open(self, scenario: FilledScenario) -> None:
        """Let the alert open the incident, and wait until all that is due at once is done."""
        self.start = await self.now()
        alert = self._alert = alert_of(scenario, self._runbook, self.start)
        opening = opening_from((alert,), f"{scenario.service}:{scenario.environment}", self._runbook)
        opening = opening.replace(severity=scenario.severity, needs_triage=False)
        self.handle = await self.env.client.start_workflow(
            IncidentWorkflow.run,
            IncidentInput(opening=opening, runbook=self._runbook),
            id=f"incident-{opening.key}",
            task_queue=QUEUE,
            start_signal=ALERT_FIRED,
            start_signal_args=[AlertBatch(alerts=(alert,))],
            search_attributes=at_start(opening),
        )
        self._tell_alertmanager(ended=False)
        await self.settle()

    async def at(self, after: timedelta) -> None:
        """Let the virtual time pass until shortly after `after` from the alert, and what was due by then be done."""
        until: datetime | None = self.start + after + _AFTER
        for _ in range(_MOMENTS):
            if until is None:
                return
            left = until - await self.now()
            if left > timedelta():
                await pass_time(self.env, self.handle, left)
            await self.settle()
            until = await self._due_soon()

    async def _due_soon(self) -> datetime | None:
        """Return until when to wait for what is due in a moment; None if nothing is."""
        now = await self.now()
        soon = [obligation.due for obligation in await self.agenda() if now < obligation.due <= now + _SOON]
        return max(soon) + _SOON if soon else None

    async def settle(self) -> None:
        """Wait until nothing is due, or what is due waits for a vendor.

        Raises:
            TimeoutError: the server stands still, so that all later effects would be wrong.
        """
        before: list[Key] = []
        still, woken = 0, False
        for _ in range(_CHECKS):
            owed, now = await self.agenda(), await self.now()
            due = [obligation.key for obligation in owed if obligation.due <= now]
            still = still + 1 if due == before else 0
            if not due or (still >= _STILL and await self._works()):
                return
            if still >= _STILL:
                if woken:
                    raise TimeoutError
                still, woken = 0, True
                await wake(self.handle)
            before = due
            await asyncio.sleep(_PAUSE)
        raise TimeoutError

    async def _works(self) -> bool:
        """Tell whether the incident waits for an activity or for its rollback."""
        found = await describe(self.env.client, self.handle.id)
        return bool(found.pending_activities or found.pending_children)

    async def tell(self, command: Command) -> None:
        """Send a command as an update, and let what follows at once be done.

        Raises:
            WorkflowUpdateFailedError: the incident rejects it.
        """
        self._commands += 1
        for _ in range(_SENDS):  # the server sometimes loses an update; by its id, one that arrived is not sent twice
            try:
                async with asyncio.timeout(_ANSWER):
                    await self.handle.execute_update(
                        command.name, command, id=f"command-{self._commands}", result_type=Receipt
                    )
                break
            except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
                await wake(self.handle)
        else:
            raise TimeoutError
        await self.settle()

    async def change_alert(self, *, ended: bool) -> None:
        """Let the alert end, or fire again; its source knows of it, too."""
        now = await self.now()
        self._tell_alertmanager(ended=ended)
        alert = self._alert.replace(ended_at=now) if ended else self._alert.replace(started_at=now)
        await self.handle.signal(ALERT_RESOLVED if ended else ALERT_FIRED, AlertBatch(alerts=(alert,)))
        await self.settle()

    def _tell_alertmanager(self, *, ended: bool) -> None:
        alert: dict[str, Any] = {"labels": self._alert.labels}
        if ended:
            alert["endsAt"] = (self.start - timedelta(minutes=1)).isoformat()
        url = self.sandbox.environment()["ALERTMANAGER_URL"]
        httpx.post(f"{url}/api/v2/alerts", json=[alert], trust_env=False).raise_for_status()

    async def agenda(self) -> list[Obligation]:
        """Return what the incident owes. One that has ended owes nothing; asked, it would be replayed each time."""
        if self._ended:
            return []
        owed: list[Obligation] = await _ask(self.handle, list[Obligation])
        self._ended = not owed and not await self._is_running()
        return owed

    async def _is_running(self) -> bool:
        told = await describe(self.env.client, self.handle.id)
        return told.workflow_execution_info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING

    async def owed(self) -> list[tuple[datetime, str]]:
        """Return what the incident and its post-mortem owe: when it is due, and what it is."""
        listed = [(obligation.due, obligation.summary) for obligation in await self.agenda()]
        postmortem = self.env.client.get_workflow_handle("postmortem-1")
        with contextlib.suppress(RPCError):  # there is none (yet)
            also: list[PostmortemObligation] = await _ask(postmortem, list[PostmortemObligation])
            listed += [(obligation.due, obligation.summary) for obligation in also]
        return listed


async def _ask(handle: WorkflowHandle[Any, Any], kind: Any) -> Any:
    """Return a workflow's agenda; asked again if the question was lost.

    This server forgets a question to a run that continues as new before it answers.

    Raises:
        RPCError: there is no such workflow, or it does not answer.
    """
    for _ in range(9):
        try:
            return await handle.query(AGENDA_QUERY, result_type=kind, rpc_timeout=timedelta(seconds=5))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise
            await asyncio.sleep(0.2)
    return await handle.query(AGENDA_QUERY, result_type=kind, rpc_timeout=timedelta(seconds=5))
