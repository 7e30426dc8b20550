"""`incident resolve --wait`: wait until a resolution takes effect, or until it is known that it does not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from temporalio.client import Client

from incidents.cli.finding import find
from incidents.cli.output.plain import plain
from incidents.cli.runner import console, run, say
from incidents.client.problems import CommandFailed

if TYPE_CHECKING:  # slow to import, and only --wait needs it
    from incidents.cli.live import Look
    from incidents.domain.core.command import Command


def resolve_and_wait(name: str, command: Command, as_json: bool, timeout: float) -> NoReturn:
    """Send the resolution, print the receipt, and wait.

    Exit status 1 if the incident is not resolved after all, or if no worker has taken the command.
    """
    from incidents.app.people import load_permissions
    from incidents.cli.live import Look
    from incidents.client.commands import send
    from incidents.domain.rollback.events import why_not_resolved

    permissions = load_permissions()

    async def work(client: Client) -> None:
        found = await find(client, name)
        sent = await send(client, found, command, timedelta(seconds=timeout), permissions)
        say(sent.model_dump_json() if as_json else plain(sent.message))
        if sent.queued:
            raise CommandFailed("Not known to be resolved: no worker has taken the command yet.")
        look = Look(client, found, console())
        await look.refresh()
        while look.incident is None or look.incident.revision < sent.revision or _waits(look):
            await asyncio.sleep(look.pause)
            await look.refresh()
        if not look.incident.over:
            raise CommandFailed(why_not_resolved(look.incident))

    run(work)


def _waits(look: Look) -> bool:
    return look.incident is not None and not look.incident.over and look.incident.resolve_intent is not None
