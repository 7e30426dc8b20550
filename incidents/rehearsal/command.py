"""`incident rehearse`: a scenario played by the real workflows and activities, in virtual time."""

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import typer
from temporalio.service import RPCError

from incidents.app.connection import run_and_exit
from incidents.app.foresight.scenario_file import ScenarioFile, check_scenario, find_scenario
from incidents.app.foresight.shipped import shipped
from incidents.app.runbook_file import read_runbook_file, runbook_source
from incidents.app.settings import load_settings
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, RunbookOption
from incidents.cli.runner import PROBLEMS, say
from incidents.client.problems import CommandFailed
from incidents.domain.config.loading import RunbookFile
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.foresight.rehearsal.effects import Rehearsed
from incidents.domain.foresight.rehearsal.expectations import Verdict, check
from incidents.domain.foresight.rehearsal.junit import junit
from incidents.domain.foresight.rehearsal.page import rehearsal_page
from incidents.domain.foresight.scenario import ScenarioError
from incidents.rehearsal.needs import what_is_missing

app = Subcommands()
ALL = "all"
"""In place of a scenario: every shipped one."""
Result = tuple[Rehearsed, tuple[Verdict, ...]]


@app.command()
def rehearse(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO]...", help="YAML file, shipped scenario (--list), or all", show_default=False
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the shipped scenarios")] = False,
    file: RunbookOption = None,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the verdicts as JUnit XML", show_default=False)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one page with everything", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Rehearse a scenario: the real program, in virtual time.

    Workflows and activities run against a sandbox of all vendors; nothing else can be reached. What went out is held to
    the scenario's expectations. Exit status: 0 all met, 1 one is not, 2 the scenario is wrong.
    """
    if list_:
        _print_list(as_json)
        return
    asked = _asked(scenarios or [])
    if html is not None and len(asked) != 1:
        raise typer.BadParameter("--html shows one scenario")

    async def main() -> int:
        results = await _rehearse_all(asked, file)
        if junit_file is not None:
            _write(junit_file, junit(results))
        if html is not None:
            _write(html, rehearsal_page(*results[0]))
        _print(results, as_json)
        return 0 if all(verdict.met for _, verdicts in results for verdict in verdicts) else 1

    run_and_exit(main(), PROBLEMS)


async def _rehearse_all(asked: list[ScenarioFile], file: Path | None) -> list[Result]:
    """Rehearse them under the runbook of `file`, or the one in use.

    Raises:
        CommandFailed: what a rehearsal needs is not installed.
    """
    if missing := what_is_missing():
        raise CommandFailed(missing)
    settings = load_settings()
    source = runbook_source(settings, file)
    runbook = read_runbook_file(source, settings)
    for named in asked:
        _fits(named, runbook)
    return [await _rehearsed(named, runbook) for named in asked]


def _asked(names: list[str]) -> list[ScenarioFile]:
    """Return the scenarios that are named.

    Raises:
        typer.BadParameter: none is named, or one cannot be read or is not a scenario.
    """
    known = shipped()
    if not names:
        raise typer.BadParameter("name a scenario: a YAML file, a shipped one (--list), or all")
    wanted = [each for name in names for each in (known if name == ALL else [name])]
    return [_named(name) for name in wanted]


def _named(name: str) -> ScenarioFile:
    try:
        return find_scenario(name)
    except ScenarioError as error:
        raise typer.BadParameter(str(error)) from None


def _fits(named: ScenarioFile, file: RunbookFile) -> None:
    """Check that the runbook has what the scenario names.

    Raises:
        typer.BadParameter: it lacks a severity, a service or a region.
    """
    try:
        check_scenario(named, file.runbook)
    except ScenarioError as error:
        raise typer.BadParameter(str(error)) from None


async def _rehearsed(named: ScenarioFile, runbook: RunbookFile) -> Result:
    from incidents.rehearsal.run import rehearse as play  # the sandbox, which is not always installed

    logging.disable(logging.ERROR)  # vendors fail on purpose, and the worker would say so
    try:
        rehearsed = await play(named.scenario, named.name, runbook)
    except (RPCError, TimeoutError):
        raise CommandFailed(
            f"{named.name}: Temporal's test server stopped answering. Nothing was sent to anyone. Run it again,"
            " on a machine with less load."
        ) from None
    finally:
        logging.disable(logging.NOTSET)
    return rehearsed, check(rehearsed, named.scenario.expect)


def _write(file: Path, text: str) -> None:
    """Write a file.

    Raises:
        CommandFailed: it cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{one_line(str(file), 200)}: {error.strerror}. The rehearsal itself ended.") from None


def _print(results: list[Result], as_json: bool) -> None:
    if as_json:
        documents = [_document(*result) for result in results]
        say(json.dumps(documents[0] if len(documents) == 1 else documents, indent=1))
        return
    for rehearsed, verdicts in results:
        say(f"{rehearsed.name}: {rehearsed.title}, {rehearsed.heading}, {in_words(rehearsed.until)}")
        for fact in rehearsed.facts:
            if fact.rejected:
                say(f"  rejected  {fact.summary}: {fact.rejected}")
        for verdict in verdicts:
            where = "" if verdict.met else f"{rehearsed.name}:{verdict.expectation.line}: "
            why = "" if verdict.met else f" ({verdict.why})"
            say(f"  {'met' if verdict.met else 'FAILED':<8}  {where}{verdict.expectation.summary}{why}")
    met = [verdict.met for _, verdicts in results for verdict in verdicts]
    sent = sum(len(rehearsed.effects) for rehearsed, _ in results)
    say(f"{sum(met)} of {len(met)} expectations met, {sent} effects")


def _document(rehearsed: Rehearsed, verdicts: tuple[Verdict, ...]) -> dict[str, Any]:
    listed = [
        {"line": v.expectation.line, "expectation": v.expectation.summary, "met": v.met, "why": v.why} for v in verdicts
    ]
    return {"met": all(v.met for v in verdicts), "expectations": listed} | rehearsed.model_dump(mode="json")


def _print_list(as_json: bool) -> None:
    found = {name: _named(name).scenario.title for name in shipped()}
    if as_json:
        say(json.dumps([{"name": name, "title": title} for name, title in found.items()], indent=1))
        return
    for name, title in found.items():
        say(f"{name:<{max(map(len, found))}}  {title}")
