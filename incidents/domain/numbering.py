"""Incident numbers: 1, 2, 3 … each given once. A number is burnt if opening fails; it is never given again.

Every opening incident asks here, so this is also where a recurrence (behaviour 9) and a surge (behaviour 14) show.
"""

from datetime import timedelta

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.surge.state import SurgeParent

_REMEMBERED = 4000
"""How many incidents' numbers are kept, to answer a repeated request and to find an incident by its number."""
_WINDOW = timedelta(minutes=1)
"""The time that a surge's threshold counts openings in."""
_MOST_OPENINGS = 300
"""How many openings are kept, more than any threshold (`Surge.per_minute`)."""


class Allocation(Frozen):
    """Who asks: `first_run_id` is the incident run's own, so that a repeated request gets the same number.

    `rank`: of its severity, 0 is the worst. `apart`: it informs no customers, so it takes no part in a surge.
    `surge_per_minute`: how many incidents may open within a minute before one informs the customers for those that
    follow; 0: any number. `recurrence_within`: how long after an incident opened another of its key repeats it.
    """

    first_run_id: str
    workflow_id: str
    opened_at: AwareDatetime | None = None
    severity: Severity | None = None
    rank: int = 0
    drill: bool = False
    apart: bool = False
    surge_per_minute: int = 0
    recurrence_within: timedelta = timedelta()


class Numbered(Frozen):
    """A number that was given."""

    number: int
    first_run_id: str
    workflow_id: str
    opened_at: AwareDatetime | None = None


class Opened(Frozen):
    """An incident that opened within the last minute, or that informs the customers for one. `parent`: by whom."""

    number: int
    workflow_id: str
    opened_at: AwareDatetime
    severity: Severity
    rank: int
    drill: bool
    parent: int | None = None


class Allocated(Frozen):
    """The answer: the number, that of the incident which this one repeats, and who informs the customers for it."""

    number: int
    recurrence_of: int | None = None
    surge_parent: SurgeParent | None = None


class Ledger(Frozen):
    """The numbers given so far: the last one, the recent ones with their incidents, and the openings of a minute."""

    last: int = 0
    recent: tuple[Numbered, ...] = ()
    openings: tuple[Opened, ...] = ()

    def allocate(self, request: Allocation) -> tuple["Ledger", Allocated]:
        """Return the ledger after the request, and the answer."""
        for known in reversed(self.recent):
            if known.first_run_id == request.first_run_id:
                return self, self._answer(known.number, request)
        number = self.last + 1
        given = Numbered(
            number=number,
            first_run_id=request.first_run_id,
            workflow_id=request.workflow_id,
            opened_at=request.opened_at,
        )
        recent = (*self.recent, given)[-_REMEMBERED:]
        ledger = Ledger(last=number, recent=recent, openings=self._with_opening(number, request))
        return ledger, ledger._answer(number, request)

    def find(self, number: int) -> Numbered | None:
        """Return who has that number, if it is among the recent ones."""
        return next((given for given in self.recent if given.number == number), None)

    def _answer(self, number: int, request: Allocation) -> Allocated:
        openings = {opened.number: opened for opened in self.openings}
        own = openings.get(number)
        parent = openings.get(own.parent) if own is not None and own.parent is not None else None
        return Allocated(
            number=number,
            recurrence_of=self._recurrence(number, request),
            surge_parent=SurgeParent(number=parent.number, workflow_id=parent.workflow_id, severity=parent.severity)
            if parent is not None
            else None,
        )

    def _recurrence(self, number: int, request: Allocation) -> int | None:
        """Return the latest earlier incident with the same key, and so the same workflow id, if it is not too old."""
        if request.opened_at is None or not request.recurrence_within:
            return None
        for known in reversed(self.recent):
            if known.number < number and known.workflow_id == request.workflow_id and known.opened_at is not None:
                return known.number if request.opened_at - known.opened_at <= request.recurrence_within else None
        return None

    def _with_opening(self, number: int, request: Allocation) -> tuple[Opened, ...]:
        """Return the openings of the last minute with this one, and the parents of any of them."""
        at = request.opened_at
        if at is None or request.severity is None or request.apart:
            return self.openings
        near = [opened for opened in self.openings if abs(at - opened.opened_at) < _WINDOW][-_MOST_OPENINGS:]
        needed = {opened.number for opened in near} | {opened.parent for opened in near}
        kept = tuple(opened for opened in self.openings if opened.number in needed)
        own = Opened(
            number=number,
            workflow_id=request.workflow_id,
            opened_at=at,
            severity=request.severity,
            rank=request.rank,
            drill=request.drill,
            parent=_surge_parent(request, near, kept),
        )
        return (*kept, own)


def _surge_parent(request: Allocation, near: list[Opened], known: tuple[Opened, ...]) -> int | None:
    """Return the number of the incident that informs the customers for this one; None if it informs its own.

    The first incident of the surge that is at least as severe. Drills and real incidents keep apart.
    """
    alike = [opened for opened in near if opened.drill == request.drill]
    if not request.surge_per_minute or len(alike) + 1 <= request.surge_per_minute:
        return None
    possible = [
        opened.number
        for opened in known
        if opened.parent is None and opened.rank <= request.rank and opened.drill == request.drill
    ]
    return min(possible, default=None)
