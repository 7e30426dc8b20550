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

end, os._exit = os._exit, leave
try:
    app(sys.argv[1:])
except SystemExit:
    leave(0)
"""
NOBODY_LISTENS = {"TEMPORAL_ADDRESS": "127.0.0.1:1"}


def imported(*words: str) -> set[str]:
    """What a run of the command line has imported by its end. No server answers it, but its client is imported."""
    program = f"from datetime import timedelta\nimport incidents.app.connection as c\nc.PATIENCE = timedelta(0)\n{LOOK}"
    light = LOOK if "--help" in words else program
    run = subprocess.run(
        [sys.executable, "-c", light, *words], env=NOBODY_LISTENS, capture_output=True, text=True, timeout=50
    )
    found: set[str] = set(json.loads(run.stderr.splitlines()[-1]))
    assert "incidents.cli.main" in found
    return found


def test_help_imports_no_subcommand_and_no_client() -> None:
    found = imported("--help")
    assert not {"temporalio", "pydantic", "rich", "workflows", "activities"} & found
    assert not {*SUBCOMMANDS} & found


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


@pytest.mark.parametrize("module", SUBCOMMANDS)
def test_the_list_says_what_the_subcommands_say(module: str) -> None:
    theirs = {name: command.get_short_help_str(1000) for name, command in group_of(module).commands.items()}
    assert SUBCOMMANDS[module] == theirs, "incidents/cli/index.py lags behind"


@pytest.mark.parametrize("name", GROUPS)
def test_the_list_says_what_the_groups_say(name: str) -> None:
    module, said = GROUPS[name]
    assert said == group_of(module).get_short_help_str(1000)
