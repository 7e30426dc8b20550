"""`incident`: the responders' command line.

Every command takes --json and then prints one JSON document and nothing else. It ends with 0 when it did what was asked
(also when somebody else had done it before), 1 when it was refused or could not be done, 2 when it was not understood.
"""

import io
import sys

import typer

from incidents.cli import backfill, commands, evidence, postmortem, report, rollback, stuck
from incidents.cli import queries as reads
from incidents.cli.options import PLAIN
from incidents.domain.core.text import is_text

app = typer.Typer(**PLAIN, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(reads.app)
app.add_typer(commands.app)
app.add_typer(rollback.app)
app.add_typer(report.app)
app.add_typer(backfill.app)
app.add_typer(stuck.app)
app.add_typer(evidence.app, name="evidence")
app.add_typer(postmortem.app, name="postmortem")


def main() -> None:
    """Entry point of the console script `incident`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to fail
    for place, argument in enumerate(sys.argv[1:], start=1):
        if not is_text(argument):  # Temporal takes UTF-8 only
            print(f"error: argument {place} is not UTF-8", file=sys.stderr)
            sys.exit(2)
    app()


if __name__ == "__main__":
    main()
