"""Current Details for the Temporal Web UI: status, people, up next, checklist, latest, links."""

from incidents.domain.agenda import agenda
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.summary import (
    checklist_lines,
    headline,
    impact,
    links,
    people_line,
)
from incidents.domain.obligation import Obligation
from incidents.domain.registry import up_next

_SHOWN = 5
_LATEST = 5


def render_current_details(incident: Incident, runbook: RunbookConfig) -> str:
    """Return the workflow's current details. Times are absolute, so that the text stays correct between changes."""
    upcoming = up_next(agenda(incident, runbook))
    return "\n\n".join(
        [
            f"### {headline(incident)}",
            f"**{people_line(incident)}**  \nImpact: {impact(incident, runbook)}",
            "**Up next**\n\n"
            + ("\n".join(_obligation_line(obligation) for obligation in upcoming[:_SHOWN]) or "- none"),
            "**Checklist**\n\n" + "\n".join(f"- {line}" for line in checklist_lines(incident)),
            "**Latest**\n\n"
            + "\n".join(f"- {entry.at:%H:%M:%S} {entry.actor}: {entry.text}" for entry in incident.timeline[-_LATEST:]),
            *(["**Links**\n\n" + "\n".join(f"- {link}" for link in links(incident))] if links(incident) else []),
        ]
    )


def _obligation_line(obligation: Obligation) -> str:
    return f"- {obligation.due:%Y-%m-%d %H:%M:%S} UTC — {obligation.says}"
