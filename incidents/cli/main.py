"""Incident response from the command line.

With --json, a command prints one JSON document and nothing else. Exit status: 0 done (or done before), 1 rejected or
failed, 2 usage error.
"""

import io
import logging
import sys

import typer

from incidents.cli.index import PLAIN
from incidents.cli.lazy import LazyGroup
from incidents.domain.core.text.untrusted import is_text

app = typer.Typer(cls=LazyGroup, **PLAIN, add_completion=False, pretty_exceptions_enable=False)


@app.callback(no_args_is_help=True, help=__doc__)
def incident() -> None:
    """Hold the subcommands together; each is imported when it is called."""


def main() -> None:
    """Entry point of the console script `incident`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character must not fail the command
    for place, argument in enumerate(sys.argv[1:], start=1):
        if not is_text(argument):  # Temporal takes UTF-8 only
            print(f"error: argument {place} is not UTF-8", file=sys.stderr)
            sys.exit(2)
    logging.getLogger("temporalio").setLevel(logging.ERROR)  # its warnings, such as of a retry, are no one's task here
    app()


if __name__ == "__main__":
    main()
