"""Incident numbers: 1, 2, 3 … each given once. A number is burnt if opening fails; it is never given again."""

from incidents.domain.core.base import Frozen

_REMEMBERED = 5000
"""How many incidents' numbers are kept, to answer a repeated request and to find an incident by its number."""


class Allocation(Frozen):
    """Who asks: `first_run_id` is the incident run's own, so that a repeated request gets the same number."""

    first_run_id: str
    workflow_id: str


class Numbered(Frozen):
    """A number that was given."""

    number: int
    first_run_id: str
    workflow_id: str


class Ledger(Frozen):
    """The numbers given so far: the last one, and the recent ones with their incidents."""

    last: int = 0
    recent: tuple[Numbered, ...] = ()

    def allocate(self, request: Allocation) -> tuple["Ledger", int]:
        """Return the ledger after the request, and the number."""
        for known in reversed(self.recent):
            if known.first_run_id == request.first_run_id:
                return self, known.number
        number = self.last + 1
        given = Numbered(number=number, first_run_id=request.first_run_id, workflow_id=request.workflow_id)
        return Ledger(last=number, recent=(*self.recent, given)[-_REMEMBERED:]), number

    def find(self, number: int) -> Numbered | None:
        """Return who has that number, if it is among the recent ones."""
        return next((given for given in self.recent if given.number == number), None)
