"""Plays the script of a drill. Its timers run at Temporal, so a step comes although a worker died."""

import asyncio
import contextlib
from typing import assert_never

from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.workflow import ParentClosePolicy

from incidents.contracts import (
    ALERT_FIRED,
    ALERT_RESOLVED,
    DRILL_STOPPED,
    AlertBatch,
    DrillInput,
    DrillPlayed,
    IncidentInput,
)
from incidents.cutting import cut_bytes
from incidents.domain.alerting.alert import Alert
from incidents.domain.drill.script import DrillScript, DrillStep, StepKind
from incidents.names import TITLE_MEMO
from incidents.priority import priority_of
from incidents.search_attributes import at_start
from workflows.incident import IncidentWorkflow

_SUMMARY = 200
"""Bytes."""


@workflow.defn
class DrillWorkflow:
    """A drill with a script: opens its incident, and plays one step after the other, until the last or until stopped.

    The incident goes on without it: people resolve it, and its review and scorecard are its own.
    """

    @workflow.init
    def __init__(self, start: DrillInput) -> None:
        """Begin. It may be stopped before `run` starts."""
        self._stopped = False

    @workflow.run
    async def run(self, start: DrillInput) -> DrillPlayed:
        """Open the incident and play the steps, each at its time."""
        began, key = workflow.now(), workflow.info().workflow_id
        script = start.script.begun(key, began)
        incident = f"incident-{key}"
        await self._open(script, start, incident)
        played = 0
        for step in script.steps:
            await self._wait((began + step.at - workflow.now()).total_seconds())
            if self._stopped or not await self._play(script, step, incident, played):
                break
            played += 1
        return DrillPlayed(workflow_id=incident, played=played, of=len(script.steps), stopped=self._stopped)

    async def _open(self, script: DrillScript, start: DrillInput, workflow_id: str) -> None:
        opening, runbook = script.opening, start.runbook
        await workflow.start_child_workflow(
            IncidentWorkflow.run,
            IncidentInput(opening=opening, runbook=runbook, history_limit=runbook.durability.history_events),
            id=workflow_id,
            parent_close_policy=ParentClosePolicy.ABANDON,
            search_attributes=at_start(opening),
            priority=priority_of(runbook.rank(opening.severity)),
            memo={TITLE_MEMO: opening.title},
            static_summary=cut_bytes(f"{opening.severity} {opening.service}: {opening.title}", _SUMMARY),
        )
        await _send(workflow_id, ALERT_FIRED, _alone(script.alert))

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: self._stopped, timeout=max(seconds, 0), timeout_summary="The next step of the drill"
            )

    async def _play(self, script: DrillScript, step: DrillStep, workflow_id: str, number: int) -> bool:
        """Play one step; tell whether the incident still runs."""
        match step.kind:
            case StepKind.NOTE:
                note = step.note(f"{script.opening.key}/{number}")
                return await _send(workflow_id, note.name, note)
            case StepKind.ALERT_FIRED:
                return await _send(workflow_id, ALERT_FIRED, _alone(script.alert_of(step, workflow.now())))
            case StepKind.ALERT_ENDED:
                return await _send(workflow_id, ALERT_RESOLVED, _alone(script.alert_of(step, workflow.now())))
            case _:
                assert_never(step.kind)

    @workflow.signal(name=DRILL_STOPPED, description="Play nothing more; the incident goes on.")
    def drill_stopped(self) -> None:
        """Stop before the next step."""
        self._stopped = True


def _alone(alert: Alert) -> AlertBatch:
    return AlertBatch(alerts=(alert,))


async def _send(workflow_id: str, signal: str, payload: object) -> bool:
    """Send a signal, which Temporal delivers once; tell whether the incident still runs."""
    try:
        await workflow.get_external_workflow_handle(workflow_id).signal(signal, payload)
    except ApplicationError:  # the incident has ended
        return False
    return True
