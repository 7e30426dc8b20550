"""Keeps our own status site current while nothing is published: its date, its history, maintenance windows."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio.client import Client

from activities import ports
from activities.updates.status_pages.static_site import StatusSite
from incidents.client.maintenance import started_windows
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.core.text.untrusted import one_line

_EVERY = 60.0
"""Seconds between two refreshes by one worker."""
_log = logging.getLogger("status site")


@asynccontextmanager
async def refreshing_site(client: Client, page: ports.StatusPage | None) -> AsyncIterator[None]:
    """While a worker runs, refresh its status page if it is our own site.

    A refresh that fails is logged; the next one repairs it.
    """
    if not isinstance(page, StatusSite):
        yield
        return
    task = asyncio.create_task(_refresh_forever(client, page))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _refresh_forever(client: Client, site: StatusSite) -> None:
    while True:
        await refresh_once(client, site)
        await asyncio.sleep(_EVERY)


async def refresh_once(client: Client, site: StatusSite) -> None:
    """Refresh the site. Windows that cannot be read stay as the site knows them. Never raises."""
    try:
        await asyncio.to_thread(site.refresh, await _windows(client))
    except Exception as error:
        _log.warning("The status site was not refreshed (%s); published updates stay", one_line(str(error), 200))


async def _windows(client: Client) -> tuple[MaintenanceWindow, ...] | None:
    try:
        return tuple(each.window for each in await started_windows(client))
    except Exception as error:  # such as no answer, no permission, or a memo that another version wrote
        _log.warning("Started maintenance windows cannot be read (%s)", one_line(str(error), 200))
        return None
