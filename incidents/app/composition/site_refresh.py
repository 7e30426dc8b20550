"""Keeps our own status site current while nothing is published: its date, its history, maintenance windows."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio.client import Client

from activities.updates.status_pages.static_site import StatusSite
from incidents.app.composition.clients import build_status_site
from incidents.app.settings import Settings
from incidents.client.maintenance import started_windows
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.untrusted import one_line

_EVERY = 60.0
"""Seconds between two refreshes by one worker."""
_log = logging.getLogger("status site")


@asynccontextmanager
async def refreshing_site(client: Client, settings: Settings, runbook: RunbookConfig) -> AsyncIterator[None]:
    """While a worker runs, refresh the site, if it is on. A refresh that fails is logged; the next one repairs it."""
    site = build_status_site(settings, runbook)
    if site is None:
        yield
        return
    task = asyncio.create_task(_refresh_forever(client, site))
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
