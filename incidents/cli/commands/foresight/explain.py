"""`incident explain`: what the runbook promises for a severity, in plain words."""

import json
import textwrap
from typing import Annotated

import typer

from incidents.app.connection import run_and_exit
from incidents.app.runbook_file import read_runbook_file, runbook_source
from incidents.app.settings import load_settings
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, RunbookOption
from incidents.cli.runner import say
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.foresight.explain import explain

app = Subcommands()
_WIDTH, _INDENT = 80, 13


@app.command("explain")
def explain_severity(
    severity: Annotated[str, typer.Argument(help="Such as P0; default: the worst", show_default=False)] = "",
    service: Annotated[str, typer.Option(help="With the rules of this service", show_default=False)] = "",
    file: RunbookOption = None,
    as_json: Json = False,
) -> None:
    """Explain in plain words what the runbook does for a severity."""

    async def main() -> int:
        settings = load_settings()
        source = runbook_source(settings, file)
        runbook = read_runbook_file(source, settings).runbook
        named = _severity(severity, service, runbook)
        found = explain(named, runbook, service)
        if as_json:
            say(json.dumps({"severity": named, **{each.topic: each.text for each in found}}, indent=1))
            return 0
        say(f"{named}, {runbook.policy(named).name}")
        for each in found:
            say(_paragraph(each.topic, each.text))
        return 0

    run_and_exit(main())


def _paragraph(topic: str, text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=f"{topic:<{_INDENT}}",
        subsequent_indent=" " * _INDENT,
        break_on_hyphens=False,
    )


def _severity(typed: str, service: str, runbook: RunbookConfig) -> Severity:
    """Return the severity that was typed.

    Raises:
        typer.BadParameter: the runbook lacks it, or the service.
    """
    listed = [each.name for each in runbook.services]
    if service and service not in listed:
        raise typer.BadParameter(f"--service: {one_line(service, 100)!r} is not one of {', '.join(listed)}")
    severity = runbook.severity_named(typed) if typed else runbook.severity_names[0]
    if severity is None:
        raise typer.BadParameter(f"{one_line(typed, 100)!r} is not one of {', '.join(runbook.severity_names)}")
    return severity
