"""`incident token`: create, list and revoke tokens of the gateway's API, in the file that the gateway reads."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NoReturn

import typer

from incidents.app.api_tokens import ApiToken, ApiTokens, Scope, TokensUnusable
from incidents.app.connection import run_and_exit
from incidents.app.people import load_directory
from incidents.app.settings import load_settings
from incidents.cli.help import Subcommands
from incidents.cli.options import Json
from incidents.cli.runner import say
from incidents.client.problems import CommandFailed
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.duration import parse_duration

app = Subcommands(no_args_is_help=True, help="Create, list and revoke tokens of the gateway's API.")
_LONGEST_NAME = 100


@app.command()
def create(
    name: Annotated[
        str, typer.Argument(help="Who acts with it: a person or a machine, as in the directory", show_default=False)
    ],
    scope: Annotated[
        list[Scope], typer.Option(help="What it allows; repeat the option for several", show_default=False)
    ],
    lasts: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long, such as 90d; default: no end")
    ] = "",
    as_json: Json = False,
) -> None:
    """Create a token and print it, once: only its hash is kept."""
    if not one_line(name, _LONGEST_NAME):
        raise typer.BadParameter("name who acts with the token")
    known_as = load_directory().resolve(one_line(name, _LONGEST_NAME))
    length = _length(lasts)

    def work(tokens: ApiTokens) -> None:
        token, text = tokens.create(known_as, tuple(scope), datetime.now(UTC), length)
        if as_json:
            say(json.dumps(_row(token) | {"token": text}, indent=1))
            return
        say(f"{_line(token)}\nThe token, shown only now:")
        say(text)

    _run(work)


def _length(lasts: str) -> timedelta | None:
    try:
        length = parse_duration(lasts) if lasts else None
        datetime.now(UTC) + (length or timedelta())
    except (ValueError, OverflowError, TypeError):
        length = lasts
    if length is not None and (not isinstance(length, timedelta) or length <= timedelta()):
        raise typer.BadParameter(f"--for: {lasts[:40]!r} is not a duration: write 90d or 12h")
    return length


@app.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List the tokens: id, name, scopes and dates."""

    def work(tokens: ApiTokens) -> None:
        found = tokens.listed()
        if as_json:
            say(json.dumps([_row(token) for token in found], indent=1))
        else:
            say("\n".join(map(_line, found)) or "There are no tokens. To create one: `incident token create`.")

    _run(work)


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, as listed", show_default=False)],
    as_json: Json = False,
) -> None:
    """Revoke a token. The gateway refuses it from then on."""

    def work(tokens: ApiTokens) -> None:
        token = tokens.revoke(token_id)
        if token is None:
            raise CommandFailed(f"There is no token {token_id[:40]!r}. Nothing was changed. See `incident token list`.")
        say(json.dumps(_row(token), indent=1) if as_json else f"Revoked: {_line(token)}")

    _run(work)


def _run(work: Callable[[ApiTokens], None]) -> NoReturn:
    async def main() -> int:
        try:
            work(ApiTokens(load_settings().api_tokens))
        except TokensUnusable as error:
            raise CommandFailed(str(error)) from None
        return 0

    run_and_exit(main(), (CommandFailed,))


def _row(token: ApiToken) -> dict[str, Any]:
    return token.model_dump(mode="json", exclude={"digest"})


def _line(token: ApiToken) -> str:
    until = f"until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "no end"
    return f"{token.id}  {token.name}  {','.join(token.scopes)}  created {token.created_at:%Y-%m-%d}, {until}"
