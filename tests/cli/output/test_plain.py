"""Text from outside on the terminal: no control characters, no markup (behaviour 94)."""

import io

import pytest
from hypothesis import given, settings
from rich.table import Table

from incidents.cli.output.plain import plain
from incidents.cli.output.plain_console import PlainConsole
from incidents.cli.output.screen import header
from incidents.cli.runner import console, say
from tests.support.hostile import TEXTS
from tests.support.incidents import opened

HOSTILE = "\x1b[2J\x9b31mred\x07 \u202egnp.exe [bold]x[/bold] :fire:"
SHOWN = "[2J31mred gnp.exe [bold]x[/bold] :fire:"


def printed(what: object) -> str:
    file = io.StringIO()
    PlainConsole(file=file, markup=False, highlight=False, emoji=False, width=200).print(what)
    return file.getvalue()


@settings(deadline=None)
@given(TEXTS)
def test_94_a_text_controls_no_terminal(text: str) -> None:
    shown = plain(text)
    assert not [sign for sign in shown if sign < " " and sign not in "\n\t"]
    assert not set(shown) & {"\x7f", "\x9b", "\u202e", "\u2066"}
    shown.encode()


def test_94_a_console_prints_strings_as_text() -> None:
    table = Table(HOSTILE, box=None)
    table.add_row(HOSTILE)
    for what in (HOSTILE, table, header(opened().replace(title=HOSTILE))):
        assert SHOWN in printed(what)
        assert "\x1b" not in printed(what)
    assert isinstance(console(), PlainConsole)


def test_94_a_line_is_printed_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    assert capsys.readouterr().out == f"{SHOWN}\n"
