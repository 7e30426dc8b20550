"""The live incident: from the alert to the resolution, and to the end of the reopen window."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from runbook import facts, outcomes
from runbook.agenda import agenda, patience
from runbook.board import details
from runbook.commands import COMMANDS, Command, Receipt
from runbook.decisions import decide
from runbook.duties import INNER_DUTIES, WITHDRAWABLE, Duty, Obligation
from runbook.effects import Outcome
from runbook.incident import Incident
from runbook.opening import open_incident
from runbook.requests import is_limited, parts, request
from runbook.rollback import RollbackProgress, RollbackResult
from runbook.rollback_facts import rollback_ended, rollback_moved
from runbook.timeline import Entry
from workflows import attributes
from workflows.children import (
    hand_over,
    preserve_evidence,
    start_rollback,
    tell_rollback,
    withdraw_postmortem,
)
from workflows.commands import takes
from workflows.contracts import AlertBatch, IncidentInput, Published
from workflows.hands import perform, unauthorized, why
from workflows.tracks import Alarm, Tracks, leave_trace

_DRAIN = timedelta(seconds=30)
"""How long work under way may take to end before continue-as-new cancels it; the next run does it again."""


@workflow.defn
@takes(*COMMANDS)
class IncidentWorkflow:
    """An interpreter of the incident's agenda: it waits for the next duty or a change, then fulfils or applies it."""

    @workflow.init
    def __init__(self, start: IncidentInput) -> None:
        """Open the incident, or take it over from the run before. Commands may arrive before `run` does."""
        self._start = start
        self._runbook = start.runbook
        self._tracks = Tracks()
        self._alarm = Alarm()
        self._stirred = False
        self._shown = attributes.known(workflow.info().typed_search_attributes)
        info = workflow.info()
        self._incident = start.incident or open_incident(
            start.opening,
            start.runbook,
            workflow.now(),
            workflow_id=info.workflow_id,
            run_key=info.first_execution_run_id,
        )

    @workflow.run
    async def run(self, start: IncidentInput) -> Incident:
        """Live through the incident and return it as it ended."""
        self._advance()
        while not self._ended():
            if self._is_long():
                await self._continue_as_new()
            await workflow.wait_condition(lambda: self._stirred or self._alarm.rang or self._tracks.ended())
            self._stirred = False
            self._tracks.reap()
            self._advance()
        self._alarm.clear()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._incident

    # --- the loop -------------------------------------------------------------------------------------------------

    def _ended(self) -> bool:
        return self._incident.closed and not len(self._tracks) and not agenda(self._incident, self._runbook)

    def _advance(self) -> None:
        """Begin every duty that is due, give up those that are no longer owed, and set the alarm for the next one."""
        now = self._alarm.now()
        self._do_inner_duties(now)
        owed = agenda(self._incident, self._runbook)
        self._tracks.withdraw_all_but([duty.key for duty in owed])
        waiting = [duty for duty in owed if duty.key not in self._tracks]
        for duty in waiting:
            if duty.due <= now:
                self._tracks.start(duty.key, self._fulfil(duty), withdrawable=duty.duty in WITHDRAWABLE)
        later = next((duty for duty in waiting if duty.due > now), None)
        armed = self._alarm.set(later.due if later else None, later.says if later else "")
        if not (self._show() or armed or any(duty.due <= now for duty in waiting)):
            leave_trace(self._incident.revision)

    def _do_inner_duties(self, now: datetime) -> None:
        """Fulfil what is due and needs no hands: these only change the state, and so the agenda."""
        while inner := [d for d in agenda(self._incident, self._runbook) if d.duty in INNER_DUTIES and d.due <= now]:
            self._incident = facts.inner_duty_due(self._incident, inner[0], self._runbook, now)

    async def _fulfil(self, duty: Obligation) -> None:
        """Have one duty done, and record what came of it."""
        try:
            outcome = await self._do(duty)
        except FailureError as error:
            if is_cancelled_exception(error):
                return  # withdrawn: neither done nor failed; its key stays among the begun ones
            self._incident = outcomes.failed(
                self._incident, duty, why(error), self._runbook, workflow.now(), unauthorized=unauthorized(error)
            )
        else:
            self._incident = outcomes.fulfilled(self._incident, duty, outcome, self._runbook, workflow.now())
        self._stirred = True

    async def _do(self, duty: Obligation) -> Outcome:
        """Do one duty: by another workflow, or by one of the hands."""
        incident = self._incident
        self._incident = outcomes.begun(incident, duty.key)
        if duty.duty in CHILD_DUTIES:
            return await CHILD_DUTIES[duty.duty](incident, duty, self._runbook)
        asked = request(duty, incident, self._runbook, workflow.now())
        if isinstance(asked, Outcome):
            return asked
        outcome, limited = Outcome(), is_limited(asked, self._runbook)
        for part in parts(asked):
            outcome = await perform(part, duty.says, incident.severity, patience(duty, self._runbook), limited=limited)
        return outcome

    def _is_long(self) -> bool:
        info = workflow.info()
        limit = self._start.history_limit
        return info.is_continue_as_new_suggested() or 0 < limit <= info.get_current_history_length()

    async def _continue_as_new(self) -> None:
        """Go on in a fresh run. Nothing is lost: what was begun and not ended is looked for and done there."""
        try:
            await workflow.wait_condition(lambda: self._tracks.all_ended(), timeout=_DRAIN)
        except TimeoutError:
            await self._tracks.cancel_all()
        self._tracks.reap()
        self._alarm.clear()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._start.but(incident=self._incident))

    def _show(self) -> bool:
        """Bring the Web UI and the search attributes up to date; tell whether that took a command."""
        workflow.set_current_details(details(self._incident, self._runbook))
        current = attributes.values(self._incident)
        if changed := attributes.changes(self._shown, current):
            workflow.upsert_search_attributes(changed)
            self._shown = current
        return bool(changed)

    # --- messages -------------------------------------------------------------------------------------------------

    def command(self, command: Command) -> Receipt:
        """Apply a responder's command."""
        before = len(self._incident.timeline)
        self._incident = decide(self._incident, command, self._runbook, workflow.now())
        self._stirred = True
        said = self._incident.timeline[before:]
        return Receipt(message=said[0].text if said else "Done.", revision=self._incident.revision)

    def consider(self, command: Command) -> None:
        """Raise what `command` would raise."""
        decide(self._incident, command, self._runbook, workflow.now())

    def refuse(self, name: str, by: str, why: str) -> None:
        """Record a signal that was refused."""
        self._incident = facts.refused(self._incident, name, by, why, workflow.now())
        self._stirred = True

    @workflow.signal(description="Alerts of this incident fire.")
    def alert_fired(self, batch: AlertBatch) -> None:
        """Take in alerts that fire."""
        self._incident = facts.alert_fired(self._incident, batch.alerts, self._runbook, workflow.now())
        self._stirred = True

    @workflow.signal(description="Alerts of this incident have ended.")
    def alert_resolved(self, batch: AlertBatch) -> None:
        """Take in the end of alerts."""
        self._incident = facts.alert_resolved(self._incident, batch.alerts, self._runbook, workflow.now())
        self._stirred = True

    @workflow.signal(description="A running rollback tells of its progress.")
    def rollback_moved(self, progress: RollbackProgress) -> None:
        """Record a step of a rollback."""
        self._incident = rollback_moved(self._incident, progress, workflow.now())
        self._stirred = True

    @workflow.signal(description="A rollback has ended.")
    def rollback_ended(self, result: RollbackResult) -> None:
        """Record the end of a rollback."""
        self._incident = rollback_ended(self._incident, result, self._runbook, workflow.now())
        self._stirred = True

    @workflow.signal(description="The post-mortem is published.")
    def postmortem_published(self, published: Published) -> None:
        """Record that the incident cannot be reopened any more."""
        self._incident = facts.postmortem_published(self._incident, workflow.now(), published.url)
        self._stirred = True

    @workflow.query(description="Everything known of the incident.")
    def incident(self) -> Incident:
        """Return the incident as it stands."""
        return self._incident

    @workflow.query(description="What happened, in order.")
    def timeline(self) -> tuple[Entry, ...]:
        """Return the timeline."""
        return self._incident.timeline

    @workflow.query(description="What is due, the earliest first.")
    def agenda(self) -> list[Obligation]:
        """Return every duty that is owed now or later."""
        return agenda(self._incident, self._runbook)


CHILD_DUTIES = {
    Duty.ROLLBACK: start_rollback,
    Duty.TELL_ROLLBACK: tell_rollback,
    Duty.EVIDENCE: preserve_evidence,
    Duty.POSTMORTEM: hand_over,
    Duty.WITHDRAW_POSTMORTEM: withdraw_postmortem,
}
"""Duties that another workflow takes over, or that are more than one request."""
