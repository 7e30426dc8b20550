"""Alerts whose incident still runs: they would join it, or reopen it once it is over."""

from datetime import datetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Opening
from incidents.domain.preview.effect import Effect, Outcome
from incidents.domain.preview.opening import describe_wait, paged


class Running(Frozen):
    """An incident whose workflow runs.

    `name`: as people call it. `over`: it is resolved or cancelled, and its reopen window has not ended. `merged`: it
    goes on in another incident.
    """

    name: str
    over: bool = False
    merged: bool = False


def preview_end(running: Running) -> Effect:
    """Return what the end of alerts would do."""
    return Effect(outcome=Outcome.JOIN, summary=f"Ends its alert in {running.name}", pages="nobody")


def preview_joining(
    running: Running, opening: Opening, runbook: RunbookConfig, at: datetime, workflow_id: str
) -> Effect:
    """Return what firing alerts would do. `opening`: what they would open if the incident did not run."""
    if running.over:
        return _reopens(running, opening, runbook, at, workflow_id)
    into = f"the incident that {running.name} was merged into" if running.merged else running.name
    return Effect(outcome=Outcome.JOIN, summary=f"Joins {into}", pages="only if they are worse than the incident")


def _reopens(running: Running, opening: Opening, runbook: RunbookConfig, at: datetime, workflow_id: str) -> Effect:
    pages = paged(opening, runbook, at, workflow_id)
    waiting = open_incident(opening, runbook, at, workflow_id=workflow_id, first_run_id="").alerting.waiting
    if waiting is not None:
        summary = f"{describe_wait(waiting)}, then reopens {running.name} if the alert still fires"
        return Effect(outcome=Outcome.WAIT, summary=summary, pages=pages)
    summary = f"Reopens {running.name}, which is over, unless it only repeats a firing that {running.name} knows"
    return Effect(outcome=Outcome.REOPEN, summary=summary, pages=pages)
