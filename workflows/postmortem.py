"""The post-mortem's own process: it outlives the incident and ends only on publication or a recorded waiver."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from runbook.commands import Command, Receipt
from runbook.draft import postmortem_request
from runbook.postmortem import (
    Postmortem,
    PostmortemDuty,
    PostmortemObligation,
    PublishPostmortem,
    Stage,
    WaivePostmortem,
    begun,
    breached,
    decide,
    failed,
    fulfilled,
    overview,
    owe,
    postmortem_agenda,
    resolved_again,
    withdraw,
)
from runbook.timeline import Entry
from workflows.commands import takes
from workflows.contracts import PostmortemInput, Published, Resolution
from workflows.hands import perform, why
from workflows.tracks import Alarm, Tracks, leave_trace

_WIND_DOWN = timedelta(seconds=5)
"""How long duties under way may take after the post-mortem is published or waived."""


@workflow.defn
@takes(PublishPostmortem, WaivePostmortem)
class PostmortemWorkflow:
    """Writes the draft, reminds the owner, and keeps the deadline."""

    @workflow.init
    def __init__(self, start: PostmortemInput) -> None:
        """Owe the post-mortem, or take it over from the run before."""
        self._start = start
        self._runbook = start.runbook
        self._tracks = Tracks()
        self._alarm = Alarm()
        self._stirred = False
        self._postmortem = start.postmortem or owe(start.incident, start.runbook, workflow.now())

    @workflow.run
    async def run(self, start: PostmortemInput) -> Postmortem:
        """Live until the post-mortem is published or waived."""
        while not self._postmortem.over:
            self._advance()
            if workflow.info().is_continue_as_new_suggested():
                await self._continue_as_new()
            await workflow.wait_condition(lambda: self._stirred or self._alarm.rang or self._tracks.ended())
            self._stirred = False
            self._tracks.reap()
        self._alarm.clear()
        workflow.set_current_details(overview(self._postmortem, self._runbook))
        await self._wind_down()
        await self._tell_incident()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._postmortem

    def _advance(self) -> None:
        now = self._alarm.now()
        owed = postmortem_agenda(self._postmortem, self._runbook)
        started = False
        for duty in owed:
            if duty.due <= now and duty.key not in self._tracks:
                if duty.duty is PostmortemDuty.BREACH:
                    self._postmortem = breached(self._postmortem, duty, now)
                else:
                    self._tracks.start(duty.key, self._fulfil(duty))
                    started = True
        later = next((duty for duty in owed if duty.due > now), None)
        armed = self._alarm.set(later.due if later else None, later.says if later else "")
        workflow.set_current_details(overview(self._postmortem, self._runbook))
        if not (started or armed):
            leave_trace(self._postmortem.revision)

    async def _fulfil(self, duty: PostmortemObligation) -> None:
        effect = postmortem_request(duty, self._postmortem, self._runbook, workflow.now())
        self._postmortem = begun(self._postmortem, duty.key)
        patience = self._runbook.patience.publish
        try:
            outcome = await perform(effect, duty.says, self._postmortem.incident.highest_severity, patience)
        except ActivityError as error:
            if is_cancelled_exception(error):
                return
            self._postmortem = failed(self._postmortem, duty, why(error), workflow.now())
        else:
            self._postmortem = fulfilled(self._postmortem, duty, outcome, workflow.now())
        self._stirred = True

    async def _wind_down(self) -> None:
        """Let what is under way end, and give it up if it takes long.

        Never at once: a workflow task that ends the workflow while an activity is just completing is thrown away by
        the server, and with it the answer to the command that brought the end.
        """
        try:
            await workflow.wait_condition(self._tracks.all_ended, timeout=_WIND_DOWN, timeout_summary="Wind down")
        except TimeoutError:
            await self._tracks.cancel_all()

    async def _continue_as_new(self) -> None:
        await self._tracks.cancel_all()
        self._alarm.clear()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._start.but(postmortem=self._postmortem))

    async def _tell_incident(self) -> None:
        """Tell the incident that it cannot be reopened any more, if it is still there to be told."""
        if self._postmortem.stage is not Stage.PUBLISHED:
            return
        incident = workflow.get_external_workflow_handle(self._postmortem.incident.workflow_id)
        try:
            await incident.signal("postmortem_published", Published(url=self._postmortem.document_url))
        except ApplicationError as error:
            workflow.logger.info("the incident has ended: %s", error.message)

    # --- messages -------------------------------------------------------------------------------------------------

    def command(self, command: Command) -> Receipt:
        """Apply a responder's command."""
        self._postmortem = decide(self._postmortem, command, workflow.now())
        self._stirred = True
        return Receipt(message=self._postmortem.timeline[-1].text, revision=self._postmortem.revision)

    def consider(self, command: Command) -> None:
        """Raise what `command` would raise."""
        decide(self._postmortem, command, workflow.now())

    def refuse(self, name: str, by: str, why: str) -> None:
        """Record a signal that was refused."""
        self._postmortem = self._postmortem.logged(workflow.now(), by, f"{name} refused: {why}")
        self._stirred = True

    @workflow.signal(description="The incident was reopened: the deadline is withdrawn.")
    def incident_reopened(self) -> None:
        """Stop the deadline."""
        self._postmortem = withdraw(self._postmortem, workflow.now())
        self._stirred = True

    @workflow.signal(description="The reopened incident was resolved again: the deadline counts from now.")
    def incident_resolved(self, resolution: Resolution) -> None:
        """Start the deadline again."""
        self._postmortem = resolved_again(self._postmortem, resolution.incident, self._runbook, workflow.now())
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
