"""What the subcommands take, in the same words everywhere."""

from typing import Annotated

import typer

from incidents.cli.index import PLAIN as PLAIN
from incidents.cli.runner import login

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="42, INC-42, or a workflow id", show_default=False)]
By = Annotated[str, typer.Option(help="Who you are", default_factory=login, show_default="your login")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for a worker", min=0.5, max=60)]
Cluster = Annotated[str, typer.Option(help="One cluster only", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why", show_default=False)]
Words = Annotated[str, typer.Argument(help="What customers read", show_default=False)]
