"""Alerts of which no incident is open: they would open one, or wait for the end of a maintenance window."""

from datetime import datetime

from incidents.domain.alerting.state import Waiting
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Opening
from incidents.domain.paging.direct_page import NoPageYet, direct_page
from incidents.domain.preview.effect import Effect, Outcome


def preview_opening(opening: Opening, runbook: RunbookConfig, at: datetime, workflow_id: str) -> Effect:
    """Return what the opening would do."""
    outcome, summary = _opens(opening, runbook, at, workflow_id)
    return Effect(outcome=outcome, summary=summary, pages=paged(opening, runbook, at, workflow_id))


def _opens(opening: Opening, runbook: RunbookConfig, at: datetime, workflow_id: str) -> tuple[Outcome, str]:
    incident = open_incident(opening, runbook, at, workflow_id=workflow_id, first_run_id="")
    what = f"{incident.severity} of {incident.service} in {incident.environment}: {incident.title}"
    if (waiting := incident.alerting.waiting) is not None:
        return Outcome.WAIT, f"{describe_wait(waiting)}, then opens a {what}"
    if incident.alerting.unknown_service:
        return Outcome.TRIAGE, f"Opens a {what}, for triage. {incident.alerting.unknown_service}"
    return Outcome.OPEN, f"Opens a {what}"


def describe_wait(waiting: Waiting) -> str:
    """Return until when alerts wait, and why."""
    until = f"{waiting.until:%Y-%m-%d %H:%M} UTC ({waiting.reason})"
    return f"Waits for the end of the maintenance window until {until}"


def paged(opening: Opening, runbook: RunbookConfig, at: datetime, workflow_id: str) -> str:
    """Return who would be paged for the opening, or why nobody would."""
    try:
        page = direct_page(opening, runbook, workflow_id, at)
    except NoPageYet as error:
        return str(error)
    contact = runbook.contacts.get(page.to) if page is not None else None
    if page is None:
        return "nobody"
    return f"{page.to} ({contact.name})" if contact is not None and contact.name != page.to else page.to or "on-call"
