"""Every command of the documents exists: of `incident`, the starter and make. So does each variable that they set."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from incidents.app import starter
from incidents.app.settings import Settings
from tests.support.documents.behaviours import ROOT
from tests.support.documents.command_lines import BLOCK, OURS, blocks, parse, texts

SPAN = re.compile(r"`([^`\n]+)`")


def spans(program: str) -> Iterator[tuple[str, str]]:
    """Each command within a sentence or a table, with its document's name."""
    for document, text in texts():
        for span in SPAN.findall(BLOCK.sub("", text)):
            if span.startswith(program):
                yield document, span


MADE_UP = {"incident COMMAND -h", "incident remind"}
"""A placeholder, and the command that a recipe of extending.md makes."""
HELP = re.compile(r"incident -|.* -h$")
NAMED = sorted({each for each in spans("incident ") if each[1] not in MADE_UP and not HELP.match(each[1])})


def test_the_command_lines_are_found() -> None:
    assert len(OURS) > 50
    assert {"README.md", "command-line.md", "operating.md", "postmortem.md"} <= {name for name, _ in OURS}


@pytest.mark.parametrize(("document", "line"), OURS, ids=[line for _, line in OURS])
def test_every_command_line_is_understood(document: str, line: str) -> None:
    typed = line.replace("<n>", "42")  # a number that the reader fills in
    assert parse(typed), document


@pytest.mark.parametrize(("document", "line"), [*blocks("python starter.py ")])
def test_every_command_line_of_the_starter_is_understood(document: str, line: str) -> None:
    words = shlex.split(line, comments=True)[2:]
    typer.main.get_command(starter.app).make_context("starter.py", words)


def test_a_command_line_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    for line in ("incident dance 42", "incident hold 42", "incident ack 42 --loudly", "incident role 42 king bob"):
        with pytest.raises(typer.TyperException):
            parse(line)


LEFT_OUT = {"MissingParameter", "NoArgsIsHelpError", "BadOptionUsage"}
"""A sentence may leave out the arguments: then only they are missing."""


def fault(span: str) -> str:
    """What is wrong with a command of a sentence; nothing if it is understood."""
    try:
        parse(re.sub(r"<n>|\bN\b", "42", span))
    except typer.TyperException as error:
        return "" if type(error).__name__ in LEFT_OUT else str(error)
    return ""


@pytest.mark.parametrize(("document", "span"), NAMED, ids=[span for _, span in NAMED])
def test_every_command_of_a_sentence_is_understood(document: str, span: str) -> None:
    assert fault(span) == "", document


def test_the_commands_of_sentences_are_found() -> None:
    assert len(NAMED) > 120
    assert {name for name, _ in NAMED} >= {"README.md", "responder-card.md", "troubleshooting.md", "glossary.md"}


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = [(document, line.split()[1]) for document, line in (*blocks("make "), *spans("make "))]
    assert len(named) > 30
    assert [(document, name) for document, name in named if name not in targets] == []


def test_every_variable_that_is_set_in_a_block_exists() -> None:
    known = {name.upper() for name in Settings.model_fields} | {"PROBE_API_KEY"}
    known |= {f"{name}_FILE" for name in known}
    assigned = re.compile(r"^ *([A-Z][A-Z0-9_]+)=", re.MULTILINE)
    found = {
        (document, name)
        for document, text in texts()
        for block in BLOCK.findall(text)
        for name in assigned.findall(block)
    }
    assert len(found) > 10
    assert {each for each in found if each[1] not in known} == set()


@pytest.mark.parametrize("span", ["incident dance 42", "incident ack 42 --loudly", "incident role 42 king bob"])
def test_a_command_of_a_sentence_that_is_wrong_is_noticed(span: str) -> None:
    assert fault(span)
