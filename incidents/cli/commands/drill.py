"""`incident drill`: how a drill went."""

import json
from typing import Annotated

import typer
from temporalio.client import Client

from incidents.app.evidence.archive import complete
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, Number
from incidents.cli.runner import run, say
from incidents.client.asking import ask
from incidents.client.lookup import handle_of, incident, label, list_incidents
from incidents.client.problems import CommandFailed, NoAnswer, NotFound
from incidents.domain.core.base import CommandRejected
from incidents.domain.drill.scorecard import Scorecard, scorecard, scorecard_lines
from incidents.domain.incident.incident import Incident
from incidents.names import INCIDENT_QUERY
from incidents.search_attributes import DRILL

app = Subcommands()
_COMPARED = 3
"""Earlier drills beside this one."""


@app.callback()
def drill() -> None:
    """Show how a drill went."""


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
