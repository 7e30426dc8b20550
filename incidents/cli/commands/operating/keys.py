"""`incident keys`: make a key that encrypts payloads."""

import json
from typing import Annotated

import typer

from incidents.app.encryption.key_ring import new_key
from incidents.cli.help import Subcommands
from incidents.cli.options import Json
from incidents.cli.runner import say

app = Subcommands(no_args_is_help=True, help="Make keys that encrypt what Temporal stores.")


@app.command()
def new(
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="Its name, not secret, such as 2026-11", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Make a random key and print it, once: it is kept nowhere."""
    try:
        key = new_key(key_id)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        say(json.dumps({"id": key_id, "key": key}, indent=1))
        return
    typer.echo("Add it to PAYLOAD_KEYS of every process, first as the last one (docs/encryption.md):", err=True)
    say(key)
