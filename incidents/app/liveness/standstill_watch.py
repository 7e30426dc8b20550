"""Looks for stuck workflows, and notifies the operators of each of them once. Every worker runs it beside its work.

Temporal's own records are read, without a worker or a query: `EVERY` seconds after the last round a bounded number of
them, however many workflows are open, so that what a watch costs the server is bounded, too. First come those of which
Temporal itself reports a problem, then the next ones in turn. Only an incident's obligations need a query
(docs/temporal-notes.md#queries), so these are asked for seldom and slowly. Workers do not coordinate: the id of
`StandstillWorkflow` makes sure that one notification is sent for each stuck run.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecution, WorkflowQueryFailedError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from incidents import metrics
from incidents.app.liveness.known_runs import KnownRuns
from incidents.app.liveness.run_readings import TIMEOUT, are_open, last_failure, read
from incidents.app.liveness.sweep import PACE, Sweep
from incidents.app.telemetry.numbers import remember_numbers
from incidents.app.telemetry.sources import Sample
from incidents.contracts import StandstillInput
from incidents.domain.config.model import RunbookConfig
from incidents.domain.obligation import Obligation
from incidents.domain.operators.notifications import operators
from incidents.domain.standstill import (
    Look,
    RunReading,
    Standstill,
    first_line,
    log_line,
    look_at,
    stuck_obligation,
    stuck_task,
    wants_look,
)
from incidents.names import AGENDA_QUERY, INCIDENT_WORKFLOW, POSTMORTEM_WORKFLOW, STANDSTILL_WORKFLOW, WATCHED

EVERY = 20.0
"""Seconds between two rounds."""
OTHERS = (POSTMORTEM_WORKFLOW,)
"""Open for weeks, so there are ten times as many as of all others, and their deadlines are days away."""
URGENT = tuple(kind for kind in WATCHED if kind not in OTHERS)
URGENT_AT_ONCE, OTHERS_AT_ONCE = 150, 50
"""Workflows of each group that a round reads at most, in turn."""
SUSPECTS_AT_ONCE, AGAIN_AT_ONCE = 100, 100
"""Workflows beside them: those that Temporal reports a problem of, and those that were not well when last read."""
QUERY_EVERY = 2.0
"""Seconds between two queries, of whichever incidents."""
BACK_OFF = 30.0
"""Seconds without queries after one that Temporal or the workers had no room for."""
_log = logging.getLogger("standstill")


class StandstillWatch:
    """One worker's watch. Nothing that happens to it ends the worker."""

    def __init__(self, client: Client, runbook: RunbookConfig, task_queue: str) -> None:
        """Start with nothing seen."""
        self._client, self._runbook, self._queue = client, runbook, task_queue
        self._sweeps = (Sweep(client, URGENT, URGENT_AT_ONCE), Sweep(client, OTHERS, OTHERS_AT_ONCE))
        self._runs = KnownRuns()
        self._notified: set[str] = set()
        self._looks: dict[str, Look] = {}
        self._overdue: set[str] = set()
        self._unanswered: set[str] = set()
        self._reports_problems = True

    async def read(self) -> list[Sample]:
        """Return the metrics of all runs as last read; nothing before each was read once, for unknown is not 0."""
        if not self._runs.complete:
            return []
        return [*self._runs.samples(), Sample(metrics.OBLIGATIONS_OVERDUE, len(self._overdue))]

    async def run(self) -> None:
        """Watch until cancelled."""
        await asyncio.gather(_for_ever(self.round, EVERY), _for_ever(self.look, QUERY_EVERY))

    async def round(self) -> None:
        """Read a bounded number of open workflows, suspects first, and report those whose workflow task is stuck."""
        self._runs.begin_round()
        for suspect in await self._suspects():
            await self._read_again(suspect.id, suspect.run_id)
        for sweep in self._sweeps:
            async for run in sweep.go_on():
                await self._examine(run)
            if sweep.passed:
                self._runs.end_pass(sweep.kinds)
            if sweep.passed and INCIDENT_WORKFLOW in sweep.kinds:
                remember_numbers(self._runs.numbers())
        for run in self._runs.to_read_again(AGAIN_AT_ONCE, self._overdue):
            await self._read_again(run.workflow_id, run.run_id)
        self._forget_ended()

    async def _suspects(self) -> list[WorkflowExecution]:
        """Return runs of which Temporal reports a problem, which is after five failures of a workflow task."""
        if not self._reports_problems:
            return []
        query = f"{are_open(WATCHED)} AND TemporalReportedProblems IS NOT NULL"
        listing = self._client.list_workflows(query, limit=SUSPECTS_AT_ONCE, rpc_timeout=TIMEOUT)
        try:
            return [each async for each in listing]
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            self._reports_problems = False
            _log.info("This server does not report problems of workflows: a stuck one is found when its turn comes")
            return []

    async def _read_again(self, workflow_id: str, run_id: str) -> None:
        run = await read(self._client, workflow_id, run_id)
        if run is None:
            self._runs.drop(run_id)
        else:
            await self._examine(run)
        await asyncio.sleep(PACE)

    async def _examine(self, run: RunReading) -> None:
        self._unanswered.discard(run.run_id)
        stuck = stuck_task(run, datetime.now(UTC))
        self._runs.put(run, stuck.reason if stuck else None)
        if stuck is not None and run.run_id not in self._notified:
            await self.report(stuck.replace(failure=await last_failure(self._client, run)))

    def _forget_ended(self) -> None:
        """Forget what was remembered of runs that are no longer known; one that is found again is looked at again."""
        self._overdue &= self._runs.ids
        self._unanswered &= self._runs.ids
        self._notified &= self._runs.ids
        self._looks = {key: look for key, look in self._looks.items() if key in self._runs.ids}

    async def look(self) -> None:
        """Query the incident whose turn it is, if one may have an overdue obligation, and report that."""
        at = datetime.now(UTC)
        waiting = [run for run in self._runs.incidents() if wants_look(run, self._looks.get(run.run_id), at)]
        waiting = [run for run in waiting if run.run_id not in self._notified or run.run_id in self._overdue]
        waiting = [run for run in waiting if run.run_id not in self._unanswered]
        if not waiting:
            return
        run = min(waiting, key=self._last_look)
        try:
            await self._look_at(run)
        except (RPCError, WorkflowQueryFailedError) as error:
            _log.info("The agenda of %s was not read: %s", run.workflow_id, first_line(error.message))
            self._unanswered.add(run.run_id)  # until it has been read again
            await asyncio.sleep(BACK_OFF)

    def _last_look(self, run: RunReading) -> datetime:
        look = self._looks.get(run.run_id)
        return look.at if look else datetime.min.replace(tzinfo=UTC)

    async def _look_at(self, known: RunReading) -> None:
        run = await read(self._client, known.workflow_id, known.run_id)
        if run is None:
            self._runs.drop(known.run_id)
            return
        await self._examine(run)
        if run.task is not None:  # the query would wait for it, in a place that responders need
            return
        handle = self._client.get_workflow_handle(run.workflow_id, run_id=run.run_id)
        owed = await handle.query(AGENDA_QUERY, result_type=list[Obligation], rpc_timeout=TIMEOUT)
        after = await read(self._client, run.workflow_id, run.run_id)
        if after is None or after.history != run.history:
            run = run.replace(idle=False)  # what is owed now may be pending by now
        at = datetime.now(UTC)
        look = look_at(run, owed, self._looks.get(run.run_id), self._runbook, at)
        self._looks[run.run_id] = look
        stuck = stuck_obligation(run, owed, look, self._runbook, at)
        if stuck is None:
            self._overdue.discard(run.run_id)
            return
        self._overdue.add(run.run_id)
        if run.run_id not in self._notified:
            await self.report(stuck)

    async def report(self, stuck: Standstill) -> None:
        """Log a stuck run and have the operators notified, unless that was done before by any worker."""
        notified = StandstillInput(
            stuck=stuck, operators=operators(self._runbook), retry_for=self._runbook.retry_for.others
        )
        try:
            await self._client.start_workflow(
                STANDSTILL_WORKFLOW,
                notified,
                id=f"standstill-{stuck.workflow_id}-{stuck.run_id}",
                task_queue=self._queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"{stuck.name} is stuck"[:200],
                rpc_timeout=TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            _log.debug("%s is stuck; the operators were notified before", stuck.name)
        else:
            _log.error(log_line(stuck))
        self._notified.add(stuck.run_id)


async def _for_ever(work: Callable[[], Awaitable[None]], pause: float) -> None:
    """Repeat the work. A failure is logged and does not stop the loop."""
    while True:
        try:
            await work()
        except Exception as error:  # any error: the worker and this watch must keep running
            _log.warning("The stuck-workflow watch failed and will retry: %s", first_line(f"{error!r}"))
        await asyncio.sleep(pause)


@contextlib.asynccontextmanager
async def watched(client: Client, runbook: RunbookConfig, task_queue: str) -> AsyncIterator[StandstillWatch]:
    """Watch for stuck workflows while the block runs; yield the watch."""
    if not any(operator.email for operator in operators(runbook)):
        _log.warning("people.operators in runbook.yaml names no e-mail address: stuck workflows are only logged")
    watch = StandstillWatch(client, runbook, task_queue)
    watching = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
