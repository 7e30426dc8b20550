"""Arguments and options that several subcommands share."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from incidents.cli.completion import complete_incident
from incidents.cli.runner import login
from incidents.domain.core.time.instants import parse_instant

Number = Annotated[
    str,
    typer.Argument(
        metavar="INCIDENT",
        help="42, INC-42, '#42', latest, . (the only open one)",
        show_default=False,
        autocompletion=complete_incident,
    ),
]
By = Annotated[str, typer.Option(metavar="NAME", help="Your name", default_factory=login, show_default="your login")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for a worker", min=0.5, max=60)]
Cluster = Annotated[str, typer.Option(help="Only this cluster", show_default=False)]
Reason = Annotated[str, typer.Option(help="Reason", show_default=False)]
RunbookOption = Annotated[
    Path | None, typer.Option("--file", help="Runbook; default: RUNBOOK_FILE", show_default=False)
]
Words = Annotated[str, typer.Argument(help="Text for customers", show_default=False)]


def instant(text: str) -> datetime:
    """Return the time that was typed, UTC without an offset.

    Raises:
        typer.BadParameter: it is not an ISO 8601 time.
    """
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
