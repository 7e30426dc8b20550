"""`incident maintenance`: windows in which alerts are recorded and wait, started and ended by responders."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from temporalio.client import Client

from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.cli.help import Subcommands
from incidents.cli.options import By, Json, Timeout, instant
from incidents.cli.runner import parse_command, run, say
from incidents.client.maintenance import send_window, started_windows
from incidents.client.problems import CommandFailed
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.alerting.started_windows import EndWindow, StartWindow, describe
from incidents.domain.config.references import scope_faults
from incidents.domain.core.time.duration import parse_duration

app = Subcommands(no_args_is_help=True, help="Start, list and end maintenance windows.")
Scope = typer.Option(help="Only this one; default: every one", show_default=False)


@app.command()
def start(
    by: By,
    reason: Annotated[str, typer.Option(help="Why, for responders", show_default=False)],
    lasts: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, such as 90m or 2h")] = "",
    until: Annotated[str, typer.Option(metavar="ISO", help="Until when (UTC without an offset)")] = "",
    service: Annotated[str, Scope] = "",
    environment: Annotated[str, Scope] = "",
    region: Annotated[str, Scope] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Start a window now: alerts within it wait, and open if they still fire at its end."""
    end = _end(lasts, until)
    command = parse_command(
        StartWindow, by=by, until=end, service=service, environment=environment, region=region, reason=reason
    )

    _send(command, as_json, timeout)


def _end(lasts: str, until: str) -> datetime:
    if bool(lasts) is bool(until):
        raise typer.BadParameter("use --for DURATION or --until TIME")
    if until:
        return instant(until)
    try:
        length = parse_duration(lasts)
        if not isinstance(length, timedelta):
            raise ValueError(f"{lasts!r} is not a duration: write 90m, 2h or 1d")
        return datetime.now(UTC) + length
    except OverflowError:
        raise typer.BadParameter(f"--for: {lasts[:40]} is too long") from None
    except ValueError as error:
        raise typer.BadParameter(f"--for: {error}") from None


@app.command()
def end(
    window: Annotated[int, typer.Argument(metavar="WINDOW", help="Its number, as listed", min=1, show_default=False)],
    by: By,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """End a started window now: alerts that it covers open their incidents."""
    _send(parse_command(EndWindow, by=by, number=window), as_json, timeout)


def _send(command: StartWindow | EndWindow, as_json: bool, timeout: float) -> None:
    """Send it, print the receipt, and exit."""

    async def work(client: Client) -> None:
        settings = load_settings()
        if isinstance(command, StartWindow):
            for _, fault in scope_faults(command.service, command.region, load_runbook(settings)):
                raise CommandFailed(f"Nothing was started: {fault}")
        named = command.replace(id=str(uuid.uuid4()))
        receipt = await send_window(client, named, settings.temporal_task_queue, timedelta(seconds=timeout))
        shown = receipt.model_dump_json(include={"message", "changed"})
        say(shown if as_json else receipt.message)

    run(work)


@app.command("list")
def list_windows(as_json: Json = False) -> None:
    """List the windows that run or are planned. Needs no worker."""

    async def work(client: Client) -> None:
        now = datetime.now(UTC)
        started = [each for each in await started_windows(client) if each.window.until > now]
        planned = [window for window in load_runbook(load_settings()).maintenance if window.until > now]
        if as_json:
            rows = [_row(each.window, each.number, each.by) for each in started]
            say(json.dumps(rows + [_row(window) for window in planned], indent=1))
            return
        lines = [f"{each.number}: {describe(each.window)}, started by {each.by}" for each in started]
        lines += [f"planned from {window.since:%Y-%m-%d %H:%M} UTC: {describe(window)}" for window in planned]
        say("\n".join(" ".join(line.split()) for line in lines) or "No maintenance window runs or is planned.")

    run(work)


def _row(window: MaintenanceWindow, number: int | None = None, by: str | None = None) -> dict[str, Any]:
    """Return a window as plain values; a planned one has neither a number nor who started it."""
    return {"number": number, "started_by": by, **window.model_dump(mode="json")}
