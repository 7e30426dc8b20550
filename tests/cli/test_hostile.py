"""105: any text on the command line or standard input ends in an answer, or in one plain line and a status of 1 or 2.

Every subcommand is tried, with its own arguments and options as Typer lists them, on a real server with a worker.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.main import get_command

from incidents.app import starter
from incidents.cli import main as responder
from incidents.cli.index import GROUPS, SUBCOMMANDS
from incidents.client.references import Choice
from incidents.domain.incident.commands import Mark, Role
from incidents.domain.postmortem.document.sections import Cause
from tests.cli.commands.test_reads import NOBODY_PAGED
from tests.cli.conftest import Stage, point_at
from tests.support.hostile import TEXTS, TIMES, broken, encoded
from tests.support.in_process import Said, runner
from tests.support.thoroughness import by_thoroughness

EXAMPLES = settings(
    max_examples=by_thoroughness(20, 200),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
pytestmark = pytest.mark.timeout(400)
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
LEFT_OUT = {"--help", "--follow", "--yes", "-y", "--timeout", "--url", "--html", "--csv", "--markdown"}
"""Options that would wait for ever, write a file, or reach another machine; `--timeout` is short for each."""
FITTING = {
    "number": ["1"],
    "which": [mark.value for mark in Mark],
    "name": [role.value for role in Role],
    "minutes": ["10"],
    "level": ["P0"],
    "cause": [cause.value for cause in Cause],
}
"""Words that a parameter takes, so that the command goes on."""
WORDS = (
    TEXTS
    | TIMES
    | st.sampled_from(["1", "INC-1", ".", "latest", "-1", "--", "-", "2026-11-23", "P0", "commander", "0.5"])
).filter(lambda word: "\x00" not in word)
"""The operating system lets no word of a command line hold a NUL."""


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each subcommand, with how Typer understands it."""
    group: Any = get_command(responder.app)
    for name in (name for name in SUBCOMMANDS if name not in GROUPS):
        yield (name,), group.get_command(None, name)
    for name in GROUPS:
        yield from (((name, inner), command) for inner, command in group.get_command(None, name).commands.items())


ALL = dict(commands())


@st.composite
def values(draw: st.DrawFn, parameter: Any) -> str:
    """A value for a parameter: mostly one that it takes, so that the command goes on, or anything."""
    fitting = FITTING.get(parameter.name)
    return draw(st.sampled_from(fitting) | WORDS if fitting else WORDS)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command line."""
    words = draw(st.sampled_from(sorted(ALL)))
    line, parameters = list(words), ALL[words].params
    for parameter in parameters:
        option = next((name for name in parameter.opts if name.startswith("--")), "")
        if parameter.param_type_name == "argument":
            if draw(st.integers(0, 9)) > 0:
                line.append(draw(values(parameter)))
        elif option == "--timeout":
            line += [option, "0.5"]
        elif option and option not in LEFT_OUT and (parameter.required or draw(st.booleans())):
            line += [option] if parameter.is_flag else [option, draw(values(parameter))]
    return [*line, "--once"] if words == ("watch",) else line


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a program's main in this process."""
    return runner(monkeypatch, capsys)


def hold(said: Said, line: Any, *, warning: str = "") -> None:
    """Hold what always holds. A command that succeeds may give that warning."""
    assert said.status in (0, 1, 2), line
    err = said.err.removeprefix(chosen(said, line))
    if said.status == 0:
        assert err in ("", warning), line
        return
    assert err.startswith("error: ") or json.loads(err)["error"], (line, said)
    assert len(err.splitlines()) == 1, (line, said)
    assert not UNPRINTABLE.search(err.rstrip("\n")), (line, said)
    assert len(err) < 1500, (line, said)


def chosen(said: Said, line: Any) -> str:
    """The line that says which incident was chosen, if one was; or the questions of an interview."""
    if isinstance(line, list) and line[0] == "init" and (asked := re.match(r"(?:[^\n]*:\n)+(?=error: |\{)", said.err)):
        return asked[0]
    if isinstance(line, list) and any(word.strip().casefold() in [*Choice] for word in line):
        found = re.match(r"INC-\d+ · .*\n", said.err)
        return found[0] if found else ""
    return ""


@pytest.fixture
def on_server(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    point_at(monkeypatch, stage.address)
    monkeypatch.setattr("incidents.client.lookup.SEARCH", 0.05)
    monkeypatch.setenv("EVIDENCE_URL", (tmp_path / "evidence").as_uri())
    monkeypatch.setenv("ALERT_SPOOL", str(tmp_path / "spool"))


@pytest.fixture(scope="module")
def opened(stage: Stage) -> None:
    stage.open("critical")


@EXAMPLES
@given(line=lines())
def test_105_any_command_line_is_answered_or_refused_in_one_line(
    on_server: None, opened: None, run: Callable[..., Said], line: list[str]
) -> None:
    said = run(responder.main, *line)
    if line[0] != "check" or said.status == 2:
        hold(said, line)
    elif said.status == 1:  # the faults of a runbook are its answer, and with --strict its warnings
        answer = said.document["faults"] or said.document["warnings"] if "--json" in line else said.err.splitlines()
        assert len(answer) == 1 or "--strict" in line, line
        assert not any(UNPRINTABLE.search(each) for each in answer), line


@EXAMPLES
@given(line=st.lists(WORDS | st.sampled_from(["note", "show", "--json", "--by", "postmortem"]), max_size=5))
def test_105_any_words_are_refused_in_one_line(
    on_server: None, opened: None, run: Callable[..., Said], line: list[str]
) -> None:
    said = run(responder.main, *line)
    if line and (line[0] in GROUPS or line[0] == "--"):
        return  # the help of a group is many lines
    if line:
        hold(said, line)


ALERT = {"title": "Slow", "service": "dashboard", "severity": "warning", "labels": {"team": "core"}}


@EXAMPLES
@given(raw=encoded(broken(ALERT)) | st.binary(max_size=200))
def test_105_any_bytes_on_standard_input_are_explained_or_refused_in_one_line(
    run: Callable[..., Said], raw: bytes
) -> None:
    hold(run(responder.main, "alert", "test", "-", "--offline", given=raw), raw)


@EXAMPLES
@given(
    title=WORDS,
    service=WORDS,
    severity=WORDS,
    by=WORDS,
    environment=WORDS,
    source=st.none() | WORDS,
    flag=st.booleans(),
)
def test_105_any_words_of_the_starter_are_refused_in_one_line(
    on_server: None, run: Callable[..., Said], flag: bool, source: str | None, **texts: str
) -> None:
    words = [word for name, text in texts.items() for word in (f"--{name}", text)]
    words += ["--private"] if flag else []
    line = [*words, *([source] if source is not None else [])]
    hold(run(starter.app, *line), line, warning=f"{NOBODY_PAGED}\n")
