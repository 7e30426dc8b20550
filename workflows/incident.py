"""The live incident: from the alert to the resolution, and to the end of the reopen window."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import FailureError, is_cancelled_exception

from incidents import search_attributes as attributes
from incidents.contracts import (
    AGENDA_QUERY,
    ALERT_FIRED,
    ALERT_RESOLVED,
    INCIDENT_QUERY,
    POSTMORTEM_PUBLISHED,
    ROLLBACK_ENDED,
    ROLLBACK_MOVED,
    TIMELINE_QUERY,
    AlertBatch,
    IncidentInput,
    Published,
)
from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import ActivityResult
from incidents.domain.agenda import agenda, surviving_agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import is_limited, parts, request
from incidents.domain.core.program_errors import in_one_line
from incidents.domain.core.timeline import Entry
from incidents.domain.incident.commands import Command, Receipt
from incidents.domain.incident.current_details import render_current_details
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident, open_minimal_incident, with_known_severity
from incidents.domain.incident.parts import Opening
from incidents.domain.obligation import Obligation
from incidents.domain.registry import retry_for, spec_of
from incidents.domain.rollback.events import record_rollback_progress, record_rollback_result
from incidents.domain.rollback.order import RollbackProgress, RollbackResult
from workflows.activity_options import perform, unauthorized, why
from workflows.children import run_step
from workflows.commands.response import IncidentCommands
from workflows.commands.rollback import RollbackCommands
from workflows.obligation_loop import ObligationLoop, raise_if_of_the_sdk

T = TypeVar("T")


@workflow.defn
class IncidentWorkflow(IncidentCommands, RollbackCommands):
    """The incident's state, its agenda and what fulfills it; the `ObligationLoop` runs it."""

    @workflow.init
    def __init__(self, start: IncidentInput) -> None:
        """Open the incident, or take it over from the run before. Commands may arrive before `run` does."""
        self._start = start
        self._runbook = start.runbook
        self._shown = attributes.known(workflow.info().typed_search_attributes)
        self._loop: ObligationLoop[Obligation] = ObligationLoop(self, start.history_limit)
        self._incident = start.incident or self._open(start.opening)

    @workflow.run
    async def run(self, start: IncidentInput) -> Incident:
        """Live through the incident and return it as it ended."""
        over = await self._loop.run()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not over:
            workflow.continue_as_new(self._start.replace(incident=self._incident))
        return self._incident

    def _open(self, opening: Opening) -> Incident:
        """Open the incident; if that fails, open it with the little that cannot fail, so that somebody is paged."""
        info, at = workflow.info(), workflow.now()
        opening = with_known_severity(opening, self._runbook)
        ids = {"workflow_id": info.workflow_id, "first_run_id": info.first_execution_run_id}
        try:
            return open_incident(opening, self._runbook, at, **ids)
        except Exception as error:
            raise_if_of_the_sdk(error)
            return open_minimal_incident(opening, at, in_one_line(error), **ids)

    # --- what the loop interprets -----------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """The incident's revision."""
        return self._incident.revision

    @property
    def is_over(self) -> bool:
        """Tell whether the incident is closed."""
        return self._incident.closed

    def derive_agenda(self) -> list[Obligation]:
        """Return the incident's agenda."""
        return agenda(self._incident, self._runbook)

    def agenda_failed(self, error: Exception, at: datetime) -> list[Obligation]:
        """Record it, and go on with paging, telling, and whatever else can still be derived."""
        self._incident = outcomes.agenda_broke(self._incident, in_one_line(error), at)
        return surviving_agenda(self._incident, self._runbook)

    def is_inner(self, obligation: Obligation) -> bool:
        """Tell whether the incident fulfills it by changing its own state."""
        return spec_of(obligation).apply_due is not None

    def is_withdrawable(self, obligation: Obligation) -> bool:
        """Tell whether it is given up when it is no longer owed."""
        return spec_of(obligation).withdrawable

    def fulfill_inner(self, obligation: Obligation, at: datetime) -> None:
        """Apply an obligation that needs no activity."""
        self._incident = outcomes.apply_due(self._incident, obligation, self._runbook, at)

    async def fulfill(self, obligation: Obligation) -> None:
        """Have one obligation done, and record what came of it."""
        try:
            outcome = await self._do(obligation)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise  # withdrawn: its key stays among the begun ones
            self._incident = outcomes.failed(
                self._incident, obligation, why(error), self._runbook, workflow.now(), unauthorized=unauthorized(error)
            )
        else:
            self._incident = outcomes.fulfilled(self._incident, obligation, outcome, self._runbook, workflow.now())

    def obligation_failed(self, obligation: Obligation, error: Exception, at: datetime) -> None:
        """Record that an error of this program kept it from being done."""
        said = in_one_line(error)
        try:
            self._incident = outcomes.failed(
                self._incident, obligation, f"error in this program ({said})", self._runbook, at
            )
        except Exception as second:
            raise_if_of_the_sdk(second)
            self._incident = outcomes.abandoned(self._incident, obligation, said, at)
        self._incident = outcomes.faulty(self._incident, obligation, said, at)

    async def _do(self, obligation: Obligation) -> ActivityResult:
        """Do one obligation: by another workflow, or by one of the activities."""
        incident = self._incident
        self._incident = outcomes.begun(incident, obligation.key)
        if (step := spec_of(obligation).workflow_step) is not None:
            return await run_step(step, incident, obligation, self._start)
        asked = request(obligation, incident, self._runbook, workflow.now())
        if isinstance(asked, ActivityResult):
            return asked
        outcome, limited = ActivityResult(), is_limited(asked, self._runbook)
        for part in parts(asked):
            outcome = await perform(
                part,
                obligation.says,
                self._runbook.rank(incident.severity),
                retry_for(obligation, self._runbook),
                limited=limited,
            )
        return outcome

    def show(self) -> bool:
        """Bring the Web UI and the search attributes up to date; tell whether that took a command."""
        try:
            workflow.set_current_details(render_current_details(self._incident, self._runbook))
            current = attributes.values(self._incident)
        except Exception as error:
            raise_if_of_the_sdk(error)
            workflow.set_current_details(f"The incident cannot be shown here: {in_one_line(error)}. It goes on.")
            return False
        if changed := attributes.changes(self._shown, current):
            workflow.upsert_search_attributes(changed)
            self._shown = current
        return bool(changed)

    async def after_step(self) -> None:
        """Do nothing more."""

    # --- messages -------------------------------------------------------------------------------------------------

    def apply_command(self, command: Command) -> Receipt:
        """Apply a responder's command."""
        before = len(self._incident.timeline)
        self._incident = apply_command(self._incident, command, self._runbook, workflow.now())
        self._loop.changed()
        said = self._incident.timeline[before:]
        return Receipt(message=said[0].text if said else "Done.", revision=self._incident.revision)

    def validate_command(self, command: Command) -> None:
        """Raise what `apply_command` would raise, changing nothing."""
        apply_command(self._incident, command, self._runbook, workflow.now())

    def unchanged(self) -> None:
        """Note that a signal was received that changes nothing: it leaves an event all the same."""
        self._loop.changed()

    def reject_signal(self, name: str, by: str, reason: str) -> None:
        """Record a rejected signal in the timeline."""
        self._incident = facts.refused(self._incident, name, by, reason, workflow.now())
        self._loop.changed()

    @workflow.signal(name=ALERT_FIRED, description="Alerts of this incident fire.")
    def alert_fired(self, batch: RawValue) -> None:
        """Take in alerts that fire: an `AlertBatch`."""
        self._apply_event(
            ALERT_FIRED,
            batch,
            AlertBatch,
            lambda event: facts.alert_fired(self._incident, event.alerts, self._runbook, workflow.now()),
        )

    @workflow.signal(name=ALERT_RESOLVED, description="Alerts of this incident have ended.")
    def alert_resolved(self, batch: RawValue) -> None:
        """Take in the end of alerts: an `AlertBatch`."""
        self._apply_event(
            ALERT_RESOLVED,
            batch,
            AlertBatch,
            lambda event: facts.alert_resolved(self._incident, event.alerts, self._runbook, workflow.now()),
        )

    @workflow.signal(name=ROLLBACK_MOVED, description="A running rollback reports a step.")
    def rollback_moved(self, progress: RawValue) -> None:
        """Record a step of a rollback: a `RollbackProgress`."""
        self._apply_event(
            ROLLBACK_MOVED,
            progress,
            RollbackProgress,
            lambda event: record_rollback_progress(self._incident, event, workflow.now()),
        )

    @workflow.signal(name=ROLLBACK_ENDED, description="A rollback has ended.")
    def rollback_ended(self, result: RawValue) -> None:
        """Record the end of a rollback: a `RollbackResult`."""
        self._apply_event(
            ROLLBACK_ENDED,
            result,
            RollbackResult,
            lambda event: record_rollback_result(self._incident, event, self._runbook, workflow.now()),
        )

    @workflow.signal(name=POSTMORTEM_PUBLISHED, description="The post-mortem is published.")
    def postmortem_published(self, published: RawValue) -> None:
        """Record that the incident cannot be reopened any more: a `Published`."""
        self._apply_event(
            POSTMORTEM_PUBLISHED,
            published,
            Published,
            lambda event: facts.postmortem_published(self._incident, workflow.now(), event.url),
        )

    def _apply_event(self, name: str, raw: RawValue, kind: type[T], apply: Callable[[T], Incident]) -> None:
        """Apply what a signal tells. One that cannot be read or applied is rejected in the timeline. Never raises."""
        try:
            self._incident = apply(workflow.payload_converter().from_payload(raw.payload, kind))
        except Exception as error:
            raise_if_of_the_sdk(error)
            self.reject_signal(name, "unknown", f"it cannot be applied: {in_one_line(error)}")
        self._loop.changed()

    @workflow.query(name=INCIDENT_QUERY, description="Everything known of the incident.")
    def incident(self) -> Incident:
        """Return the incident's current state."""
        return self._incident

    @workflow.query(name=TIMELINE_QUERY, description="What happened, in order.")
    def timeline(self) -> tuple[Entry, ...]:
        """Return the timeline."""
        return self._incident.timeline

    @workflow.query(name=AGENDA_QUERY, description="What is due, the earliest first.")
    def agenda(self) -> list[Obligation]:
        """Return every obligation that is owed now or later, as far as it can be derived."""
        try:
            return self.derive_agenda()
        except Exception as error:
            raise_if_of_the_sdk(error)
            return surviving_agenda(self._incident, self._runbook)
