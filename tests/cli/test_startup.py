"""What the command line imports, and that its list of subcommands says what they say themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest
import typer

from incidents.cli.index import GROUPS, SUBCOMMANDS

LOOK = """
import json, os, sys
from incidents.cli.main import app

def leave(status):
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
    sys.__stderr__.flush()
    end(status)

sys.argv[0] = "incident"
end, os._exit = os._exit, leave
try:
    app(sys.argv[1:])
except SystemExit:
    leave(0)
"""
LIGHT = [("--help",), ("--version",), ()]
"""Command lines that need no client."""
MODULES = dict.fromkeys(module for module, _ in SUBCOMMANDS.values())
NOBODY_LISTENS = {"TEMPORAL_ADDRESS": "127.0.0.1:1"}


def imported(*words: str, complete: str = "") -> set[str]:
    """What a run of the command line has imported by its end. No server answers it, but its client is imported."""
    program = f"from datetime import timedelta\nimport incidents.app.connection as c\nc.TIMEOUT = timedelta(0)\n{LOOK}"
    light = LOOK if words in LIGHT else program
    environment = {"_INCIDENT_COMPLETE": "complete_bash", "COMP_WORDS": complete, "COMP_CWORD": "1"} if complete else {}
    run = subprocess.run(
        [sys.executable, "-c", light, *words],
        env=NOBODY_LISTENS | environment,
        capture_output=True,
        text=True,
        timeout=50,
    )
    found: set[str] = set(json.loads(run.stderr.splitlines()[-1]))
    assert "incidents.cli.main" in found
    return found


@pytest.mark.parametrize("words", LIGHT)
def test_what_runs_nothing_imports_no_subcommand_and_no_client(words: tuple[str, ...]) -> None:
    found = imported(*words)
    assert not {"temporalio", "pydantic", "rich", "workflows", "activities"} & found
    assert not {*MODULES} & found


def test_completion_of_a_subcommand_imports_none() -> None:
    found = imported(complete="incident re")
    assert "typer.completion" in found
    assert not {"temporalio", "rich", *MODULES} & found


def test_list_imports_no_model() -> None:
    found = imported("list", "--json")
    assert "temporalio.client" in found
    assert not {"incidents.domain.core.base", "temporalio.contrib.pydantic", "pydantic_settings"} & found
    assert not {"rich", "yaml", "jinja2", "httpx", "icalendar", "pygal", "workflows", "activities"} & found


@pytest.mark.parametrize(
    "words",
    [
        ("ack", "1", "--by", "ann"),
        ("show", "1"),
        ("stuck",),
        ("rollback", "1", "--by", "ann"),
        ("evidence", "verify", "1"),
        ("postmortem", "show", "1"),
        ("report",),
    ],
)
def test_no_subcommand_imports_workflows_or_activities(words: tuple[str, ...]) -> None:
    found = imported(*words)
    assert "temporalio.client" in found
    assert not {"workflows", "activities"} & found


def group_of(module: str) -> Any:
    return typer.main.get_group(import_module(module).app)


@pytest.mark.parametrize("module", MODULES)
def test_the_list_says_what_the_subcommands_say(module: str) -> None:
    theirs = {name: command.get_short_help_str(1000) for name, command in group_of(module).commands.items()}
    ours = {name: text for name, (theirs, text) in SUBCOMMANDS.items() if theirs == module and name not in GROUPS}
    assert not ours or ours == theirs, "incidents/cli/index.py lags behind"


@pytest.mark.parametrize("name", GROUPS)
def test_the_list_says_what_the_groups_say(name: str) -> None:
    module, said = SUBCOMMANDS[name]
    assert said == group_of(module).get_short_help_str(1000)
