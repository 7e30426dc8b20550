"""`incident init`: the first runbook.yaml and .env of a company, by an interview or by options."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from incidents.app.command_line.error_output import print_error
from incidents.app.onboarding.answers import Answers
from incidents.app.onboarding.files import ENV, RUNBOOK, FilesExist, refuse_existing, write_pair
from incidents.app.onboarding.rendering import render
from incidents.cli.help import Subcommands
from incidents.cli.options import Json
from incidents.cli.runner import say
from incidents.domain.core.errors import RunbookError
from incidents.domain.core.text.untrusted import printable

app = Subcommands()
NEEDED = ("company", "services", "on_call")
QUESTIONS: dict[str, str] = {
    "company": "Company or product, as customers know it",
    "services": "Services, as the alert label `service` names them, with commas",
    "regions": "Regions as name=URL of the API, with commas (none: no probes, no rollbacks)",
    "on_call": "E-mail of the engineer on call",
    "backup": "E-mail of the second on call (may be empty)",
    "manager": "E-mail of the engineering manager (may be empty)",
    "vendors": "Accounts: hosted (PagerDuty, Slack, Statuspage ...) or none (SMTP, static page, Markdown tickets)",
    "channels": "Channels of updates: status_page, email, slack, webhook, issue_tracker",
    "health": "Path of the health check of a region",
    "rollback": "Rollback of a bad release: automatic, approve, two_people or never",
    "plans": "Uptime that you sell, as plan=percent, with commas (may be empty)",
    "time_zone": "Time zone of the office",
    "repository": "GitHub repository, owner/name, for rollbacks, tickets and post-mortems (may be empty)",
}
"""In the order in which they are asked, by the field of `Answers`."""


class Unanswered(Exception):
    """An answer is missing or wrong. The message is one line and says which; nothing was written."""


@app.command()
def init(
    company: Annotated[str | None, typer.Option(help="As customers know it", show_default=False)] = None,
    service: Annotated[list[str] | None, typer.Option(help="A value of the alert label `service`; repeatable")] = None,
    region: Annotated[list[str] | None, typer.Option(help="name=URL of the API there; repeatable")] = None,
    on_call: Annotated[str | None, typer.Option(help="E-mail of the engineer on call", show_default=False)] = None,
    backup: Annotated[str | None, typer.Option(help="E-mail of the second on call", show_default=False)] = None,
    manager: Annotated[str | None, typer.Option(help="E-mail of the manager", show_default=False)] = None,
    vendors: Annotated[str | None, typer.Option(help="hosted (default), or none", show_default=False)] = None,
    channel: Annotated[list[str] | None, typer.Option(help="A channel of updates; repeatable")] = None,
    health: Annotated[str | None, typer.Option(help="Path that the probe asks", show_default=False)] = None,
    rollback: Annotated[str | None, typer.Option(help="Such as two_people", show_default=False)] = None,
    plan: Annotated[list[str] | None, typer.Option(help="plan=percent of uptime; repeatable")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Such as Europe/Berlin", show_default=False)] = None,
    repository: Annotated[str | None, typer.Option(help="owner/name at GitHub", show_default=False)] = None,
    folder: Annotated[Path, typer.Option(help="Where to write")] = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: defaults for what is not given")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the files that are there")] = False,
    as_json: Json = False,
) -> None:
    """Write runbook.yaml and .env for your company.

    What no option gives is asked; --yes takes the defaults. The runbook is validated as by `incident check`. Nothing is
    written until all is answered, and then both files or neither.
    """
    given: dict[str, str | list[str] | None] = {
        "company": company, "services": service, "regions": region, "on_call": on_call, "backup": backup,
        "manager": manager, "vendors": vendors, "channels": channel, "health": health, "rollback": rollback,
        "plans": plan, "time_zone": time_zone, "repository": repository,
    }  # fmt: skip
    known = {field: ",".join(found) if isinstance(found, list) else found for field, found in given.items() if found}
    try:
        if not force:
            refuse_existing(folder)
        answers = _answers(known if yes else known | _interview(known))
        write_pair(render(answers), folder, force=force)
    except OSError as error:
        _fail(f"{folder} cannot be written to ({error.strerror}). Nothing was written.", "not_written")
    except (Unanswered, FilesExist, RunbookError) as problem:
        _fail(str(problem), "not_written")
    _say_written(folder, as_json)


def _fail(message: str, code: str) -> NoReturn:
    print_error(printable(message), code)
    raise typer.Exit(1)


def _interview(known: Mapping[str, str]) -> dict[str, str]:
    """Ask what is not known yet; a wrong answer is asked again. Ctrl-C and the end of the input end it."""
    answered: dict[str, str] = {}
    for field, question in QUESTIONS.items():
        if field in known:
            continue
        while True:
            default = None if field in NEEDED else _default(field)
            said = typer.prompt(question, default=default, show_default=bool(default), err=True).strip()
            if (fault := _fault(field, said)) is None:
                answered[field] = said
                break
            print(f"  {fault}", file=sys.stderr)
    return answered


def _fault(field: str, said: str) -> str | None:
    """Return what is wrong with one answer; None if nothing is."""
    sample = {"company": "x", "services": "x", "on_call": "a@b", "backup": "c@d"}
    try:
        _answers(sample | {field: said})
    except Unanswered as fault:
        return str(fault)
    return None


def _default(field: str) -> str:
    value = Answers.model_fields[field].default
    return ",".join(map(str, value)) if isinstance(value, tuple | dict) else str(value)


def _answers(said: Mapping[str, str]) -> Answers:
    """Return the answers.

    Raises:
        Unanswered: one is missing or wrong.
    """
    if missing := [field for field in NEEDED if not said.get(field)]:
        raise Unanswered(f"Nothing was written: {' and '.join(map(_option, missing))} must be given.")
    fields: dict[str, Any] = {field: _parsed(field, text) for field, text in said.items() if text}
    try:
        return Answers.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = f"{_option(str(first['loc'][0]))}: " if first["loc"] else ""
        raise Unanswered(f"{where}{first['msg'].removeprefix('Value error, ')}. Nothing was written.") from None


def _parsed(field: str, text: str) -> Any:
    """Return an answer as its field takes it: lists with commas, pairs with "="."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    match field:
        case "services" | "channels":
            return parts
        case "regions":
            return [dict(zip(("name", "url"), part.split("=", 1), strict=False)) for part in parts]
        case "plans":
            return dict(_pair(part) for part in parts)
        case _:
            return text


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name, value


def _option(field: str) -> str:
    single = {"services": "service", "regions": "region", "channels": "channel", "plans": "plan"}
    return "--" + single.get(field, field).replace("_", "-")


def _say_written(folder: Path, as_json: bool) -> None:
    runbook, env = folder / RUNBOOK, folder / ENV
    if as_json:
        say(json.dumps({"runbook": str(runbook), "env": str(env)}))
        return
    say(f"Wrote {runbook} and {env}. Fill in the credentials in {env}. Next:")
    say(f"  incident check --file {runbook}")
    say(f"  RUNBOOK_FILE={runbook} incident plan P0")
