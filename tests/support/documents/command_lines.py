"""Command lines in the documents and in texts, found and parsed as `incident` parses them: nothing is run here."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import typer

from incidents.cli.main import app
from tests.support.documents.behaviours import ROOT

BLOCK = re.compile(r"^ *```(?:\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
_NOT_OURS = {"CHANGELOG.md", "example-postmortem.md"}
"""What was once, and what a person typed."""


def texts() -> Iterator[tuple[str, str]]:
    """Each document's name and text."""
    for document in _DOCUMENTS:
        if document.name not in _NOT_OURS:
            yield document.name, document.read_text(encoding="utf-8")


def blocks(program: str) -> Iterator[tuple[str, str]]:
    """Each line of a block of code that runs the program, with its document's name, in the documents' order."""
    for document, text in texts():
        for block in BLOCK.findall(text):
            for line in joined(block.splitlines()):
                if line.strip().startswith(program):
                    yield document, line.strip()


def joined(lines: list[str]) -> list[str]:
    """The lines, each with what follows its backslash."""
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def words_of(line: str) -> list[str]:
    """The words after the program's name, without the comment and without what the shell redirects."""
    words = shlex.split(line, comments=True)[1:]
    return words[: min([words.index(sign) for sign in ("<", ">") if sign in words], default=len(words))]


def parse(line: str) -> str:
    """Parse a line such as `incident ack 42  # comment`; return the subcommand's name.

    Raises:
        typer.TyperException: it is not understood.
    """
    assert line.startswith("incident ")
    words = words_of(line)
    assert "--install-completion" not in words, "parsing it would change the files of this shell"
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


OURS = sorted(set(blocks("incident ")))
"""Each line of a block that runs `incident`, with its document's name."""
