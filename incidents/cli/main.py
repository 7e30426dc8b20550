"""Respond to incidents from the command line.

INCIDENT is 42, INC-42, '#42', latest, . (the only open one), or a workflow id. `incident COMMAND -h` shows options and
examples of a command.

With --json, a command prints one JSON document; an error is a JSON object on standard error. Exit status: 0 done (or
done before), 1 rejected or failed, 2 usage error.
"""

import logging
import sys
from typing import Annotated

import typer

from incidents.app.command_line.error_output import USAGE, choose_form, print_error
from incidents.cli.help import SETTINGS
from incidents.cli.lazy import LazyGroup
from incidents.domain.core.text.untrusted import is_text

app = typer.Typer(cls=LazyGroup, **SETTINGS | {"add_completion": True}, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"incident {version('incident-runbook')}")
        raise typer.Exit


@app.callback(no_args_is_help=True, help=__doc__)
def incident(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Hold the subcommands together; each is imported when it is called."""


def main() -> None:
    """Entry point of the console script `incident`."""
    choose_form(sys.argv[1:])
    for place, argument in enumerate(sys.argv[1:], start=1):
        if not is_text(argument):  # Temporal takes UTF-8 only
            print_error(f"argument {place} is not UTF-8", USAGE)
            sys.exit(2)
    logging.getLogger("temporalio").setLevel(logging.ERROR)  # its warnings, such as of a retry, are no one's task here
    app()


if __name__ == "__main__":
    main()
