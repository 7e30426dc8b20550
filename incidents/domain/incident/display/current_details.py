"""Current Details for the Temporal Web UI: status, people, up next, checklist, latest, links."""

from collections.abc import Sequence

from incidents.domain.agenda import agenda
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.escaping import markdown_line, markdown_link
from incidents.domain.core.timeline import Entry
from incidents.domain.incident.display.summary import (
    checklist_lines,
    headline,
    impact,
    links,
    people_line,
    related,
    warnings,
)
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.registry import up_next

_SHOWN = 5
_LATEST = 5


def render_current_details(incident: Incident, runbook: RunbookConfig, owed: Sequence[Obligation] | None = None) -> str:
    """Return the workflow's current details. Times are absolute, so that the text stays correct between changes.

    `owed`: the agenda, where it has been derived.
    """
    upcoming = up_next(agenda(incident, runbook) if owed is None else owed)
    return "\n\n".join(
        [
            f"### {markdown_line(headline(incident))}",
            *(f"**{markdown_line(line)}**" for line in warnings(incident)),
            f"**{markdown_line(people_line(incident))}**  \nImpact: {markdown_line(impact(incident, runbook))}",
            *(markdown_line(line) for line in related(incident)),
            "**Up next**\n\n"
            + ("\n".join(_obligation_line(obligation) for obligation in upcoming[:_SHOWN]) or "- none"),
            "**Checklist**\n\n" + "\n".join(f"- {markdown_line(line)}" for line in checklist_lines(incident)),
            "**Latest**\n\n" + "\n".join(_entry_line(entry) for entry in incident.timeline[-_LATEST:]),
            *(["**Links**\n\n" + "\n".join(map(_link_line, links(incident)))] if links(incident) else []),
        ]
    )


def _link_line(link: str) -> str:
    label, _, url = link.partition(": ")
    return f"- {label}: {markdown_link(url)}"


def _obligation_line(obligation: Obligation) -> str:
    summary = markdown_line(obligation.summary)
    if obligation.until is not None:
        return f"- running, ends by {obligation.until:%Y-%m-%d %H:%M:%S} UTC — {summary}"
    return f"- {obligation.due:%Y-%m-%d %H:%M:%S} UTC — {summary}"


def _entry_line(entry: Entry) -> str:
    return f"- {entry.at:%H:%M:%S} {markdown_line(f'{entry.actor}: {entry.text}')}"
