"""`incident drill`: play a scenario in real time, stop it, and show how a drill went."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import Client

from incidents.app.evidence.archive import complete
from incidents.app.foresight.scenario_file import check_scenario, find_scenario
from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.cli.help import Subcommands
from incidents.cli.options import By, Json, Number
from incidents.cli.runner import run, say
from incidents.client.asking import ask
from incidents.client.drills import drill_number, short_name, start_drill, stop_drill
from incidents.client.intake import NUMBER_TIMEOUT
from incidents.client.lookup import find, handle_of, incident, label, list_incidents
from incidents.client.problems import CommandFailed, NoAnswer, NotFound
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import CommandRejected
from incidents.domain.drill.scorecard import Scorecard, scorecard, scorecard_lines
from incidents.domain.drill.script import DrillScript, started_lines
from incidents.domain.foresight.drill_script import drill_script
from incidents.domain.foresight.scenario import ScenarioError
from incidents.domain.incident.incident import Incident
from incidents.names import INCIDENT_QUERY
from incidents.search_attributes import DRILL

app = Subcommands()
_COMPARED = 3
"""Earlier drills beside this one."""


@app.callback()
def drill() -> None:
    """Play a drill, and show how it went."""


@app.command()
def start(
    scenario: Annotated[str, typer.Argument(help="YAML file, or a shipped scenario (`incident rehearse --list`)")],
    by: By,
    as_json: Json = False,
) -> None:
    """Start a drill that plays a scenario in real time: its alert, and what happens outside. People act themselves.

    It continues after this command. What fails or is deployed in the scenario is posted in the channel.
    """
    settings = load_settings()
    runbook = load_runbook(settings)
    script = _script(scenario, runbook, by)

    async def work(client: Client) -> None:
        drill = await start_drill(client, script, runbook, settings.temporal_task_queue)
        number = await drill_number(client, drill, NUMBER_TIMEOUT)
        if as_json:
            started = {"workflow_id": drill, "number": number, "left_to_people": script.left_to_people}
            say(json.dumps(started | {"steps": [step.model_dump(mode="json") for step in script.steps]}, indent=1))
            return
        say("\n".join(started_lines(script, drill, number)))
        if not runbook.drill.participants:
            print("It reaches nobody: runbook.yaml names no participants (`drill.participants`).", file=sys.stderr)

    run(work)


def _script(scenario: str, runbook: RunbookConfig, by: str) -> DrillScript:
    """Return the script of the scenario that is named.

    Raises:
        typer.BadParameter: there is none, or it does not fit the runbook.
    """
    try:
        found = find_scenario(scenario)
        check_scenario(found, runbook)
        return drill_script(found.scenario, short_name(scenario), runbook, by, datetime.now(UTC))
    except ScenarioError as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def stop(number: Number, as_json: Json = False) -> None:
    """Stop playing a drill's scenario. The incident goes on: resolve it, or cancel it."""

    async def work(client: Client) -> None:
        found = await find(client, number)
        if not await stop_drill(client, found.id):
            raise CommandFailed(f"{label(found)} plays no scenario, or has played all of it. Nothing was changed.")
        message = f"{label(found)}: nothing more is played. The drill goes on until it is resolved."
        say(json.dumps({"message": message}) if as_json else message)

    run(work)


@app.command()
def score(
    number: Number,
    compared: Annotated[int, typer.Option("--last", min=0, max=20, help="Earlier drills to compare with")] = _COMPARED,
    as_json: Json = False,
) -> None:
    """Print a drill's scorecard, beside those of the last drills."""

    async def work(client: Client) -> None:
        found = await incident(client, number)
        try:
            card = scorecard(complete(found))
        except CommandRejected as refused:
            raise CommandFailed(str(refused)) from None
        earlier = await _earlier(client, found, compared)
        if as_json:
            document = card.model_dump(mode="json") | {"earlier": [each.model_dump(mode="json") for each in earlier]}
            say(json.dumps(document, indent=1))
        else:
            say("\n".join(scorecard_lines(card, earlier)))

    run(work)


async def _earlier(client: Client, drill: Incident, most: int) -> list[Scorecard]:
    """Return the scorecards of the drills before this one, the newest first; without those that nobody can answer."""
    cards: list[Scorecard] = []
    for each in await list_incidents(client, everything=True):
        if len(cards) == most:
            break
        if not each.typed_search_attributes.get(DRILL):
            continue
        try:
            found: Incident = await ask(handle_of(client, each), INCIDENT_QUERY, Incident, label(each))
        except (NoAnswer, NotFound):
            continue
        if found.opened_at < drill.opened_at:
            cards.append(scorecard(complete(found)))
    return cards
