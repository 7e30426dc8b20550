"""`incident whatif`: an incident's recorded facts under another runbook."""

import json
from typing import Annotated, Any

import typer
from temporalio.client import Client, WorkflowExecution

from incidents.app.evidence.archive import complete
from incidents.app.foresight.other_runbook import NoSuchRunbook, load_other_runbook
from incidents.app.runbook_file import runbook_source
from incidents.app.settings import load_settings
from incidents.cli.finding import find
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, Number
from incidents.cli.output.foresight.tables import difference_table
from incidents.cli.runner import console, run, say
from incidents.client.asking import ask
from incidents.client.lookup import handle_of, label
from incidents.client.problems import CommandFailed
from incidents.contracts import IncidentInput
from incidents.domain.config.model import RunbookConfig
from incidents.domain.foresight.difference import Change, difference
from incidents.domain.foresight.plan import plan
from incidents.domain.foresight.recorded import Recorded, recorded
from incidents.domain.foresight.scenario import ScenarioError
from incidents.domain.incident.incident import Incident
from incidents.names import INCIDENT_QUERY

app = Subcommands()


@app.command("whatif")
def what_if(
    number: Number,
    runbook: Annotated[
        str, typer.Option(metavar="FILE|git:REV", help="The other runbook; default: RUNBOOK_FILE", show_default=False)
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="Housekeeping, too")] = False,
    as_json: Json = False,
) -> None:
    """Show how an incident would have gone under another runbook.

    What people and alerts did, as it is recorded, is run forward twice: under the runbook that the incident had, and
    under the other one. What cannot be known is listed.
    """
    other = _other(runbook)

    async def work(client: Client) -> None:
        found = await find(client, number)
        incident: Incident = await ask(handle_of(client, found), INCIDENT_QUERY, Incident, label(found))
        facts = recorded(complete(incident))
        own = await _runbook_of(client, found)
        changes = _changes(facts, own, other, everything)
        _print(incident, facts, changes, as_json)

    run(work)


def _other(named: str) -> RunbookConfig:
    """Return the other runbook.

    Raises:
        typer.BadParameter: there is no such file or revision.
    """
    settings = load_settings()
    source = runbook_source(settings)
    try:
        return load_other_runbook(named or str(source.file), source, settings)
    except NoSuchRunbook as error:
        raise typer.BadParameter(f"--runbook: {error}") from None


async def _runbook_of(client: Client, found: WorkflowExecution) -> RunbookConfig:
    """Return the runbook that the incident's last run started with.

    Raises:
        CommandFailed: its history has no input.
    """
    async for event in handle_of(client, found).fetch_history_events():
        given = event.workflow_execution_started_event_attributes.input.payloads
        [started] = await client.data_converter.decode(given, [IncidentInput])
        runbook: RunbookConfig = started.runbook
        return runbook
    raise CommandFailed(f"{label(found)} has no history any more: Temporal's retention is over.")


def _changes(facts: Recorded, own: RunbookConfig, other: RunbookConfig, everything: bool) -> list[Change]:
    """Return what differs.

    Raises:
        CommandFailed: the other runbook lacks the incident's severity, service or region.
    """
    try:
        old, new = (plan(facts.scenario, each, facts.start) for each in (own, other))
    except ScenarioError as error:
        raise CommandFailed(f"The other runbook does not fit: {error}") from None
    return difference(old, new, housekeeping=everything)


def _print(incident: Incident, facts: Recorded, changes: list[Change], as_json: bool) -> None:
    if as_json:
        listed: list[dict[str, Any]] = [change.model_dump(mode="json") for change in changes]
        told = [{"after": str(fact.at), "what": fact.summary} for fact in facts.scenario.facts]
        document = {"incident": incident.name, "facts": told, "changes": listed, "unknown": facts.unknown}
        say(json.dumps(document, indent=1))
        return
    say(f"{incident.name} under the other runbook, by {len(facts.scenario.facts)} recorded facts")
    if changes:
        console().print(difference_table(changes))
    else:
        say("No difference.")
    say("\n".join(("", "Not known:", *(f"- {line}" for line in facts.unknown))))
