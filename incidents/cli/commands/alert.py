"""`incident alert`: try a payload of an alert source without sending it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.service import RPCError

from incidents.app.connection import connect, run_and_exit
from incidents.app.runbook_file import load_runbook
from incidents.app.settings import Settings, load_settings
from incidents.app.submission_file import InvalidInput, read_submission
from incidents.cli.help import Subcommands
from incidents.cli.options import Json
from incidents.cli.runner import PROBLEMS, say
from incidents.client.alert_sources.names import SourceName, is_source_name
from incidents.client.alert_sources.payload import MalformedAlert
from incidents.client.alert_sources.preview import previews
from incidents.client.problems import ConnectionProblem
from incidents.domain.alerting.alert import Alert
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.preview.alerts import Preview, PreviewedAlert

app = Subcommands(no_args_is_help=True, help="Try an alert payload: what it would do, and why.")
Offline = Annotated[bool, typer.Option("--offline", help="Do not ask Temporal what is open")]


@app.callback()
def group() -> None:
    """Try an alert payload: what it would do, and why."""


@app.command("test")
def try_payload(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Payload as JSON", show_default=False)],
    source: Annotated[str, typer.Option(help=f"{', '.join(SourceName)}, or your own name", show_default=False)] = "",
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Print what a payload would do, and which route and label decide. Nothing is sent."""
    if not is_source_name(source):
        raise typer.BadParameter("--source: 1 to 40 of a-z, 0-9, - and _")

    async def main() -> int:
        settings = load_settings()
        runbook = load_runbook(settings)
        alerts = read_submission(file, source).alerts
        found, unasked = await _preview(alerts, runbook, settings, offline=offline)
        if as_json:
            say(json.dumps({"asked": not unasked, "results": [one.model_dump(mode="json") for one in found]}, indent=1))
        else:
            say("\n\n".join(_text(one) for one in found) or "Ignored: the payload is about no alert")
            if unasked:
                say(f"\nOpen incidents and started windows are unknown: {unasked}")
        return 0

    run_and_exit(main(), (*PROBLEMS, InvalidInput, MalformedAlert))


async def _preview(
    alerts: Sequence[Alert], runbook: RunbookConfig, settings: Settings, *, offline: bool
) -> tuple[list[Preview], str]:
    """Return the previews, and why Temporal was not asked; "" if it was."""
    at, unasked = datetime.now(UTC), "--offline"
    if not offline:
        try:
            return await previews(alerts, runbook, at, await connect(settings)), ""
        except (ConnectionProblem, RPCError):
            unasked = f"Temporal at {settings.temporal_address} does not answer"
    return await previews(alerts, runbook, at, None), unasked


def _text(found: Preview) -> str:
    decided = ", ".join(f"{label}={one_line(value, 200)}" for label, value in found.identity.items())
    lines = [
        f"{found.outcome.upper()}: {found.summary}",
        f"  incident: {found.workflow_id} (from {decided})",
        f"  pages: {found.pages}",
    ]
    return "\n".join([*lines, *(line for alert in found.alerts for line in _lines(alert))])


def _lines(alert: PreviewedAlert) -> list[str]:
    state = "firing" if alert.firing else "ended"
    return [
        f"  alert: {alert.title} ({alert.source}, {state})",
        f"    fingerprint: {alert.fingerprint}",
        f"    severity: {alert.severity} ({alert.severity_reason})",
        *(f"    {line}" for line in alert.route),
    ]
