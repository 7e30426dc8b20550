"""The messages of an incident's channel as cards: its summary, updates, and decisions that are asked for."""

from incidents.domain.chat.buttons import (
    command_button,
    decision_buttons,
    reminder_buttons,
    summary_buttons,
    update_buttons,
)
from incidents.domain.chat.card import NOTHING, Card, Fact
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.mrkdwn import Mrkdwn, as_mrkdwn, mrkdwn, mrkdwn_lines
from incidents.domain.core.text.public_text import PublicMessage
from incidents.domain.core.timeline import Entry
from incidents.domain.incident.display.summary import bookmarks, headline, status_text, summary_sections, warnings
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from incidents.domain.updates.publishing import next_due, release_at


def summary_card(incident: Incident, runbook: RunbookConfig, coming: list[Obligation]) -> Card:
    """Return the pinned summary. `coming`: the incident's scheduled obligations."""
    facts = (
        Fact(label="Status", value=as_mrkdwn(status_text(incident))),
        Fact(label="Severity", value=as_mrkdwn(f"{incident.severity} {runbook.policy(incident.severity).name}")),
        Fact(label="Commander", value=as_mrkdwn(incident.roles.commander or "unassigned")),
        Fact(label="Acknowledged", value=as_mrkdwn(_acknowledged(incident))),
        Fact(label="Started", value=as_mrkdwn(runbook.calendar.in_brackets(incident.started_at))),
        Fact(label="Next update", value=_next_update(incident, runbook)),
    )
    bold = (mrkdwn("*{}*", line) for line in warnings(incident))
    sections = (mrkdwn_lines(lines) for lines in (bold, *summary_sections(incident, runbook, coming)))
    links = (mrkdwn("<{}|{}>", url, label) for label, url in bookmarks(incident))
    return Card(
        title=headline(incident),
        facts=facts,
        paragraphs=tuple(section for section in sections if section),
        note=mrkdwn_lines(links),
        buttons=summary_buttons(incident, runbook),
    )


def _acknowledged(incident: Incident) -> str:
    if not incident.paging.attended and not incident.over:
        return "not yet" if incident.acknowledged_at is None else "not since the last page"
    return f"by {incident.acknowledged_by}" if incident.acknowledged_by else "–"


def _next_update(incident: Incident, runbook: RunbookConfig) -> Mrkdwn:
    due = next_due(incident, runbook)
    return as_mrkdwn(runbook.calendar.in_brackets(release_at(incident, runbook, due)) if due else "none")


def update_card(incident: Incident, message: PublicMessage) -> Card:
    """Return an update that was published, in the words that customers read."""
    return Card(title=message.subject, paragraphs=(as_mrkdwn(message.body),), buttons=update_buttons(incident))


def reminder_card(incident: Incident, said: Mrkdwn, sequence: int) -> Card:
    """Return the reminder that an update is due, with its draft."""
    title = f"Status update {sequence} is due soon"
    return Card(title=title, paragraphs=(said,), buttons=reminder_buttons(incident))


def commander_card(incident: Incident, said: Mrkdwn) -> Card:
    """Return the reminder that the incident has no commander."""
    return Card(
        title=f"{incident.name} · No incident commander", paragraphs=(said,), buttons=(command_button(incident),)
    )


def decision_card(incident: Incident, entry: Entry) -> Card | None:
    """Return the decision that a timeline entry asks for; None if it asks for none, or it has been decided since."""
    state = incident.rollback.of(entry.decision) if entry.decision else None
    buttons = decision_buttons(incident, state) if state else ()
    if state is None or not buttons:
        return None
    return Card(
        title=_decision_title(incident, state),
        facts=_decision_facts(state),
        paragraphs=(as_mrkdwn(entry.text), *_considered(state)),
        note=mrkdwn("<{}|Diff>", state.offer.diff_url) if state.offer.diff_url else NOTHING,
        buttons=buttons,
    )


def _decision_title(incident: Incident, state: RollbackState) -> str:
    if state.status is RollbackStatus.OFFERED:
        return f"{incident.name} · Approve the rollback of {state.offer.cluster}?"
    if state.status is RollbackStatus.UNDECIDED:
        return f"{incident.name} · Verdict needed: is {state.offer.cluster} healthy?"
    return f"{incident.name} · Decision needed for {state.offer.cluster}"


def _decision_facts(state: RollbackState) -> tuple[Fact, ...]:
    offer = state.offer
    rows = (
        ("Suspect", offer.suspect.version if offer.suspect else ""),
        ("Candidate", offer.candidate.version if offer.candidate else ""),
        ("Evidence", offer.reason),
        ("Caution", offer.caution),
        ("Approved by", f"{state.approved_by}; a second person has to" if state.approved_by else ""),
    )
    return tuple(Fact(label=label, value=as_mrkdwn(value)) for label, value in rows if value)


def _considered(state: RollbackState) -> tuple[Mrkdwn, ...]:
    """Return what was skipped, for an offer that a person is to judge."""
    if state.status is not RollbackStatus.OFFERED:
        return ()
    skipped = [seen for seen in state.offer.considered if not seen.selected][:5]
    lines = [f"Skipped {seen.deployment.version}: {seen.reason}" for seen in skipped]
    return (mrkdwn_lines(lines),) if lines else ()
