"""What an incident remembers of paging: who is on call, and which rungs were climbed early."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime

from incidents.domain.config.communication import Reach
from incidents.domain.core.base import Frozen
from incidents.domain.core.keys import Key


class OnCall(Frozen):
    """The person on call for a contact, by its schedule. Without a name: the schedule is empty."""

    contact: str
    at: AwareDatetime
    name: str = ""
    email: str = ""


class Hastened(Frozen):
    """A rung of the ladder that somebody wanted climbed at once. `rung`: its name, as `ladder.next_rung` returns it."""

    rung: str
    at: AwareDatetime
    by: str


class Call(Frozen):
    """A page or an escalation that was started; its result is in the ledger, by `key`.

    `calling`: the number of the re-page that it belongs to, of a page to on-call. `rung`: the rung of the ladder, as
    `ladder` names it, of an escalation. `complete`: the incident had its number by then, and its channel if any.
    """

    key: Key
    contact: str
    reach: Reach
    calling: int | None = None
    rung: str = ""
    complete: bool = True


class PagingState(Frozen):
    """Paging of the incident.

    `attended`: a responder acted at all. `repage_count` counts the times at which on-call was paged anew, the last at
    `last_paged_at`: each is a page of its own, because a pager stays silent about one that was acknowledged or
    resolved. `first_paged_at`: when the first page had gone out. `last_response_at`: the last activity of a responder;
    `silent`: that was too long ago, and on-call is paged anew. `calls`: without those of earlier re-pages that are in
    the archive; `open_pages`: the numbers of these, where the page may still be open at the pager. `superseded`: the
    counts of pages that nobody had acknowledged when a graver one took their place. `warned`: the warning that nobody
    can be paged, if it was announced and no page went out since.
    """

    attended: bool = False
    repage_count: int = 0
    last_paged_at: AwareDatetime | None = None
    first_paged_at: AwareDatetime | None = None
    last_response_at: AwareDatetime | None = None
    silent: bool = False
    on_call: tuple[OnCall, ...] = ()
    hastened: tuple[Hastened, ...] = ()
    calls: tuple[Call, ...] = ()
    open_pages: tuple[int, ...] = ()
    superseded: tuple[int, ...] = ()
    warned: str = ""

    def page_anew(self, at: datetime) -> Self:
        """Return the state with on-call to be paged by a page of its own, whatever became of the one before."""
        superseded = self.superseded if self.attended else (*self.superseded, self.repage_count)
        return self.replace(
            attended=False,
            silent=False,
            repage_count=self.repage_count + 1,
            last_paged_at=at,
            superseded=superseded,
        )

    def with_call(self, call: Call) -> Self:
        """Return the state with that call begun; a repeated attempt is the same call."""
        return self if call in self.calls else self.replace(calls=(*self.calls, call))

    def without_page(self, calling: int) -> Self:
        """Return the state in which the page of that re-page is known to be resolved."""
        return self.replace(
            open_pages=tuple(number for number in self.open_pages if number != calling),
            superseded=tuple(number for number in self.superseded if number != calling),
        )

    def who(self, contact: str) -> OnCall | None:
        """Return who that contact was when its schedule was last asked; None if it was not."""
        return next((found for found in reversed(self.on_call) if found.contact == contact), None)
