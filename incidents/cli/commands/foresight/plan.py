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


_YEARS = (1970, 2999)

ScenarioOption = Annotated[
    Path | None, typer.Option(help="YAML file: what people and the alert do, and when", show_default=False)
]
Other = Annotated[
    str, typer.Option("--diff", metavar="FILE|git:REV", help="Show what differs from that runbook", show_default=False)
]
Until = Annotated[str, typer.Option(metavar="TIME", help="End, such as 90m or 7d", show_default="72h")]
Differs = Annotated[bool, typer.Option("--exit-code", help="With --diff: exit status 1 if anything differs")]


@dataclass(frozen=True)
class _Asked:
    """What the command line asks for. `all_severities`: the scenario's severity is each of them in turn."""

    scenario: Scenario
    start: datetime
    other: str
    file: Path | None
    how: Format
    all_severities: bool
    everything: bool
    texts: bool
    differs: bool


@app.command()
def plan(
    severity: Annotated[str, typer.Argument(help="Such as P0, or all; default: the worst", show_default=False)] = "",
    scenario: ScenarioOption = None,
    other: Other = "",
    service: Annotated[str, typer.Option(help="Of this service; default: the first", show_default=False)] = "",
    region: Annotated[str, typer.Option(help="Of this region only", show_default=False)] = "",
    until: Until = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="When the alert fires (ISO 8601)")] = DEFAULT_START,
    how: Annotated[Format, typer.Option("--format", help="Output format")] = Format.TABLE,
    everything: Annotated[bool, typer.Option("--all", help="Each repeat in its own line, and housekeeping")] = False,
    texts: Annotated[bool, typer.Option("--texts", help="In the table, each message in full")] = False,
    differs: Differs = False,
    file: RunbookOption = None,
    as_json: Json = False,
) -> None:
    """Show what the runbook will do if nobody acts.

    With --scenario, if people act as that file says. With --diff, what differs from another runbook: how it was there,
    and how it is here. It needs no Temporal. Every vendor is taken to answer at once, and no deployment to be suspect.
    """
    how, of_all = Format.JSON if as_json else how, severity == ALL
    asked = _scenario(scenario, "" if of_all else severity, service, region, until)
    made = _Asked(asked, _start(at), other, file, how, of_all, everything, texts, differs)
    _check(made)
    run_and_exit(_main(made))


def _start(typed: str) -> datetime:
    """Return when the alert fires. At the ends of the calendar there is no time before it, or after it.

    Raises:
        typer.BadParameter: it is not a time, or not of these centuries.
    """
    at = instant(typed)
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise typer.BadParameter(f"--at: {typed[:40]!r} is not of the years {_YEARS[0]} to {_YEARS[1]}")
    return at


def _check(asked: _Asked) -> None:
    """Check that the options go together.

    Raises:
        typer.BadParameter: they do not.
    """
    how = asked.how
    if asked.other and how is Format.MERMAID:
        raise typer.BadParameter("--format mermaid shows a plan; for --diff use table, markdown, html or json")
    if asked.all_severities and how in (Format.HTML, Format.MERMAID):
        raise typer.BadParameter(f"--format {how} shows one severity; for all use table, markdown or json")
    if asked.differs and not asked.other:
        raise typer.BadParameter("--exit-code is for --diff")


async def _main(asked: _Asked) -> int:
    """Print the plans, or the differences; return the exit status."""
    settings = load_settings()
    source = runbook_source(settings, asked.file)
    runbook = read_runbook_file(source, settings).runbook
    old = _other(asked.other, source, settings) if asked.other else None
    one = (asked.scenario.severity or runbook.severity_names[0],)
    names = runbook.severity_names if asked.all_severities else one
    plans = [_planned(asked.scenario.replace(severity=name), runbook, asked.start) for name in names]
    if old is None:
        print_plans(plans, asked.how, everything=asked.everything, texts=asked.texts)
        return 0
    compared = [(plan, _difference(asked.scenario, old, plan, asked.everything)) for plan in plans]
    print_differences(compared, asked.how)
    return 1 if asked.differs and any(changes for _, changes in compared) else 0


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
