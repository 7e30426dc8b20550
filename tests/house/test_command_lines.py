"""Every command line of the documents is one that `incident` and the starter understand."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from incidents.app import starter
from tests.support.documents.behaviours import ROOT
from tests.support.documents.command_lines import joined, parse

BLOCK = re.compile(r"^```(?:\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(program: str) -> Iterator[tuple[str, str]]:
    """Each line of a block of code that runs the program, with its document's name."""
    for document in DOCUMENTS:
        for block in BLOCK.findall(document.read_text(encoding="utf-8")):
            for line in joined(block.splitlines()):
                if line.startswith(f"{program} "):
                    yield document.name, line


OURS = sorted(set(blocks("incident")))


def test_the_command_lines_are_found() -> None:
    assert len(OURS) > 50
    assert {"README.md", "command-line.md", "operating.md", "postmortem.md"} <= {name for name, _ in OURS}


@pytest.mark.parametrize(("document", "line"), OURS, ids=[line for _, line in OURS])
def test_every_command_line_is_understood(document: str, line: str) -> None:
    typed = line.replace("<n>", "42")  # a number that the reader fills in
    assert parse(typed), document


@pytest.mark.parametrize(("document", "line"), [*blocks("python starter.py")])
def test_every_command_line_of_the_starter_is_understood(document: str, line: str) -> None:
    words = shlex.split(line, comments=True)[2:]
    typer.main.get_command(starter.app).make_context("starter.py", words)


def test_a_command_line_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    for line in ("incident dance 42", "incident hold 42", "incident ack 42 --loudly", "incident role 42 king bob"):
        with pytest.raises(typer.TyperException):
            parse(line)
