"""Command lines in texts, parsed as `incident` parses them: nothing is run."""

import shlex
from typing import Any

import typer

from incidents.cli.main import app


def joined(lines: list[str]) -> list[str]:
    """The lines, each with what follows its backslash."""
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def parse(line: str) -> str:
    """Parse a line such as `incident ack 42  # comment`; return the subcommand's name.

    Raises:
        typer.TyperException: it is not understood.
    """
    program, *words = shlex.split(line, comments=True)
    assert program == "incident"
    assert "--install-completion" not in words, "parsing it would change the files of this shell"
    words = words[: min([words.index(sign) for sign in ("<", ">") if sign in words], default=len(words))]
    group: Any = typer.main.get_command(app)
    context = group.make_context("incident", words)
    names = []
    while context.args or context._protected_args:
        name, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        names.append(name)
        context = command.make_context(name, list(rest), parent=context)
        if not hasattr(command, "commands"):
            break
    return " ".join(names)
