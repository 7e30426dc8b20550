"""What the command `post_update` does."""

from datetime import datetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.commands import PostUpdate, Publication
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.publishing import next_due, publish
from incidents.domain.updates.state import UpdateKind


def post_update(command: PostUpdate, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Publish an update now, save it for the next scheduled one, or keep it as a draft."""
    if (waiting := incident.alerting.waiting) is not None:
        until = f"{waiting.until:%Y-%m-%d %H:%M} UTC"
        raise CommandRejected(
            f"Not published: {incident.name} is not open until its maintenance window ends ({until})."
        )
    words = PublicText.screened(command.text, runbook)
    if command.when is Publication.NOW:
        incident = publish(incident, runbook, at, UpdateKind.MANUAL, words, by=command.by, anchor=at)
        return incident.replace(updates=incident.updates.replace(draft=PublicText(), draft_at=None, hold=None))
    if next_due(incident, runbook) is None:
        raise CommandRejected(
            f"A {incident.severity} has no scheduled updates: publish this one now, or when it is resolved."
        )
    if command.when is Publication.NEXT:
        return incident.replace(updates=incident.updates.replace(next_words=words)).logged(
            at, command.by, Kind.UPDATE, f"Saved for the next status update: {command.text}"
        )
    return incident.replace(updates=incident.updates.replace(draft=words, draft_at=at)).logged(
        at, command.by, Kind.UPDATE, f"Draft of the next update: {command.text}"
    )
