"""`incident plan`: what the runbook will do, hour by hour, and what a change of it changes."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from incidents.app.connection import run_and_exit
from incidents.app.foresight.other_runbook import NoSuchRunbook, load_other_runbook
from incidents.app.foresight.scenario_file import ScenarioFile, read_scenario
from incidents.app.runbook_file import RunbookSource, read_runbook_file, runbook_source
from incidents.app.settings import Settings, load_settings
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, RunbookOption, instant
from incidents.cli.output.foresight.formats import Format, print_differences, print_plans
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.time.duration import parse_duration
from incidents.domain.foresight.difference import Change, difference
from incidents.domain.foresight.plan import Plan
from incidents.domain.foresight.plan import plan as make_plan
from incidents.domain.foresight.scenario import LONGEST, Scenario, ScenarioError

app = Subcommands()
ALL = "all"
"""In place of a severity: each of them."""
DEFAULT_START = "2026-01-05T09:00:00Z"
"""A Monday. It is fixed, so that the same runbook always gives the same plan."""


@dataclass(frozen=True)
class _Output:
    """What is printed. `differs`: the exit status says whether anything differs."""

    how: Format
    everything: bool
    texts: bool
    differs: bool

    def check(self, all_severities: bool, compared: bool) -> None:
        """Check that these options go together.

        Raises:
            typer.BadParameter: they do not.
        """
        if compared and self.how is Format.MERMAID:
            raise typer.BadParameter("--format mermaid shows a plan; for --diff use table, markdown, html or json")
        if all_severities and self.how in (Format.HTML, Format.MERMAID):
            raise typer.BadParameter(f"--format {self.how} shows one severity; for all use table, markdown or json")
        if self.differs and not compared:
            raise typer.BadParameter("--exit-code is for --diff")


@app.command()
def plan(
    severity: Annotated[str, typer.Argument(help="Such as P0, or all; default: the worst", show_default=False)] = "",
    scenario: Annotated[
        Path | None, typer.Option(help="YAML file: what people and the alert do, and when", show_default=False)
    ] = None,
    other: Annotated[
        str,
        typer.Option("--diff", metavar="FILE|git:REV", help="Show what differs from that runbook", show_default=False),
    ] = "",
    service: Annotated[str, typer.Option(help="Of this service; default: the first", show_default=False)] = "",
    region: Annotated[str, typer.Option(help="Of this region only", show_default=False)] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="End, such as 90m or 7d", show_default="72h")] = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="When the alert fires (ISO 8601)")] = DEFAULT_START,
    how: Annotated[Format, typer.Option("--format", help="Output format")] = Format.TABLE,
    everything: Annotated[bool, typer.Option("--all", help="Each repeat in its own line, and housekeeping")] = False,
    texts: Annotated[bool, typer.Option("--texts", help="In the table, each message in full")] = False,
    differs: Annotated[
        bool, typer.Option("--exit-code", help="With --diff: exit status 1 if anything differs")
    ] = False,
    file: RunbookOption = None,
    as_json: Json = False,
) -> None:
    """Show what the runbook will do if nobody acts.

    With --scenario, if people act as that file says. With --diff, what differs from another runbook: how it was there,
    and how it is here. It needs no Temporal. Every vendor is taken to answer at once, and no deployment to be suspect.
    """
    output = _Output(Format.JSON if as_json else how, everything, texts, differs)
    output.check(severity == ALL, bool(other))
    start, asked = instant(at), _scenario(scenario, "" if severity == ALL else severity, service, region, until)

    async def main() -> int:
        settings = load_settings()
        source = runbook_source(settings, file)
        runbook = read_runbook_file(source, settings).runbook
        old = _other(other, source, settings) if other else None
        names = runbook.severity_names if severity == ALL else (asked.severity or runbook.severity_names[0],)
        return _print([_planned(asked.replace(severity=name), runbook, start) for name in names], asked, old, output)

    run_and_exit(main())


def _print(plans: list[Plan], asked: Scenario, old: RunbookConfig | None, output: _Output) -> int:
    """Print the plans, or how they differ from those of the runbook `old`; return the exit status."""
    if old is None:
        print_plans(plans, output.how, everything=output.everything, texts=output.texts)
        return 0
    compared = [(plan, _difference(asked, old, plan, output.everything)) for plan in plans]
    print_differences(compared, output.how)
    return 1 if output.differs and any(changes for _, changes in compared) else 0


def _difference(asked: Scenario, old: RunbookConfig, new: Plan, everything: bool) -> list[Change]:
    """Return what differs; where the old runbook lacks the severity, all of it is new."""
    if old.severity_named(new.severity) is None:
        before = new.replace(steps=())
    else:
        before = _planned(asked.replace(severity=new.severity), old, new.start)
    return difference(before, new, housekeeping=everything)


def _other(named: str, source: RunbookSource, settings: Settings) -> RunbookConfig:
    """Return the runbook to compare with.

    Raises:
        typer.BadParameter: there is no such file or revision.
    """
    try:
        return load_other_runbook(named, source, settings)
    except NoSuchRunbook as error:
        raise typer.BadParameter(f"--diff: {error}") from None


def _scenario(file: Path | None, severity: str, service: str, region: str, until: str) -> Scenario:
    """Return the scenario of the command line: the file's, with what the options replace.

    Raises:
        typer.BadParameter: the file cannot be read or is not a scenario, or the length is none.
    """
    asked = _read(file).scenario if file else Scenario()
    said: dict[str, Any] = {"severity": severity, "service": service, "region": region}
    if until:
        said["until"] = _length(until)
    return asked.replace(**{name: value for name, value in said.items() if value})


def _read(file: Path) -> ScenarioFile:
    try:
        return read_scenario(file, str(file))
    except ScenarioError as error:
        raise typer.BadParameter(str(error)) from None


def _length(typed: str) -> Any:
    try:
        length = parse_duration(typed)
        if LONGEST >= length > LONGEST * 0:
            return length
    except (ValueError, OverflowError, TypeError):
        pass
    raise typer.BadParameter(f"--until: {typed[:40]!r} is not a time of up to {LONGEST.days} days, such as 90m or 72h")


def _planned(scenario: Scenario, runbook: RunbookConfig, start: datetime) -> Plan:
    """Return the plan.

    Raises:
        typer.BadParameter: the runbook lacks the severity, service or region.
    """
    try:
        return make_plan(scenario, runbook, start)
    except ScenarioError as error:
        raise typer.BadParameter(str(error)) from None
