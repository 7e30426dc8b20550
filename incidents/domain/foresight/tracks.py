"""What a simulation advances: an incident, and the post-mortem that follows it, each by its own rules."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

from incidents.domain import apply_result
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.agenda import agenda
from incidents.domain.archiving import Limits, apply_chunk, next_chunk
from incidents.domain.build_request import request
from incidents.domain.config.model import RunbookConfig
from incidents.domain.foresight.answers import answer_step
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.obligation_spec import WorkflowStep
from incidents.domain.postmortem import events
from incidents.domain.postmortem.build_request import postmortem_request
from incidents.domain.postmortem.obligations import registry as postmortem_registry
from incidents.domain.postmortem.obligations.obligation import PostmortemObligation
from incidents.domain.postmortem.obligations.registry import postmortem_agenda
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.domain.registry import spec_of
from incidents.domain.updates.obligations import is_publication

_MANY = 120
"""Fulfilled obligations from which on archiving is worth its time."""
_ARCHIVED = Limits(window=5_000, most=20, least=10_000)
O = TypeVar("O", Obligation, PostmortemObligation)  # noqa: E741 - an obligation


class Track(ABC, Generic[O]):
    """A value with an agenda. `prefix`: what its keys begin with, beside those of the others.

    `owed`: the agenda as it was last derived.
    """

    prefix = ""
    owed: Sequence[O] = ()

    @abstractmethod
    def agenda(self) -> list[O]:
        """Return what is owed, now or later, the earliest first."""

    @abstractmethod
    def apply_inner(self, obligation: O, at: datetime) -> bool:
        """Fulfil an obligation that only changes the value itself; tell whether it was one."""

    @abstractmethod
    def begin(self, obligation: O, at: datetime) -> ActivityRequest | ActivityResult:
        """Return the request that fulfils an obligation, or its result if nothing is asked for."""

    @abstractmethod
    def finish(self, obligation: O, result: ActivityResult, at: datetime) -> None:
        """Apply a result."""

    @abstractmethod
    def is_housekeeping(self, obligation: O) -> bool:
        """Tell whether it keeps records and the channel current, or only prepares others."""

    @abstractmethod
    def workflow_step(self, obligation: O) -> WorkflowStep | None:
        """Return the step of another workflow that fulfils it; None if there is none."""


class IncidentTrack(Track[Obligation]):
    """An incident under a runbook."""

    def __init__(self, incident: Incident, runbook: RunbookConfig) -> None:
        self.incident, self._runbook = incident, runbook

    def follow(self, runbook: RunbookConfig) -> None:
        """Follow another runbook from now on."""
        self._runbook = runbook

    def agenda(self) -> list[Obligation]:
        """Return the incident's agenda."""
        return agenda(self.incident, self._runbook)

    def apply_inner(self, obligation: Obligation, at: datetime) -> bool:
        """As of `Track`."""
        if spec_of(obligation).apply_due is None:
            return False
        self.incident = apply_result.apply_due(self.incident, obligation, self._runbook, at)
        return True

    def begin(self, obligation: Obligation, at: datetime) -> ActivityRequest | ActivityResult:
        """As of `Track`. A step of another workflow succeeds at once."""
        self.incident = apply_result.begun(self.incident, obligation, self._runbook)
        step = spec_of(obligation).workflow_step
        return answer_step(step) if step else request(obligation, self.incident, self._runbook, at)

    def finish(self, obligation: Obligation, result: ActivityResult, at: datetime) -> None:
        """As of `Track`."""
        self.incident = apply_result.fulfilled(self.incident, obligation, result, self._runbook, at)

    def is_housekeeping(self, obligation: Obligation) -> bool:
        """As of `Track`. An update's deliveries stand for the update."""
        return spec_of(obligation).housekeeping or is_publication(obligation)

    def workflow_step(self, obligation: Obligation) -> WorkflowStep | None:
        """As of `Track`."""
        return spec_of(obligation).workflow_step

    def archive(self) -> None:
        """Move what no rule needs any more to an archive that nobody reads, so that a long run stays fast."""
        if len(self.incident.ledger.fulfilled) < _MANY:
            return
        chunk = next_chunk(self.incident, _ARCHIVED, hashed=False)
        if chunk is not None:
            ref = chunk.ref(self.incident.name, self.incident.timeline[-1].at)
            self.incident = apply_chunk(self.incident, chunk, ref)


class PostmortemTrack(Track[PostmortemObligation]):
    """A post-mortem that nobody edits: what only waits for an answer is not on its agenda."""

    prefix = "postmortem/"

    def __init__(self, postmortem: Postmortem, runbook: RunbookConfig) -> None:
        self.postmortem, self._runbook = postmortem, runbook

    def agenda(self) -> list[PostmortemObligation]:
        """Return the post-mortem's agenda, without its polls."""
        owed = postmortem_agenda(self.postmortem, self._runbook)
        return [each for each in owed if postmortem_registry.spec_of(each).poll is None]

    def apply_inner(self, obligation: PostmortemObligation, at: datetime) -> bool:
        """As of `Track`."""
        if postmortem_registry.spec_of(obligation).apply_due is None:
            return False
        self.postmortem = events.apply_due(self.postmortem, obligation, self._runbook, at)
        return True

    def begin(self, obligation: PostmortemObligation, at: datetime) -> ActivityRequest | ActivityResult:
        """As of `Track`."""
        asked = postmortem_request(obligation, self.postmortem, self._runbook, at)
        self.postmortem = events.mark_begun(self.postmortem, obligation)
        return asked

    def finish(self, obligation: PostmortemObligation, result: ActivityResult, at: datetime) -> None:
        """As of `Track`."""
        self.postmortem = events.apply_result(self.postmortem, obligation, result, self._runbook, at)

    def is_housekeeping(self, obligation: PostmortemObligation) -> bool:
        """As of `Track`."""
        return postmortem_registry.spec_of(obligation).housekeeping

    def workflow_step(self, obligation: PostmortemObligation) -> WorkflowStep | None:
        """As of `Track`. A post-mortem starts no workflow: its activities do all that it owes."""
        return None
