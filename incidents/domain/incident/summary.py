"""What responders see of an incident: the summary in its channel, the channel's topic, and the Web UI's details."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.public_text import PublicText
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status
from incidents.domain.obligation import Obligation
from incidents.domain.paging.ladder import escalated_to
from incidents.domain.rollback.state import RollbackState

_MARKS = {StepStatus.PENDING: "☐", StepStatus.DONE: "☑", StepStatus.SKIPPED: "–", StepStatus.FAILED: "✗"}

_COMING = 3
"""What the summary tells to come: promises whose time is known. It changes seldom, so the channel is not noisy."""


def headline(incident: Incident) -> str:
    """Say what it is in one line: `INC-42 · P0 · investigating · Error ratio is 0.31`."""
    private = "private · " if incident.private else ""
    return f"{incident.name} · {private}{incident.severity} · {incident.status} · {incident.title}"


def digest_text(incident: Incident) -> str:
    """Return the incident's line in the channel of all incidents; of a private one, nothing but its number."""
    if incident.private:
        over = f" · {incident.status}" if incident.over else ""
        return f"private incident {incident.name}{over}"
    commander = incident.commander or "nobody yet"
    channel = f" · <#{incident.resources.channel_id}>" if incident.resources.channel_id else ""
    return f"*{headline(incident)}* · commander {commander}{channel}"


def topic_text(incident: Incident) -> str:
    """Return the channel's topic."""
    commander = f"commander {incident.commander}" if incident.commander else "no commander"
    bridge = f" · {incident.resources.bridge_url}" if incident.resources.bridge_url else ""
    return f"{incident.name} · {incident.severity} · {incident.status} · {commander}{bridge}"[:250]


def checklist_lines(incident: Incident) -> list[str]:
    """Return one line for each of the seven steps."""
    lines = []
    for number, state in enumerate(incident.steps, 1):
        detail = f" — {state.detail}" if state.detail else ""
        lines.append(f"{_MARKS[StepStatus(state.status)]} {number}. {state.title}{detail}")
    return lines


def people_line(incident: Incident) -> str:
    """Say who is on it."""
    commander = incident.commander or "nobody yet"
    others = (("communications", incident.communications), ("scribe", incident.scribe))
    roles = "".join(f" · {role} {person}" for role, person in others if person)
    if incident.acknowledged_at is None:
        return f"Commander: {commander}{roles} · not acknowledged"
    acknowledged = f"acknowledged by {incident.acknowledged_by} at {incident.acknowledged_at:%H:%M} UTC"
    return f"Commander: {commander}{roles} · {acknowledged}"


def rollback_text(incident: Incident, state: RollbackState) -> str:
    """Return the message in the channel that shows how a rollback goes: what, where it stands, the newest step."""
    offer = state.offer
    versions = f"{offer.suspect.version} → {offer.candidate.version}" if offer.suspect and offer.candidate else ""
    lines = [
        f"*{incident.name} · rollback of {offer.cluster}: {versions}* · {state.status}",
        f"Decided by {state.decided_by or 'nobody yet'} · attempt {state.attempt}",
    ]
    return "\n".join([*lines, state.detail or state.progress or "begins"])


def bookmarks(incident: Incident) -> list[tuple[str, str]]:
    """Return what the channel's bookmarks lead to: what has an address that a browser opens."""
    found = (link.partition(": ")[::2] for link in links(incident))
    return [(label, url) for label, url in found if url.startswith(("http://", "https://"))]


def links(incident: Incident) -> list[str]:
    """Return what was opened for the incident, as `label: url`."""
    resources = incident.resources
    found = (
        ("War room", resources.bridge_url),
        ("Status page", resources.status_page_url),
        ("Ticket", resources.ticket_url),
        ("Evidence", resources.evidence_url),
    )
    return [f"{label}: {url}" for label, url in found if url]


def summary_text(incident: Incident, runbook: RunbookConfig, coming: list[Obligation]) -> str:
    """Return the message at the top of the incident's channel, which is kept current. `coming`: what is promised."""
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
            f"• {runbook.calendar.in_brackets(obligation.due)} — {obligation.says}" for obligation in coming[:_COMING]
        ]
    if incident.needs_triage:
        lines.append(f"The alert had no known severity: confirm {incident.severity} or declare another.")
    if incident.status == Status.MONITORING:
        lines.append("Mitigated; watching it.")
    return "\n".join([*lines, *links(incident)])


def impact(incident: Incident, runbook: RunbookConfig) -> PublicText:
    """Return the impact in words that customers may read: as assessed, or else the severity's own."""
    if incident.assessment is not None:
        return PublicText.trusted(incident.assessment.impact)  # looked through when it was said
    return PublicText.trusted(runbook.policy(incident.severity).impact)
