"""`incident init`: the first runbook.yaml and .env of a company, by an interview or by options."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from incidents.app.command_line.error_output import print_error
from incidents.app.onboarding.answers import Answers
from incidents.app.onboarding.files import ENV, RUNBOOK, FilesExist, refuse_existing, write_pair
from incidents.app.onboarding.questions import NEEDED, QUESTIONS
from incidents.app.onboarding.reading import Unanswered, fault_of, read_answers
from incidents.app.onboarding.rendering import render
from incidents.cli.help import Subcommands
from incidents.cli.options import Json
from incidents.cli.runner import say
from incidents.domain.core.errors import RunbookError
from incidents.domain.core.text.untrusted import printable

app = Subcommands()


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

    It asks for what no option gives; --yes takes the defaults. The runbook is validated as by `incident check`.
    Nothing is written until all is answered, and then both files or neither.
    """
    given: dict[str, str | list[str] | None] = {
        "company": company, "services": service, "regions": region, "on_call": on_call, "backup": backup,
        "manager": manager, "vendors": vendors, "channels": channel, "health": health, "rollback": rollback,
        "plans": plan, "time_zone": time_zone, "repository": repository,
    }  # fmt: skip
    known = {field: ",".join(found) if isinstance(found, list) else found for field, found in given.items() if found}
    _write(known, folder, ask=not yes, force=force)
    _say_written(folder, as_json)


def _write(known: Mapping[str, str], folder: Path, *, ask: bool, force: bool) -> None:
    """Write both files of what is known, and of what is asked besides; or say why not, and exit."""
    try:
        if not force:
            refuse_existing(folder)
        answers = read_answers(_interview(known) if ask else known)
        write_pair(render(answers), folder, force=force)
    except OSError as error:
        _fail(f"{folder} cannot be written to ({error.strerror}). Nothing was written.")
    except Unanswered as problem:
        _fail(f"{problem} Nothing was written.")
    except (FilesExist, RunbookError) as problem:
        _fail(str(problem))


def _fail(message: str) -> NoReturn:
    print_error(printable(message), "not_written")
    raise typer.Exit(1)


def _interview(known: Mapping[str, str]) -> dict[str, str]:
    """Ask what is not known yet, and return all; a wrong answer is asked again.

    Raises:
        Unanswered: Ctrl-C, or the end of input.
    """
    answered = dict(known)
    for field, question in QUESTIONS.items():
        while field not in answered:
            default = None if field in NEEDED else _default(field)
            said = _asked(question.text, default)
            if fault := fault_of(field, answered | {field: said}):
                print(f"  {printable(fault)}", file=sys.stderr)
            else:
                answered[field] = said
    return answered


def _asked(question: str, default: str | None) -> str:
    try:
        answer: str = typer.prompt(question, default=default, show_default=bool(default), err=True)
    except typer.Abort:
        print(file=sys.stderr)  # the question has left the line open
        raise Unanswered("The interview was ended. Answer by options, or take the defaults with --yes.") from None
    return answer.strip()


def _default(field: str) -> str:
    value = Answers.model_fields[field].default
    return ",".join(map(str, value)) if isinstance(value, tuple | dict) else str(value)


def _say_written(folder: Path, as_json: bool) -> None:
    runbook, env = folder / RUNBOOK, folder / ENV
    if as_json:
        say(json.dumps({"runbook": str(runbook), "env": str(env)}))
        return
    say(f"Wrote {runbook} and {env}. Fill in the credentials in {env}. Next:")
    say(f"  incident check --file {runbook}")
    say(f"  RUNBOOK_FILE={runbook} incident plan P0")
