"""The post-mortem's own process: it outlives the incident, and ends when everything that can be learnt is learnt."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from incidents import search_attributes as attributes
from incidents.contracts import (
    COMMAND_REFUSED,
    INCIDENT_CANCELLED,
    INCIDENT_CLOSED,
    INCIDENT_REOPENED,
    INCIDENT_RESOLVED,
    ISSUE_CHANGED,
    POSTMORTEM_PUBLISHED,
    POSTMORTEM_WAIVED,
    PostmortemInput,
    Published,
    Resolution,
    Unauthorized,
    Waived,
)
from incidents.domain.activity_results import ActivityResult, DocumentRead, IssueFact
from incidents.domain.core.command import Command, Receipt
from incidents.domain.core.program_errors import in_one_line
from incidents.domain.core.timeline import Entry
from incidents.domain.postmortem import events as facts
from incidents.domain.postmortem.apply_command import apply_command
from incidents.domain.postmortem.build_request import postmortem_request
from incidents.domain.postmortem.current_details import render_current_details
from incidents.domain.postmortem.document.blameless import describe_new_blame
from incidents.domain.postmortem.document.edits import own_version, recognize_own_version
from incidents.domain.postmortem.issue_changes import apply_issue_changes
from incidents.domain.postmortem.obligations.obligation import PostmortemObligation
from incidents.domain.postmortem.obligations.registry import postmortem_agenda, spec_of, surviving_agenda
from incidents.domain.postmortem.postmortem import (
    Postmortem,
    Stage,
    cancel,
    open_postmortem,
    restart_deadline,
    take_over_channel,
    withdraw,
)
from incidents.names import AGENDA_QUERY, POSTMORTEM_QUERY, TIMELINE_QUERY
from workflows.activity_failures import why
from workflows.activity_options import is_tried_again, perform_owed, repeat_after
from workflows.commands.postmortem import PostmortemCommands
from workflows.obligation_loop import ObligationLoop, raise_if_of_the_sdk

_OWN_VERSION_IS_KNOWN = "own-version-is-known"
"""Patch: histories recorded before take a file of ours for an edit while its proposal is in progress."""


@workflow.defn
class PostmortemWorkflow(PostmortemCommands):
    """The post-mortem's state, its agenda and what fulfills it; the `ObligationLoop` runs it."""

    @workflow.init
    def __init__(self, start: PostmortemInput) -> None:
        """Owe the post-mortem, or take it over from the run before."""
        self._start = start
        self._runbook = start.runbook
        self._loop: ObligationLoop[PostmortemObligation] = ObligationLoop(self, start.history_limit)
        self._incident_notified = start.incident_notified
        self._shown = attributes.known(workflow.info().typed_search_attributes)
        self._postmortem = start.postmortem or open_postmortem(start.incident, start.runbook, workflow.now())
        self._left_in_progress = frozenset(attempt.key for attempt in self._postmortem.ledger.begun)

    @workflow.run
    async def run(self, start: PostmortemInput) -> Postmortem:
        """Live until it is waived, or published, reviewed, and its last action item settled."""
        over = await self._loop.run()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not over:
            workflow.continue_as_new(
                self._start.replace(postmortem=self._postmortem, incident_notified=self._incident_notified)
            )
        return self._postmortem

    # --- what the loop interprets -----------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """The post-mortem's revision."""
        return self._postmortem.revision

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more is to be learned."""
        return self._postmortem.ended

    def derive_agenda(self) -> list[PostmortemObligation]:
        """Return the post-mortem's agenda."""
        return postmortem_agenda(self._postmortem, self._runbook)

    def agenda_failed(self, error: Exception, at: datetime) -> list[PostmortemObligation]:
        """Record it, and continue with notifying the operators."""
        self._postmortem = facts.record_agenda_error(self._postmortem, in_one_line(error), at)
        return surviving_agenda(self._postmortem, self._runbook)

    def is_inner(self, obligation: PostmortemObligation) -> bool:
        """Tell whether the post-mortem fulfills it by changing its own state."""
        return spec_of(obligation).apply_due is not None

    def is_withdrawable(self, obligation: PostmortemObligation) -> bool:
        """Tell whether it is given up when it is no longer owed."""
        return spec_of(obligation).poll is not None

    def repeat_after(self, obligation: PostmortemObligation) -> timedelta:
        """Return how long an attempt that the run before left may still act; zero if there is none."""
        if obligation.key not in self._left_in_progress:
            return timedelta()
        return repeat_after(postmortem_request(obligation, self._postmortem, self._runbook, workflow.now()))

    def fulfill_inner(self, obligation: PostmortemObligation, at: datetime) -> None:
        """Apply an obligation that needs no activity."""
        self._postmortem = facts.apply_due(self._postmortem, obligation, self._runbook, at)

    async def fulfill(self, obligation: PostmortemObligation) -> None:
        """Fulfill one obligation, and record its result."""
        asked = postmortem_request(obligation, self._postmortem, self._runbook, workflow.now())
        self._postmortem = facts.mark_begun(self._postmortem, obligation)
        rank = self._runbook.rank(self._postmortem.incident.highest_severity)
        limit = spec_of(obligation).retry_for(self._runbook)
        try:
            if isinstance(asked, ActivityResult):
                outcome = asked
            else:
                outcome = await perform_owed(asked, obligation.summary, rank, limit)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            self._postmortem = facts.record_failure(
                self._postmortem,
                obligation,
                why(error),
                self._runbook,
                workflow.now(),
                again=is_tried_again(spec_of(obligation).postpones),
            )
        else:
            self._recognize_own_version(outcome)
            self._postmortem = facts.apply_result(self._postmortem, obligation, outcome, self._runbook, workflow.now())

    def obligation_failed(self, obligation: PostmortemObligation, error: Exception, at: datetime) -> None:
        """Record that an error of this program kept it from being done."""
        said = in_one_line(error)
        try:
            reason = f"error in this program ({said})"
            self._postmortem = facts.record_failure(self._postmortem, obligation, reason, self._runbook, at)
        except Exception as second:
            raise_if_of_the_sdk(second)
            self._postmortem = facts.record_program_error(self._postmortem, obligation, said, at)
        self._postmortem = facts.record_fault(self._postmortem, obligation, said, at)

    def _recognize_own_version(self, outcome: ActivityResult) -> None:
        """Take no version that this program wrote for an edit: an action item of it would be added once more."""
        own = own_version(self._postmortem, outcome) if isinstance(outcome, DocumentRead) else None
        if own is not None and workflow.patched(_OWN_VERSION_IS_KNOWN):
            self._postmortem = recognize_own_version(self._postmortem, own)

    def last_work(self) -> None:
        """Return None: a post-mortem's state stays small without archiving."""

    async def after_step(self) -> None:
        """Notify the incident, once, that the post-mortem is published or waived."""
        if self._incident_notified or self._postmortem.stage not in (Stage.PUBLISHED, Stage.WAIVED):
            return
        self._incident_notified = True
        if self._postmortem.archives_channel:  # it has closed: under its id runs at most another incident
            return
        self._loop.start("notify-incident", self._notify_incident())

    async def _notify_incident(self) -> None:
        first = self._postmortem.incident.first_run_id
        incident = workflow.get_external_workflow_handle(self._postmortem.incident.workflow_id)
        try:
            if self._postmortem.stage is Stage.WAIVED:
                await incident.signal(POSTMORTEM_WAIVED, Waived(first_run_id=first))
            else:
                published = Published(url=self._postmortem.document_url, first_run_id=first)
                await incident.signal(POSTMORTEM_PUBLISHED, published)
        except ApplicationError as error:
            workflow.logger.info("the incident has ended: %s", error.message)
            self._postmortem = take_over_channel(self._postmortem)
            self._loop.changed()

    def show(self, owed: Sequence[PostmortemObligation]) -> bool:
        """Bring the Web UI and the search attributes up to date; tell whether that took a command."""
        try:
            workflow.set_current_details(render_current_details(self._postmortem, self._runbook, owed))
            current = attributes.of_postmortem(self._postmortem)
        except Exception as error:
            raise_if_of_the_sdk(error)
            workflow.set_current_details(
                f"Cannot display the post-mortem: {in_one_line(error)}. The post-mortem itself continues."
            )
            return False
        if changed := attributes.changes(self._shown, current):
            workflow.upsert_search_attributes(changed)
            self._shown = current
        return bool(changed)

    # --- messages -------------------------------------------------------------------------------------------------

    def apply_command(self, command: Command) -> Receipt:
        """Apply a responder's command. Only its receipt has the warnings of the blameless check (behaviour 106)."""
        before, document = len(self._postmortem.timeline), self._postmortem.document
        self._postmortem = apply_command(self._postmortem, command, self._runbook, workflow.now())
        self._loop.changed()
        said = self._postmortem.timeline[before:]
        warning = describe_new_blame(document, self._postmortem.document, self._runbook.postmortem.blaming)
        message = said[0].text if said else "Done."
        return Receipt(message=f"{message}. {warning}" if warning else message, revision=self._postmortem.revision)

    def validate_command(self, command: Command) -> None:
        """Raise what `apply_command` would raise, changing nothing."""
        apply_command(self._postmortem, command, self._runbook, workflow.now())

    def unchanged(self) -> None:
        """Note that a signal was received that changes nothing: it leaves an event all the same."""
        self._loop.changed()

    def reject_signal(self, name: str, by: str, reason: str) -> None:
        """Record a rejected signal in the timeline."""
        self._postmortem = self._postmortem.logged(workflow.now(), by, f"{name} rejected: {reason}")
        self._loop.changed()

    @workflow.signal(name=INCIDENT_REOPENED, description="The incident was reopened: the deadline is withdrawn.")
    def incident_reopened(self) -> None:
        """Stop the deadline."""
        self._apply_event(INCIDENT_REOPENED, lambda: withdraw(self._postmortem, workflow.now()))

    @workflow.signal(name=INCIDENT_CANCELLED, description="The incident was cancelled as a false alarm.")
    def incident_cancelled(self) -> None:
        """End: there is nothing to learn from."""
        self._apply_event(INCIDENT_CANCELLED, lambda: cancel(self._postmortem, workflow.now()))

    @workflow.signal(name=INCIDENT_CLOSED, description="The incident closed: its channel is archived here.")
    def incident_closed(self) -> None:
        """Take over the incident's channel."""
        self._apply_event(INCIDENT_CLOSED, lambda: take_over_channel(self._postmortem))

    @workflow.signal(name=INCIDENT_RESOLVED, description="The incident was resolved: the deadline counts from then.")
    def incident_resolved(self, resolution: Resolution) -> None:
        """Start the deadline."""
        self._apply_event(
            INCIDENT_RESOLVED,
            lambda: restart_deadline(self._postmortem, resolution.incident, self._runbook, workflow.now()),
        )

    @workflow.signal(name=COMMAND_REFUSED, description="A command was refused: its sender is not authorized.")
    def command_refused(self, refused: Unauthorized) -> None:
        """Record it."""
        text = f"{refused.command} refused: {refused.reason}"
        self._apply_event(COMMAND_REFUSED, lambda: self._postmortem.logged(workflow.now(), refused.by, text))

    @workflow.signal(name=ISSUE_CHANGED, description="An issue of an action item was changed.")
    def issue_changed(self, change: IssueFact) -> None:
        """Take in what GitHub's webhook tells."""
        self._apply_event(ISSUE_CHANGED, lambda: apply_issue_changes(self._postmortem, (change,), workflow.now()))

    def _apply_event(self, name: str, apply: Callable[[], Postmortem]) -> None:
        """Apply what a signal tells. One that cannot be applied is rejected in the timeline. Never raises."""
        try:
            self._postmortem = apply()
        except Exception as error:
            raise_if_of_the_sdk(error)
            self.reject_signal(name, "unknown", f"it cannot be applied: {in_one_line(error)}")
        self._loop.changed()

    @workflow.query(name=POSTMORTEM_QUERY, description="State of the post-mortem.")
    def postmortem(self) -> Postmortem:
        """Return the post-mortem as it stands."""
        return self._postmortem

    @workflow.query(name=TIMELINE_QUERY, description="Timeline, in order.")
    def timeline(self) -> tuple[Entry, ...]:
        """Return the timeline."""
        return self._postmortem.timeline

    @workflow.query(name=AGENDA_QUERY, description="Obligations, earliest first.")
    def agenda(self) -> list[PostmortemObligation]:
        """Return every obligation that is owed now or later, as far as it can be derived."""
        try:
            return self.derive_agenda()
        except Exception as error:
            raise_if_of_the_sdk(error)
            return surviving_agenda(self._postmortem, self._runbook)
