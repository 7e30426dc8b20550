"""Render an incident for responders: the pinned summary, the channel topic, the digest line, links."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status
from incidents.domain.obligation import Obligation
from incidents.domain.paging.ladder import escalated_to
from incidents.domain.rollback.state import RollbackState

_MARKS = {StepStatus.PENDING: "☐", StepStatus.DONE: "☑", StepStatus.SKIPPED: "–", StepStatus.FAILED: "✗"}

_SHOWN_NEXT = 3
"""Obligations in the summary's "Next" list: scheduled ones that change seldom, so that it is rarely edited."""


def headline(incident: Incident) -> str:
    """Return the incident in one line: `INC-42 · P0 · investigating · Error ratio is 0.31`."""
    private = "private · " if incident.private else ""
    return f"{incident.name} · {private}{incident.severity} · {incident.status} · {incident.title}"


def digest_text(incident: Incident) -> str:
    """Return the incident's line in the digest channel; for a private incident, only its number."""
    if incident.private:
        over = f" · {incident.status}" if incident.over else ""
        return f"private incident {incident.name}{over}"
    commander = incident.commander or "unassigned"
    channel = f" · <#{incident.resources.channel_id}>" if incident.resources.channel_id else ""
    return f"*{headline(incident)}* · commander {commander}{channel}"


def topic_text(incident: Incident) -> str:
    """Return the channel's topic."""
    commander = f"commander {incident.commander}" if incident.commander else "no commander"
    bridge = f" · {incident.resources.bridge_url}" if incident.resources.bridge_url else ""
    return f"{incident.name} · {incident.severity} · {incident.status} · {commander}{bridge}"[:250]


def checklist_lines(incident: Incident) -> list[str]:
    """Return one line per checklist step."""
    lines = []
    for number, state in enumerate(incident.steps, 1):
        detail = f" — {state.detail}" if state.detail else ""
        lines.append(f"{_MARKS[StepStatus(state.status)]} {number}. {state.title}{detail}")
    return lines


def people_line(incident: Incident) -> str:
    """Return the roles and the acknowledgement in one line."""
    commander = incident.commander or "unassigned"
    others = (("communications", incident.communications), ("scribe", incident.scribe))
    roles = "".join(f" · {role} {person}" for role, person in others if person)
    if incident.acknowledged_at is None:
        return f"Commander: {commander}{roles} · not acknowledged"
    acknowledged = f"acknowledged by {incident.acknowledged_by} at {incident.acknowledged_at:%H:%M} UTC"
    return f"Commander: {commander}{roles} · {acknowledged}"


def rollback_text(incident: Incident, state: RollbackState) -> str:
    """Return the channel message that tracks a rollback: versions, status, latest step."""
    offer = state.offer
    versions = f"{offer.suspect.version} → {offer.candidate.version}" if offer.suspect and offer.candidate else ""
    lines = [
        f"*{incident.name} · rollback of {offer.cluster}: {versions}* · {state.status}",
        f"Decision by {state.decided_by or 'pending'} · attempt {state.attempt}",
    ]
    return "\n".join([*lines, state.detail or state.progress or "starting"])


def bookmarks(incident: Incident) -> list[tuple[str, str]]:
    """Return the channel's bookmarks as (label, URL): the links that a browser can open."""
    found = (link.partition(": ")[::2] for link in links(incident))
    return [(label, url) for label, url in found if url.startswith(("http://", "https://"))]


def links(incident: Incident) -> list[str]:
    """Return the incident's resources as `label: url`."""
    resources = incident.resources
    found = (
        ("War room", resources.bridge_url),
        ("Status page", resources.status_page_url),
        ("Ticket", resources.ticket_url),
        ("Evidence", resources.evidence_url),
    )
    return [f"{label}: {url}" for label, url in found if url]


def summary_text(incident: Incident, runbook: RunbookConfig, coming: list[Obligation]) -> str:
    """Return the pinned summary of the incident's channel. `coming`: its scheduled obligations."""
    since = runbook.calendar.in_brackets(incident.started_at)
    lines = [
        f"*{headline(incident)}*",
        f"Service: {incident.service} ({incident.environment}) · since {since}",
        people_line(incident),
        f"Impact: {impact(incident, runbook)}",
        *checklist_lines(incident),
    ]
    if called := escalated_to(incident, runbook):
        lines.append(f"Escalated to: {', '.join(called)}")
    if coming:
        lines.append("Next:")
        lines += [
            f"• {runbook.calendar.in_brackets(obligation.due)} — {obligation.says}"
            for obligation in coming[:_SHOWN_NEXT]
        ]
    if incident.needs_triage:
        lines.append(f"Unknown alert severity: confirm {incident.severity} or change it (`incident severity`).")
    if incident.status == Status.MONITORING:
        lines.append("Mitigated; monitoring the recovery.")
    return "\n".join([*lines, *links(incident)])


def impact(incident: Incident, runbook: RunbookConfig) -> PublicText:
    """Return the customer-facing impact: as assessed, or else the default of the severity."""
    if incident.assessment is not None:
        return PublicText.trusted(incident.assessment.impact)  # screened when it was posted
    return PublicText.trusted(runbook.policy(incident.severity).impact)
