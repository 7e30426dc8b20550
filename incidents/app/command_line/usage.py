"""A command line whose mistakes are one line on standard error and status 2 (behaviour 105)."""

import io
import sys
from collections.abc import Sequence
from typing import Any

import typer

from incidents.app.command_line.error_output import USAGE, choose_form, print_error
from incidents.app.command_line.help import PlainCommand
from incidents.domain.core.text.untrusted import one_line

_LONGEST = 500


class OneLineErrors:
    """For a Typer command or group, before its base class: how a mistyped command line ends."""

    def main(self, args: Sequence[str] | None = None, *more: Any, standalone_mode: bool = True, **settings: Any) -> Any:
        """Run with these arguments, or the process's own, and exit with the status."""
        parent: Any = super()
        if not standalone_mode:
            return parent.main(args, *more, standalone_mode=False, **settings)
        choose_form(sys.argv[1:] if args is None else args)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal that lacks a character must not fail the command
        try:
            status = parent.main(args, *more, standalone_mode=False, **settings)
        except typer.TyperException as mistake:
            sys.exit(_say(mistake))
        except typer.Abort:
            print_error("aborted", "aborted")
            sys.exit(1)
        sys.exit(status if isinstance(status, int) else 0)


def _say(mistake: typer.TyperException) -> int:
    """Print a mistake as one line; return the status."""
    shown: Any = mistake
    if type(mistake).__name__ == "NoArgsIsHelpError":  # Typer has no public name for it; it is the help, not a mistake
        shown.show()
    else:
        context = getattr(mistake, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context is not None else ""
        print_error(f"{one_line(shown.format_message(), _LONGEST)}{hint}", USAGE)
    return int(shown.exit_code)


class OneLineCommand(OneLineErrors, PlainCommand):
    """A program of one command."""
