"""Page directly for what waits in the spool, once per incident (behaviour 13)."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from incidents.client.alert_sources.payload import MalformedAlert
from incidents.client.delivery.spool import Entry, Spool, SpoolUnusable
from incidents.client.delivery.submission import Submission
from incidents.domain.activity_requests import SendPage
from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.payload import NotJson
from incidents.domain.core.program_errors import in_one_line
from incidents.domain.incident.state import Opening
from incidents.domain.paging.direct_page import NoPageYet, direct_page

_PAGE_WITHIN = timedelta(seconds=8)
"""How long a sender waits for direct pages; what is left is paged by the next round of the gateway."""
_log = logging.getLogger("spool")


class DirectPages:
    """Sends direct pages. `send_page` blocks; any exception of it means that the page did not go out."""

    def __init__(self, spool: Spool, runbook: RunbookConfig, send_page: Callable[[SendPage], ActivityResult]) -> None:
        self._spool, self._runbook, self._send_page = spool, runbook, send_page

    async def send_waiting(self) -> None:
        """Send the direct pages that are still owed, such as after the pager was unreachable."""
        for entry in await asyncio.to_thread(self._spool.page_owed):
            if await self.send_for(entry):
                await asyncio.to_thread(self._spool.settle_pages, entry.id)

    async def send_for(self, entry: Entry) -> bool:
        """Page for each incident of an entry; tell whether all of that is settled."""
        try:
            owed = list(Submission.of_entry(entry).openings(self._runbook))
        except (NotJson, MalformedAlert, ValidationError):
            return True  # what it says cannot be read; that is said when it is set aside
        return all(settled for settled, _ in (await self.send(owed)).values())

    async def send(self, owed: list[tuple[str, Opening | None]]) -> dict[str, tuple[bool, str]]:
        """Page for each incident. Return whether that is settled, and in words what was done, by workflow id."""
        clock, said = asyncio.get_running_loop().time, dict[str, tuple[bool, str]]()
        until = clock() + _PAGE_WITHIN.total_seconds()
        for workflow_id, opening in owed:
            if clock() > until:
                said[workflow_id] = False, "on-call is not paged yet"
            else:
                said[workflow_id] = await asyncio.to_thread(self._page, workflow_id, opening)
        return said

    def _page(self, workflow_id: str, opening: Opening | None) -> tuple[bool, str]:
        """Send the page of one incident, once while it waits. Blocking."""
        if opening is None:
            return True, "its alerts have ended, so nobody is paged"
        try:
            request = direct_page(opening, self._runbook, workflow_id, datetime.now(UTC))
            if request is None:
                return True, f"a {'drill' if opening.drill else opening.severity} pages nobody"
            if self._is_paged(workflow_id):
                return True, "on-call was paged directly before"
            result = self._send_page(request)
            if result.skipped:
                return True, f"NOBODY WAS PAGED: {result.skipped}"
        except NoPageYet as error:
            return False, str(error)  # owed once the window has ended
        except Exception as error:  # whatever it is, the alert must be kept, and its sender must know
            _log.error("The direct page of %s failed: %s", workflow_id, in_one_line(error))
            return False, f"ON-CALL IS NOT PAGED: {in_one_line(error)}"
        self._record_page(workflow_id)
        return True, "on-call was paged directly"

    def _is_paged(self, workflow_id: str) -> bool:
        try:
            return self._spool.is_paged(workflow_id)
        except SpoolUnusable:
            return False  # paging twice is one page at the pager; paging never is none

    def _record_page(self, workflow_id: str) -> None:
        try:
            self._spool.record_page(workflow_id)
        except SpoolUnusable as error:
            _log.warning("The direct page of %s is not recorded: %s", workflow_id, error)
