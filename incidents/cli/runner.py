"""Run a subcommand: connect, do the work, print one answer, exit."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.connection import ConnectionProblem, connect, run_and_exit
from incidents.app.temporal_settings import load_temporal_settings
from incidents.cli.output.plain import plain
from incidents.client.lookup import find
from incidents.client.problems import CommandFailed, NoAnswer, NotFound

if TYPE_CHECKING:  # slow to import, and no subcommand needs all of it
    from pydantic import BaseModel
    from rich.console import Console

    from incidents.domain.incident.commands import Command

PROBLEMS = (NotFound, NoAnswer, CommandFailed)
"""Errors that end a subcommand with one line and status 1."""

Finding = Callable[[Client, str], Awaitable[WorkflowExecutionDescription]]


def console() -> Console:
    """Return a console with the terminal's current width. Incident text is never read as markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False)


def say(text: str) -> None:
    """Print a line or a JSON document."""
    print(text)


def dump(model: BaseModel) -> str:
    """Return a model as JSON."""
    return model.model_dump_json(indent=1)


def run(work: Callable[[Client], Awaitable[None]], *, models: bool = True) -> NoReturn:
    """Connect, do the work, and exit. `models`: it sends or reads payloads, which are our models."""

    async def main() -> int:
        settings = load_temporal_settings()
        try:
            await work(await (connect(settings) if models else connect(settings, DataConverter.default)))
        except RPCError as error:
            if error.status not in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
                raise
            where = settings.temporal_address
            raise ConnectionProblem(
                f"Lost the connection to Temporal at {where}. Running incidents are not affected. Try again."
            ) from None
        except (BrokenPipeError, SystemExit):  # the reader of our output closed the pipe; Rich raises SystemExit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        return 0

    run_and_exit(main(), PROBLEMS)


def parse_command(kind: type[Command], **fields: Any) -> Command:
    """Return the validated command. Nothing is sent yet.

    Raises:
        typer.BadParameter: a field is invalid.
    """
    from pydantic import ValidationError

    try:
        return kind(**fields)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise typer.BadParameter(f"{place}: {fault['msg'].removeprefix('Value error, ')}") from None


def dispatch(name: str, command: Command, as_json: bool, timeout: float, finding: Finding = find) -> NoReturn:
    """Send a command to the workflow that `finding` finds by that name, print the receipt, and exit."""
    from incidents.client.commands import send

    async def work(client: Client) -> None:
        sent = await send(client, await finding(client, name), command, timedelta(seconds=timeout))
        say(sent.model_dump_json() if as_json else plain(sent.message))

    run(work)


def login() -> str:
    """Return the login name.

    Raises:
        typer.BadParameter: there is none, as in some containers.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise typer.BadParameter("no login name on this machine; use --by NAME") from None
