"""Run a subcommand: connect, do the work, print one answer, exit."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.connection import connect, run_and_exit
from incidents.app.temporal_settings import load_temporal_settings
from incidents.cli.finding import find
from incidents.cli.output.plain import plain
from incidents.client.problems import CommandFailed, ConnectionProblem, NoAnswer, NotFound

if TYPE_CHECKING:  # slow to import, and no subcommand needs all of it
    from pydantic import BaseModel
    from rich.console import Console

    from incidents.domain.core.command import Command

PROBLEMS = (NotFound, NoAnswer, CommandFailed)
"""Errors that end a subcommand with one line and status 1."""

C = TypeVar("C", bound="Command")
Finding = Callable[[Client, str], Awaitable[WorkflowExecutionDescription]]
Building = Callable[[Client], Awaitable["Command"]]


def console() -> Console:
    """Return a console with the terminal's current width. Incident text is never read as markup."""
    from incidents.cli.output.plain_console import PlainConsole

    return PlainConsole(markup=False, highlight=False, emoji=False)


def say(text: str) -> None:
    """Print a line or a JSON document, without control characters."""
    print(plain(text))


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


def parse_command(kind: type[C], **fields: Any) -> C:
    """Return the validated command, with people and customers by their names in runbook.yaml. Nothing is sent yet.

    Raises:
        typer.BadParameter: a field is invalid.
    """
    from pydantic import ValidationError

    from incidents.domain.core.payload import first_fault

    try:
        return kind(**fields | _resolved(fields) | _named_customers(fields))
    except ValidationError as error:
        raise typer.BadParameter(first_fault(error)) from None


def _resolved(fields: dict[str, Any]) -> dict[str, str]:
    """Return the fields that name a person, each as the directory of runbook.yaml names them."""
    from incidents.app.people import load_directory

    people = load_directory()
    named = {name: fields[name] for name in ("by", "person", "owner") if fields.get(name)}
    return {name: people.resolve(said) for name, said in named.items() if name != "owner" or not said.startswith("@")}


def _named_customers(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that name customers, each customer by name in place of the address that was typed.

    An address that no customer has is left as it is: the command rejects it.
    """
    from incidents.app.people import load_customers

    typed = {name: fields[name] for name in ("customer", "customers") if "@" in str(fields.get(name))}
    if not typed:
        return {}
    resolve = load_customers().resolve
    return {name: resolve(said) if isinstance(said, str) else tuple(map(resolve, said)) for name, said in typed.items()}


def dispatch(
    name: str, command: Command | Building, as_json: bool, timeout: float, finding: Finding = find
) -> NoReturn:
    """Send a command to the workflow that `finding` finds by that name, print the receipt, and exit.

    Args:
        name: the incident's number or workflow id.
        command: the command, or what builds it once there is a client.
        as_json: print the receipt as JSON.
        timeout: seconds to wait for the answer.
        finding: finds the workflow.
    """
    from incidents.app.people import load_permissions
    from incidents.client.commands import send

    permissions = load_permissions()

    async def work(client: Client) -> None:
        built = await command(client) if callable(command) else command
        sent = await send(client, await finding(client, name), built, timedelta(seconds=timeout), permissions)
        say(sent.model_dump_json() if as_json else sent.message)

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
