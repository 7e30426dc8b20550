"""Arguments and options that several subcommands share."""

from typing import Annotated

import typer

from incidents.cli.index import PLAIN as PLAIN
from incidents.cli.runner import login

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="42, INC-42, or workflow id", show_default=False)]
By = Annotated[str, typer.Option(help="Your name", default_factory=login, show_default="your login")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for a worker", min=0.5, max=60)]
Cluster = Annotated[str, typer.Option(help="Only this cluster", show_default=False)]
Reason = Annotated[str, typer.Option(help="Reason", show_default=False)]
Words = Annotated[str, typer.Argument(help="Text for customers", show_default=False)]
