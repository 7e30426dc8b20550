"""Help: usage without braces, required options shown as such, sections, examples that work; and the version."""

import re
from importlib.metadata import version

import pytest
import typer

from incidents.cli.examples import EXAMPLES
from incidents.cli.index import GROUPS, SECTIONS, SUBCOMMANDS
from incidents.cli.lazy import LazyGroup
from incidents.cli.main import app
from tests.cli.conftest import Incidental
from tests.support.documents.command_lines import joined, parse

ROOT = typer.main.get_command(app)


def every_command() -> list[str]:
    assert isinstance(ROOT, LazyGroup)
    inner = [f"{group} {name}" for group in GROUPS for name in ROOT.get_command(None, group).commands]
    return [*SUBCOMMANDS, *inner]


@pytest.fixture
def help_of(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> Incidental:
    """What `-h` prints at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *words: incident(*words, "-h")


@pytest.mark.parametrize("path", every_command())
def test_each_help_is_plain_fits_and_has_examples(help_of: Incidental, path: str) -> None:
    said = help_of(*path.split())
    assert (said.status, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 80
    assert not re.search(r"[{}<>]|list\[", said.out.partition("Examples:")[0])
    assert f"  incident {path}" in said.out.partition("Examples:\n")[2]


@pytest.mark.parametrize("path", every_command())
def test_each_command_takes_json(help_of: Incidental, path: str) -> None:
    assert path in GROUPS or "\n  --json " in help_of(*path.split()).out


def test_every_example_is_understood() -> None:
    assert set(EXAMPLES) == {"", *every_command()}
    for path, lines in EXAMPLES.items():
        for line in joined(list(lines)):
            assert parse(line).startswith(path), line


def test_help_lists_every_subcommand_by_section(help_of: Incidental, incident: Incidental) -> None:
    said = help_of().out
    assert incident("--help").out == said
    for title, listed in SECTIONS.items():
        shown = said.partition(f"\n{title}:\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split()[0] for line in shown] == [*listed]
    assert len({line.index(line.split()[1]) for line in shown}) == 1


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ("ack", "ack INCIDENT [OPTIONS]"),
        ("severity", "severity INCIDENT [LEVEL] [OPTIONS]"),
        ("hold", "hold INCIDENT MINUTES --reason TEXT [OPTIONS]"),
        ("merge", "merge INCIDENT --into INCIDENT [OPTIONS]"),
        ("maintenance start", "maintenance start --reason TEXT [OPTIONS]"),
        ("list", "list [OPTIONS]"),
    ],
)
def test_the_usage_shows_what_is_required(help_of: Incidental, words: str, usage: str) -> None:
    assert help_of(*words.split()).out.splitlines()[0].endswith(f" {usage}")


def test_a_required_option_is_first_and_marked(help_of: Incidental) -> None:
    [first, *_] = help_of("merge").out.partition("\nOptions:\n")[2].splitlines()
    assert first.split() == ["--into", "INCIDENT", "The", "incident", "to", "merge", "into", "[required]"]


def test_what_is_missing_is_named(incident: Incidental) -> None:
    assert "Missing argument 'INCIDENT'" in incident("ack").why
    assert "Missing option '--reason'" in incident("cancel", "42").why


def test_the_version(incident: Incidental) -> None:
    assert incident("--version").out == f"incident {version('incident-runbook')}\n"
