"""`incident check`: everything that is wrong with a runbook, in one pass, and what it probably does not mean."""

import json
import sys
from typing import Annotated

import typer

from incidents.app.connection import run_and_exit
from incidents.app.doctor.runbook_check import RunbookCheck, check_runbook
from incidents.app.runbook_file import runbook_source
from incidents.app.settings import Settings, load_settings
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, RunbookOption
from incidents.cli.runner import say

app = Subcommands()


@app.command()
def check(
    file: RunbookOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit status 1 for warnings, too")] = False,
    as_json: Json = False,
) -> None:
    """Validate runbook.yaml: errors and warnings, by line.

    Warnings are printed on standard error: they are about this environment, too, such as a channel without credentials.
    """

    async def main() -> int:
        settings = load_settings()
        source = runbook_source(settings, file)
        checked = check_runbook(source, settings)
        _print(source.name, checked, settings, as_json)
        return 1 if checked.faults or (strict and (checked.warnings or checked.pager)) else 0

    run_and_exit(main())


def _print(name: str, checked: RunbookCheck, settings: Settings, as_json: bool) -> None:
    encryption = settings.key_ring.describe()
    if as_json:
        found = {"file": name, "valid": not checked.faults, "faults": checked.faults, "warning": checked.pager}
        say(json.dumps(found | {"warnings": checked.warnings, "encryption": encryption}, indent=1))
        return
    for line in (*checked.faults, *(f"warning: {warning}" for warning in checked.warnings)):
        print(line, file=sys.stderr)
    if checked.faults:
        return
    say(f"{name} is valid")
    if checked.pager:
        say(checked.pager)
    say(f"Payload encryption: {encryption}")
