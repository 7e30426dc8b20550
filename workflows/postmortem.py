"""The post-mortem's own process: it outlives the incident, and ends when everything that can be learnt is learnt."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from runbook.commands import Command, CorrectTime, Receipt
from runbook.effects import IssueFact, Outcome
from runbook.learning import facts
from runbook.learning.agenda import INNER, LOOKS, PostmortemObligation, postmortem_agenda
from runbook.learning.board import details
from runbook.learning.commands import POSTMORTEM_COMMANDS
from runbook.learning.decisions import decide
from runbook.learning.postmortem import Postmortem, Stage, cancel, owe, resolved_again, withdraw
from runbook.learning.requests import patience_of, postmortem_request
from runbook.timeline import Entry
from workflows import attributes
from workflows.commands import takes
from workflows.contracts import PostmortemInput, Published, Resolution
from workflows.hands import perform, why
from workflows.tracks import Alarm, Tracks, leave_trace

_WIND_DOWN = timedelta(seconds=5)
"""How long looks under way may take to end when the process ends."""


@workflow.defn
@takes(*POSTMORTEM_COMMANDS, CorrectTime)
class PostmortemWorkflow:
    """An interpreter of the post-mortem's agenda, as the incident's workflow is of the incident's."""

    @workflow.init
    def __init__(self, start: PostmortemInput) -> None:
        """Owe the post-mortem, or take it over from the run before."""
        self._start = start
        self._runbook = start.runbook
        self._tracks = Tracks()
        self._alarm = Alarm()
        self._stirred = False
        self._told = start.told
        self._shown = attributes.known(workflow.info().typed_search_attributes)
        self._postmortem = start.postmortem or owe(start.incident, start.runbook, workflow.now())

    @workflow.run
    async def run(self, start: PostmortemInput) -> Postmortem:
        """Live until it is waived, or published, reviewed, and its last action item settled."""
        self._advance()
        while not self._ended():
            if self._is_long():
                await self._continue_as_new()
            await workflow.wait_condition(lambda: self._stirred or self._alarm.rang or self._tracks.ended())
            self._stirred = False
            self._tracks.reap()
            self._advance()
            await self._tell_incident()
        self._alarm.clear()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._postmortem

    def _ended(self) -> bool:
        return (
            self._postmortem.ended and not len(self._tracks) and not postmortem_agenda(self._postmortem, self._runbook)
        )

    def _advance(self) -> None:
        """Begin every duty that is due, give up those that are no longer owed, and set the alarm for the next one."""
        now = self._alarm.now()
        self._do_inner_duties(now)
        owed = postmortem_agenda(self._postmortem, self._runbook)
        self._tracks.withdraw_all_but([duty.key for duty in owed])
        waiting = [duty for duty in owed if duty.key not in self._tracks]
        for duty in waiting:
            if duty.due <= now:
                self._tracks.start(duty.key, self._fulfil(duty), withdrawable=duty.duty in LOOKS)
        later = next((duty for duty in waiting if duty.due > now), None)
        armed = self._alarm.set(later.due if later else None, later.says if later else "")
        if not (self._show() or armed or any(duty.due <= now for duty in waiting)):
            leave_trace(self._postmortem.revision)

    def _do_inner_duties(self, now: datetime) -> None:
        """Fulfil what is due and needs no hands: these only change the state, and so the agenda."""

        def due() -> list[PostmortemObligation]:
            owed = postmortem_agenda(self._postmortem, self._runbook)
            return [duty for duty in owed if duty.duty in INNER and duty.due <= now]

        while inner := due():
            self._postmortem = facts.inner_duty_due(self._postmortem, inner[0], self._runbook, now)

    async def _fulfil(self, duty: PostmortemObligation) -> None:
        """Have one duty done, and record what came of it."""
        asked = postmortem_request(duty, self._postmortem, self._runbook, workflow.now())
        self._postmortem = facts.begun(self._postmortem, duty.key)
        severity, patience = self._postmortem.incident.highest_severity, patience_of(duty, self._runbook)
        try:
            outcome = asked if isinstance(asked, Outcome) else await perform(asked, duty.says, severity, patience)
        except ActivityError as error:
            if is_cancelled_exception(error):
                return
            self._postmortem = facts.failed(self._postmortem, duty, why(error), self._runbook, workflow.now())
        else:
            self._postmortem = facts.fulfilled(self._postmortem, duty, outcome, self._runbook, workflow.now())
        self._stirred = True

    def _is_long(self) -> bool:
        info = workflow.info()
        limit = self._start.history_limit
        return info.is_continue_as_new_suggested() or 0 < limit <= info.get_current_history_length()

    async def _continue_as_new(self) -> None:
        """Go on in a fresh run. What was begun and not ended is looked for and done there."""
        try:
            await workflow.wait_condition(self._tracks.all_ended, timeout=_WIND_DOWN, timeout_summary="Wind down")
        except TimeoutError:
            await self._tracks.cancel_all()
        self._tracks.reap()
        self._alarm.clear()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._start.but(postmortem=self._postmortem, told=self._told))

    async def _tell_incident(self) -> None:
        """Tell the incident that it cannot be reopened any more, once, if it is still there to be told."""
        if self._told or self._postmortem.stage is not Stage.PUBLISHED:
            return
        self._told = True
        incident = workflow.get_external_workflow_handle(self._postmortem.incident.workflow_id)
        try:
            await incident.signal("postmortem_published", Published(url=self._postmortem.document_url))
        except ApplicationError as error:
            workflow.logger.info("the incident has ended: %s", error.message)

    def _show(self) -> bool:
        """Bring the Web UI and the search attributes up to date; tell whether that took a command."""
        workflow.set_current_details(details(self._postmortem, self._runbook))
        current = attributes.of_postmortem(self._postmortem)
        changed = attributes.changes(self._shown, current)
        if changed:
            workflow.upsert_search_attributes(changed)
            self._shown = current
        return bool(changed)

    # --- messages -------------------------------------------------------------------------------------------------

    def command(self, command: Command) -> Receipt:
        """Apply a responder's command."""
        before = len(self._postmortem.timeline)
        self._postmortem = decide(self._postmortem, command, self._runbook, workflow.now())
        self._stirred = True
        said = self._postmortem.timeline[before:]
        return Receipt(message=said[0].text if said else "Done.", revision=self._postmortem.revision)

    def consider(self, command: Command) -> None:
        """Raise what `command` would raise."""
        decide(self._postmortem, command, self._runbook, workflow.now())

    def refuse(self, name: str, by: str, why: str) -> None:
        """Record a signal that was refused."""
        self._postmortem = self._postmortem.logged(workflow.now(), by, f"{name} refused: {why}")
        self._stirred = True

    @workflow.signal(description="The incident was reopened: the deadline is withdrawn.")
    def incident_reopened(self) -> None:
        """Stop the deadline."""
        self._postmortem = withdraw(self._postmortem, workflow.now())
        self._stirred = True

    @workflow.signal(description="The incident was cancelled: it was none.")
    def incident_cancelled(self) -> None:
        """End: there is nothing to learn from."""
        self._postmortem = cancel(self._postmortem, workflow.now())
        self._stirred = True

    @workflow.signal(description="The incident was resolved: the deadline counts from then.")
    def incident_resolved(self, resolution: Resolution) -> None:
        """Start the deadline."""
        self._postmortem = resolved_again(self._postmortem, resolution.incident, self._runbook, workflow.now())
        self._stirred = True

    @workflow.signal(description="An issue of an action item was changed.")
    def issue_changed(self, change: IssueFact) -> None:
        """Take in what GitHub's webhook tells."""
        self._postmortem = facts.issues_changed(self._postmortem, (change,), workflow.now())
        self._stirred = True

    @workflow.query(description="Everything known of the post-mortem.")
    def postmortem(self) -> Postmortem:
        """Return the post-mortem as it stands."""
        return self._postmortem

    @workflow.query(description="What happened, in order.")
    def timeline(self) -> tuple[Entry, ...]:
        """Return the timeline."""
        return self._postmortem.timeline

    @workflow.query(description="What is due, the earliest first.")
    def agenda(self) -> list[PostmortemObligation]:
        """Return every duty that is owed now or later."""
        return postmortem_agenda(self._postmortem, self._runbook)
