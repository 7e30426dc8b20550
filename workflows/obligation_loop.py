"""The interpreter of an agenda: it waits for the next obligation or a change, then fulfills or applies it.

`IncidentWorkflow` and `PostmortemWorkflow` both run on it. It keeps three promises (behaviours 79, 108):

- An error of this program fails the one obligation that it concerns, never the workflow task: a failing task is tried
  again forever, and the whole incident would be stuck.
- Every workflow task that changes something leaves a command in the history (`force_history_event`).
- A run ends by continue-as-new long before its replay takes too long: at a quiet moment, and in any case.
"""

from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from pydantic import AwareDatetime
from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

from workflows.waiting.background_tasks import BackgroundTasks
from workflows.waiting.updatable_timer import UpdatableTimer

IN_ANY_CASE = 1.5
"""At this multiple of the history limit a run ends though work is in progress.

The next run does that work again, as soon as the attempt that was left can no longer act (`Interpreted.repeat_after`).
"""
_LAST_WORK = "before continue-as-new"
_MOST_INNER = 1000
"""Obligations fulfilled in one step without an activity. More of them would be an endless loop."""


def force_history_event(revision: int) -> None:
    """Leave one command in the history, for a workflow task that has changed something and commanded nothing.

    The history must hold where each change was made. The SDK takes a workflow task without commands together with the
    one after it, on a replay when an update follows it. What was learned in two steps is then learned in one, in
    another order and at a later time, and the replay may command something else (TMPRL1100).
    """
    workflow.upsert_memo({"revision": revision})


class Due(Protocol):
    """An obligation, as far as the loop looks at it."""

    @property
    def key(self) -> str:
        """What it is remembered by."""

    @property
    def due(self) -> AwareDatetime:
        """When it is to be fulfilled."""

    @property
    def summary(self) -> str:
        """What it is, in one line."""


O = TypeVar("O", bound=Due)  # noqa: E741 - an obligation


class Interpreted(Protocol[O]):
    """The workflow whose agenda the loop interprets. Whatever changes its state ends with `ObligationLoop.changed`."""

    def derive_agenda(self) -> list[O]:
        """Return what is owed, now or later, the earliest first."""

    def agenda_failed(self, error: Exception, at: datetime) -> list[O]:
        """Record that `derive_agenda` failed; return the obligations that must still be fulfilled."""

    def is_inner(self, obligation: O) -> bool:
        """Return whether it is fulfilled by a change of state, without an activity."""

    def is_withdrawable(self, obligation: O) -> bool:
        """Tell whether it is cancelled in mid-attempt when it is no longer owed."""

    def repeat_after(self, obligation: O) -> timedelta:
        """Return how long this run has to wait before it fulfills an obligation that the run before left in progress.

        Zero for every other one. The result must not change while the run lasts.
        """

    def fulfill_inner(self, obligation: O, at: datetime) -> None:
        """Apply an inner obligation to the state."""

    async def fulfill(self, obligation: O) -> None:
        """Have an obligation's activity done, and apply its result or its failure."""

    def obligation_failed(self, obligation: O, error: Exception, at: datetime) -> None:
        """Record that an error of this program kept an obligation from being fulfilled. Must not fail."""

    def show(self, owed: Sequence[O]) -> bool:
        """Bring the Web UI and the search attributes up to date; tell whether that took a command."""

    async def after_step(self) -> None:
        """Do what follows each step."""

    def last_work(self) -> Coroutine[Any, Any, None] | None:
        """Return what is to be done before the run ends by continue-as-new; None for nothing.

        It runs beside the loop and is cut short if the run cannot wait, so it must be bounded and lose nothing.
        """

    @property
    def revision(self) -> int:
        """A number that grows with the state."""

    @property
    def is_over(self) -> bool:
        """Tell whether the workflow ends once nothing is owed."""


class ObligationLoop(Generic[O]):
    """The loop. Time is workflow time."""

    def __init__(self, subject: Interpreted[O], history_limit: int) -> None:
        """Interpret the agenda of `subject`. `history_limit`: events of a run; 0 leaves that to the server's advice."""
        self._subject = subject
        self._history_limit = history_limit
        self._background = BackgroundTasks()
        self._timer = UpdatableTimer()
        self._state_changed = False
        self._is_last_work_begun = False
        self._began = workflow.now()
        self._abandoned: dict[str, None] = {}

    def changed(self) -> None:
        """Note that the state has changed, so that the agenda is derived again."""
        self._state_changed = True

    def start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the loop; the run does not end before it."""
        self._background.start(key, work)

    async def run(self) -> bool:
        """Interpret until nothing is owed any more. Return whether it is over; if not, the run has to end."""
        self._advance()
        while not self._ended():
            if self._is_at_limit() and self._must_end():
                await self._background.cancel_all()
                self._timer.clear()
                return False
            await workflow.wait_condition(self._has_work)
            self._state_changed = False
            self._collect_finished()
            self._advance()
            await self._subject.after_step()
        self._timer.clear()
        return True

    def _collect_finished(self) -> None:
        try:
            self._background.collect_finished()
        except Exception as error:
            raise_if_of_the_sdk(error)
            workflow.logger.exception("a background task failed")

    def _has_work(self) -> bool:
        return self._state_changed or self._timer.fired or self._background.any_finished()

    def _ended(self) -> bool:
        return self._subject.is_over and not len(self._background) and not self._derive(workflow.now())

    def _is_at_limit(self) -> bool:
        if self._history_limit == 0:
            return workflow.info().is_continue_as_new_suggested()
        return workflow.info().get_current_history_length() >= self._history_limit

    def _must_end(self) -> bool:
        """Tell whether the run has to end: if no work is in progress, and somewhat later in any case.

        The last work is begun first. Where the server advises the end, only that is waited for.
        """
        if not self._is_last_work_begun:
            self._is_last_work_begun = True
            if (work := self._subject.last_work()) is not None:
                self._background.start(_LAST_WORK, work)
        if self._history_limit == 0:
            return _LAST_WORK not in self._background
        length = workflow.info().get_current_history_length()
        return not len(self._background) or length >= self._history_limit * IN_ANY_CASE

    def _advance(self) -> None:
        """Begin every obligation that is due, cancel those no longer owed, and set the timer for the next one."""
        now = self._timer.now()
        owed = self._fulfill_inner(now)
        self._background.cancel_except([obligation.key for obligation in owed])
        waiting = [o for o in owed if o.key not in self._background and o.key not in self._abandoned]
        due = [obligation for obligation in waiting if self._due(obligation) <= now]
        for obligation in due:
            withdrawable = self._subject.is_withdrawable(obligation)
            self._background.start(obligation.key, self._fulfill(obligation), withdrawable=withdrawable)
        later = min((o for o in waiting if self._due(o) > now), key=self._due, default=None)
        armed = self._timer.set(self._due(later) if later else None, later.summary if later else "")
        if not (self._subject.show(owed) or armed or due):
            force_history_event(self._subject.revision)

    def _due(self, obligation: O) -> datetime:
        try:
            wait = self._subject.repeat_after(obligation)
        except Exception as error:
            raise_if_of_the_sdk(error)
            return obligation.due  # to fulfill it fails in the same way, and is recorded
        return max(obligation.due, self._began + wait)

    def _derive(self, now: datetime) -> list[O]:
        try:
            return self._subject.derive_agenda()
        except Exception as error:
            raise_if_of_the_sdk(error)
            return self._subject.agenda_failed(error, now)

    def _fulfill_inner(self, now: datetime) -> list[O]:
        """Apply what is due and needs no activity, which changes the state and so the agenda; return the agenda."""
        for _ in range(_MOST_INNER):
            owed = self._derive(now)
            inner = [o for o in owed if o.due <= now and o.key not in self._abandoned and self._subject.is_inner(o)]
            if not inner:
                return owed
            try:
                self._subject.fulfill_inner(inner[0], now)
            except Exception as error:
                raise_if_of_the_sdk(error)
                self._fail(inner[0], error, now)
        return owed

    async def _fulfill(self, obligation: O) -> None:
        try:
            await self._subject.fulfill(obligation)
        except Exception as error:
            if is_cancelled_exception(error):
                return  # withdrawn: neither done nor failed
            raise_if_of_the_sdk(error)
            self._fail(obligation, error, workflow.now())
        self._state_changed = True

    def _fail(self, obligation: O, error: Exception, at: datetime) -> None:
        try:
            self._subject.obligation_failed(obligation, error, at)
        except Exception as second:
            raise_if_of_the_sdk(second)
            # Not even that can be recorded: it is left alone in this run, so that the others go on.
            self._abandoned[obligation.key] = None
            workflow.logger.exception("%s failed (%s), and so did recording that", obligation.key, error)


def raise_if_of_the_sdk(error: Exception) -> None:
    """Raise an error by which the SDK says that the workflow's code is not deterministic, and no other."""
    if isinstance(error, workflow.NondeterminismError | workflow.ReadOnlyContextError):
        raise error
