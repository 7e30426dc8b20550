"""Answers to questions in Slack, as one message each."""

from dataclasses import dataclass

from temporalio.client import WorkflowExecution

from incidents.client.lookup import label
from incidents.domain.core.text.mrkdwn import Mrkdwn, as_mrkdwn, mrkdwn, mrkdwn_lines
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.display.summary import digest_text
from incidents.domain.incident.incident import Incident

_ENTRIES, _INCIDENTS = 20, 30
_LONGEST_ENTRY = 300


@dataclass(frozen=True)
class Overview:
    """The open incidents, newest first, each with its state if a worker told it. `problem`: why they are not known."""

    open: tuple[tuple[WorkflowExecution, Incident | None], ...] = ()
    overdue: tuple[WorkflowExecution, ...] = ()
    problem: str = ""


def list_text(overview: Overview) -> Mrkdwn:
    """Return the open incidents, newest first; of a private one only its number."""
    if overview.problem:
        return as_mrkdwn(overview.problem)
    if not overview.open:
        return mrkdwn("No open incidents.")
    lines: list[object] = [incident_line(run, state) for run, state in overview.open[:_INCIDENTS]]
    if (more := len(overview.open) - _INCIDENTS) > 0:
        lines.append(f"… and {more} more: `incident list`")
    return mrkdwn_lines(lines)


def incident_line(run: WorkflowExecution, state: Incident | None) -> Mrkdwn:
    """Return an incident in one line. Without its state it may be private, so that only its number is told."""
    if state is not None:
        return digest_text(state)
    return mrkdwn("*{}* · no worker answered", label(run))


def timeline_text(incident: Incident) -> Mrkdwn:
    """Return the newest entries of the timeline, oldest first."""
    entries = incident.timeline[-_ENTRIES:]
    lines: list[object] = [
        mrkdwn("`{}` {}: {}", f"{entry.at:%H:%M:%S}", entry.actor, one_line(entry.text, _LONGEST_ENTRY))
        for entry in entries
    ]
    if entries[0].sequence > 1:
        lines.insert(0, f"… {entries[0].sequence - 1} earlier entries: `incident timeline {incident.number}`")
    return mrkdwn_lines(lines)


def candidates_text(incident: Incident) -> Mrkdwn:
    """Return the rollback candidates by cluster, each with the reason."""
    lines: list[object] = []
    for offer in (state.offer for state in incident.rollback.clusters):
        suspect = f"{offer.suspect.version} ({offer.reason})" if offer.suspect else offer.reason
        lines.append(mrkdwn("*{}*: suspect {}", offer.cluster, suspect))
        for seen in offer.considered:
            word = "selected" if seen.selected else "skipped"
            lines.append(f"• {seen.deployment.version} {word}: {seen.reason}")
    return mrkdwn_lines(lines or ["No rollback offered. The timeline has the reason."])
