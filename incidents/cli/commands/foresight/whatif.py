"""`incident whatif`: an incident's recorded facts under another runbook."""

import json
from typing import Annotated, Any

import typer
from temporalio.client import Client

from incidents.app.evidence.archive import complete
from incidents.app.foresight.followed import runbooks_followed
from incidents.app.foresight.other_runbook import NoSuchRunbook, load_other_runbook
from incidents.app.runbook_file import read_runbook_file, runbook_source
from incidents.app.settings import load_settings
from incidents.cli.finding import find
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, Number
from incidents.cli.output.foresight.tables import difference_table
from incidents.cli.runner import console, run, say
from incidents.client.asking import ask
from incidents.client.lookup import handle_of, label
from incidents.client.problems import CommandFailed
from incidents.domain.config.model import RunbookConfig
from incidents.domain.foresight.difference import Change, difference
from incidents.domain.foresight.plan import plan
from incidents.domain.foresight.recorded import Followed, Recorded, recorded
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

    What people and alerts did, as it is recorded, is run forward twice: under the runbook that the incident had (with
    `incident adopt`, the runbooks, each from its time on), and under the other one. What cannot be known is listed.
    """

    async def work(client: Client) -> None:
        other = _other(runbook)
        found = await find(client, number)
        incident: Incident = await ask(handle_of(client, found), INCIDENT_QUERY, Incident, label(found))
        incident = complete(incident)
        facts, followed = recorded(incident), await runbooks_followed(client, found, incident)
        _print(incident, facts, followed, _changes(facts, followed, other, everything), as_json)

    run(work)


def _other(named: str) -> RunbookConfig:
    """Return the other runbook: the one that is named, or else the one in use.

    Raises:
        typer.BadParameter: there is no such file or revision.
        RunbookError: it is not a runbook.
    """
    settings = load_settings()
    source = runbook_source(settings)
    if not named:
        return read_runbook_file(source, settings).runbook
    try:
        return load_other_runbook(named, source, settings)
    except NoSuchRunbook as error:
        raise typer.BadParameter(f"--runbook: {error}") from None


def _changes(facts: Recorded, followed: Followed, other: RunbookConfig, everything: bool) -> list[Change]:
    """Return what differs.

    Raises:
        CommandFailed: the other runbook lacks the incident's severity, service or region.
    """
    try:
        old = plan(facts.under_its_own(followed), followed.first, facts.start)
        new = plan(facts.scenario, other, facts.start)
    except ScenarioError as error:
        raise CommandFailed(f"The other runbook does not fit: {error}") from None
    return difference(old, new, housekeeping=everything)


def _print(incident: Incident, facts: Recorded, followed: Followed, changes: list[Change], as_json: bool) -> None:
    unknown = facts.all_unknown(followed)
    if as_json:
        listed: list[dict[str, Any]] = [change.model_dump(mode="json") for change in changes]
        told = [{"after": str(fact.at), "what": fact.summary} for fact in facts.scenario.facts]
        moves = [{"after": str(each.at - facts.start), "by": each.command.by} for each in followed.adopted]
        document = {"incident": incident.name, "facts": told, "changes": listed, "adopted": moves, "unknown": unknown}
        say(json.dumps(document, indent=1))
        return
    say(f"{incident.name} under the other runbook, by {len(facts.scenario.facts)} recorded facts")
    if changes:
        console().print(difference_table(changes))
    else:
        say("No difference.")
    say("\n".join(("", "Not known:", *(f"- {line}" for line in unknown))))
