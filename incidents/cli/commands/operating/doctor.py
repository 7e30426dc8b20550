"""`incident doctor`: check Temporal, workers, integrations and runbook."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from incidents.app.connection import run_and_exit
from incidents.app.doctor.checks import SECONDS, Progress
from incidents.app.doctor.doctor import Diagnosis, diagnose
from incidents.app.settings import load_settings
from incidents.cli.help import Subcommands
from incidents.cli.options import Json
from incidents.cli.output.list_views import text
from incidents.cli.output.plain_console import PlainConsole
from incidents.cli.output.progress import shown_progress
from incidents.cli.runner import console, say
from incidents.domain.doctor.finding import Finding, Level, count, has_error, worst_first

app = Subcommands()
_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "bold red", Level.UNKNOWN: "magenta"}
_SHOWN = 3
_NAMES = 20
"""Cells of the checks' names."""


@app.command()
def doctor(
    everything: Annotated[bool, typer.Option("--all", help="Show what is well and what is off in full")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Limit of each check", min=1, max=60)] = SECONDS,
    as_json: Json = False,
) -> None:
    """Check Temporal, workers, integrations and runbook.

    Each finding has its remedy. Nothing is changed, and nobody is notified. The settings are those of this process: run
    it where the worker runs.
    """

    async def main() -> int:
        progress, screen = Progress(), PlainConsole(stderr=True, markup=False, highlight=False)
        settings = load_settings()
        async with shown_progress(screen, lambda: _waiting(progress)):
            diagnosis = await diagnose(settings, progress, seconds=timeout)
        if as_json:
            say(_document(diagnosis))
        else:
            console().print(*_view(diagnosis, everything=everything), sep="\n")
        return 1 if has_error(diagnosis.findings) else 0

    run_and_exit(main())


def _waiting(progress: Progress) -> str:
    more = f" and {len(progress.waiting) - _SHOWN} more" if len(progress.waiting) > _SHOWN else ""
    return f"Waiting for {', '.join(progress.waiting[:_SHOWN])}{more} (of {progress.total} checks)"


def _document(diagnosis: Diagnosis) -> str:
    rows = [finding.model_dump(mode="json") for finding in worst_first(diagnosis.findings)]
    return json.dumps(
        {"healthy": not has_error(diagnosis.findings), "findings": rows, "not_configured": diagnosis.off}, indent=1
    )


def _view(diagnosis: Diagnosis, *, everything: bool) -> Iterator[RenderableType]:
    """Yield what is to be done first, each with its remedy; then what is well, and what is off."""
    found = worst_first(diagnosis.findings)
    shown = [finding for finding in found if everything or finding.level is not Level.OK]
    if shown:
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(max_width=_NAMES)
        table.add_column(ratio=1)
        for level, checks, finding in _grouped(shown):
            remedy = [text(f"\n→ {finding.remedy}", "dim")] if finding.remedy else []
            table.add_row(text(level, _STYLES[finding.level]), text(checks), Text.assemble(finding.what, *remedy))
        yield table
    well = dict.fromkeys(finding.check for finding in found if finding.level is Level.OK)
    if well and not everything:
        yield Text.assemble(("ok", "green"), f"  {', '.join(well)}")
    if diagnosis.off:
        off = ", ".join(diagnosis.off) if everything else f"{len(diagnosis.off)} integrations (--all lists them)"
        yield Text(f"off  {off}", style="dim")
    yield Text(f"{count(found)}", style="bold")


def _grouped(findings: Sequence[Finding]) -> Iterator[tuple[str, str, Finding]]:
    """Yield the level, the names of the checks, and what they have in common: one cause often stops many checks."""
    groups: dict[tuple[Level, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.level, finding.what, finding.remedy), []).append(finding)
    for same in groups.values():
        yield str(same[0].level), ", ".join(dict.fromkeys(one.check for one in same)), same[0]
