"""The live incident: from the alert to the resolution, and to the end of the reopen window."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from incidents import search_attributes as attributes
from incidents.contracts import IncidentInput
from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import ActivityResult
from incidents.domain.adoption.adoption import AdoptRunbook, adopt
from incidents.domain.agenda import agenda, surviving_agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import is_limited, request
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command, Receipt
from incidents.domain.core.program_errors import in_one_line
from incidents.domain.core.timeline import Entry
from incidents.domain.incident.display.current_details import render_current_details
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident, open_minimal_incident, with_known_severity
from incidents.domain.incident.state import Opening
from incidents.domain.mailing import combined, rest_of
from incidents.domain.obligation import Obligation
from incidents.domain.registry import retry_for, spec_of
from incidents.domain.updates.obligations import redact_page
from incidents.names import AGENDA_QUERY, INCIDENT_QUERY, TIMELINE_QUERY
from workflows.activity_failures import attempts, unauthorized, why
from workflows.activity_options import is_tried_again, perform_owed, repeat_after
from workflows.children import notify_postmortem_of_closing, run_step
from workflows.commands.adoption import AdoptionCommand
from workflows.commands.recovery import RecoveryCommands
from workflows.commands.response import ResponseCommands
from workflows.commands.rollback import RollbackCommands
from workflows.evidence.archive import archiving
from workflows.incident_events import IncidentEvents
from workflows.obligation_loop import ObligationLoop, raise_if_of_the_sdk
from workflows.telemetry.measures import Measures

_CLOSED_IS_SENT = "incident-closed"
"""Patch: histories recorded before end without that signal."""
_PAGE_IS_REDACTED = "redact-page"
"""Patch: histories recorded before leave on the status page what was published before an incident became private."""


@workflow.defn
class IncidentWorkflow(ResponseCommands, RollbackCommands, RecoveryCommands, AdoptionCommand, IncidentEvents):
    """The incident's state, its agenda and what fulfills it; the `ObligationLoop` runs it."""

    @workflow.init
    def __init__(self, start: IncidentInput) -> None:
        """Open the incident, or take it over from the run before. Commands may arrive before `run` does."""
        self._start = start
        self._runbook = start.runbook
        self._shown = attributes.known(workflow.info().typed_search_attributes)
        self._loop: ObligationLoop[Obligation] = ObligationLoop(self, start.history_limit)
        self._measures = Measures(start.incident)
        self._incident = start.incident or self._open(start.opening)
        self._left_in_progress = frozenset(attempt.key for attempt in self._incident.ledger.begun)

    @workflow.run
    async def run(self, start: IncidentInput) -> Incident:
        """Live through the incident and return it as it ended."""
        over = await self._loop.run()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not over:
            workflow.continue_as_new(self._start.replace(incident=self._incident))
        if self._incident.postmortem.pending and workflow.patched(_CLOSED_IS_SENT):
            await notify_postmortem_of_closing(self._incident)
        return self._incident

    def _open(self, opening: Opening) -> Incident:
        """Open the incident; if that fails, open it with the minimum that cannot fail, so that on-call is paged."""
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
        """Record it, and continue with paging, notifications, and the obligations that can still be derived."""
        self._incident = outcomes.agenda_broke(self._incident, in_one_line(error), at)
        return surviving_agenda(self._incident, self._runbook)

    def is_inner(self, obligation: Obligation) -> bool:
        """Tell whether the incident fulfills it by changing its own state."""
        return spec_of(obligation).apply_due is not None

    def is_withdrawable(self, obligation: Obligation) -> bool:
        """Tell whether it is given up when it is no longer owed."""
        return spec_of(obligation).withdrawable

    def repeat_after(self, obligation: Obligation) -> timedelta:
        """Return how long an attempt that the run before left may still act; zero if there is none."""
        if obligation.key not in self._left_in_progress or spec_of(obligation).workflow_step is not None:
            return timedelta()
        return repeat_after(request(obligation, self._incident, self._runbook, workflow.now()))

    def fulfill_inner(self, obligation: Obligation, at: datetime) -> None:
        """Apply an obligation that needs no activity."""
        self._incident = outcomes.apply_due(self._incident, obligation, self._runbook, at)

    async def fulfill(self, obligation: Obligation) -> None:
        """Fulfill one obligation, and record its result."""
        try:
            outcome = await self._do(obligation)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise  # withdrawn: its key stays among the begun ones
            self._incident = outcomes.failed(
                self._incident,
                obligation,
                why(error),
                self._runbook,
                workflow.now(),
                unauthorized=unauthorized(error),
                attempts=attempts(error),
                again=is_tried_again(spec_of(obligation).postpones),
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
        self._incident = outcomes.begun(incident, obligation, self._runbook)
        if (step := spec_of(obligation).workflow_step) is not None:
            return await run_step(step, incident, obligation, self._start)
        asked = request(obligation, incident, self._runbook, workflow.now())
        if isinstance(asked, ActivityResult):
            return asked
        rank, limited = self._runbook.rank(incident.severity), is_limited(asked, self._runbook)
        limit = retry_for(obligation, self._runbook)
        outcome = await perform_owed(asked, obligation.summary, rank, limit, limited=limited)
        while (rest := rest_of(asked, outcome)) is not None:
            outcome = combined(outcome, await perform_owed(rest, obligation.summary, rank, limit))
        return outcome

    def show(self, owed: Sequence[Obligation]) -> bool:
        """Bring metrics, Web UI and search attributes up to date; tell whether that took a command."""
        self._measures.record(self._incident)
        try:
            workflow.set_current_details(render_current_details(self._incident, self._runbook, owed))
            current = attributes.values(self._incident, self._runbook)
        except Exception as error:
            raise_if_of_the_sdk(error)
            workflow.set_current_details(
                f"Cannot display the incident: {in_one_line(error)}. The incident itself continues."
            )
            return False
        if changed := attributes.changes(self._shown, current):
            workflow.upsert_search_attributes(changed)
            self._shown = current
        return bool(changed)

    async def after_step(self) -> None:
        """Do nothing more."""

    def last_work(self) -> Coroutine[Any, Any, None] | None:
        """Return the work of moving to the archive what the next run need not carry."""
        return archiving(lambda: self._incident, self.change)

    @property
    def runbook(self) -> RunbookConfig:
        """The incident's runbook."""
        return self._runbook

    def change(self, by: Callable[[Incident], Incident]) -> None:
        """Replace the incident by what `by` makes of it."""
        before, self._incident = self._incident, by(self._incident)
        self._redact_if_private_since(before)
        self._loop.changed()

    def _redact_if_private_since(self, before: Incident) -> None:
        """Ask for the removal from the status page of an incident that has just become private."""
        if self._incident.private and not before.private and workflow.patched(_PAGE_IS_REDACTED):
            self._incident = redact_page(self._incident)

    # --- messages -------------------------------------------------------------------------------------------------

    def apply_command(self, command: Command) -> Receipt:
        """Apply a responder's command."""
        before = self._incident
        self._incident = self._after(command)
        if isinstance(command, AdoptRunbook):
            self._runbook = command.runbook
            self._start = self._start.replace(runbook=command.runbook)
        self._redact_if_private_since(before)
        self._loop.changed()
        said = self._incident.timeline[len(before.timeline) :]
        return Receipt(message=said[0].text if said else "Done.", revision=self._incident.revision)

    def validate_command(self, command: Command) -> None:
        """Raise what `apply_command` would raise, changing nothing."""
        self._after(command)

    def _after(self, command: Command) -> Incident:
        if isinstance(command, AdoptRunbook):
            return adopt(self._incident, command, self._runbook, workflow.now())
        return apply_command(self._incident, command, self._runbook, workflow.now())

    def unchanged(self) -> None:
        """Note that a signal was received that changes nothing: it leaves an event all the same."""
        self._loop.changed()

    def reject_signal(self, name: str, by: str, reason: str) -> None:
        """Record a rejected signal in the timeline."""
        self._incident = facts.refused(self._incident, name, by, reason, workflow.now())
        self._loop.changed()

    @workflow.query(name=INCIDENT_QUERY, description="State of the incident.")
    def incident(self) -> Incident:
        """Return the incident's current state."""
        return self._incident

    @workflow.query(name=TIMELINE_QUERY, description="Timeline, in order.")
    def timeline(self) -> tuple[Entry, ...]:
        """Return the timeline."""
        return self._incident.timeline

    @workflow.query(name=AGENDA_QUERY, description="Obligations, earliest first.")
    def agenda(self) -> list[Obligation]:
        """Return every obligation that is owed now or later, as far as it can be derived."""
        try:
            return self.derive_agenda()
        except Exception as error:
            raise_if_of_the_sdk(error)
            return surviving_agenda(self._incident, self._runbook)
