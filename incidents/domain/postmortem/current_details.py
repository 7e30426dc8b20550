"""Current Details for the Temporal Web UI: owner, deadline, up next, action items, latest."""

from collections.abc import Sequence

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.escaping import markdown_line, markdown_link
from incidents.domain.core.timeline import Entry
from incidents.domain.postmortem.document.sections import ActionItem
from incidents.domain.postmortem.obligations.obligation import PostmortemObligation
from incidents.domain.postmortem.obligations.registry import postmortem_agenda, spec_of
from incidents.domain.postmortem.postmortem import Postmortem

_SHOWN = 5


def render_current_details(
    postmortem: Postmortem, runbook: RunbookConfig, owed: Sequence[PostmortemObligation] | None = None
) -> str:
    """Return the workflow's current details. Times are absolute, so that the text stays correct between changes.

    `owed`: the agenda, where it has been derived.
    """
    owed = postmortem_agenda(postmortem, runbook) if owed is None else owed
    upcoming = [obligation for obligation in owed if not spec_of(obligation).housekeeping]
    obligations = [
        f"- {obligation.due:%Y-%m-%d %H:%M:%S} UTC — {markdown_line(obligation.summary)}"
        for obligation in upcoming[:_SHOWN]
    ]
    items = [f"- {markdown_line(item_line(item))}" for item in postmortem.document.items]
    lacks = [f"- {markdown_line(fault)}" for fault in postmortem.lacks]
    links = [postmortem.draft_url, postmortem.repository.proposal_url, postmortem.document_url]
    return "\n\n".join(
        [
            f"### Post-mortem of INC-{postmortem.number} · {postmortem.stage}",
            f"**Owner: {markdown_line(postmortem.owner)} · due {due_text(postmortem, runbook)}**",
            *([" · ".join(dict.fromkeys(markdown_link(link) for link in links if link))] if any(links) else []),
            "**Up next**\n\n" + ("\n".join(obligations) or "- none"),
            *(["**Still missing**\n\n" + "\n".join(lacks)] if lacks and not postmortem.over else []),
            *(["**Action items**\n\n" + "\n".join(items)] if items else []),
            "**Latest**\n\n" + "\n".join(_entry_line(entry) for entry in postmortem.timeline[-_SHOWN:]),
        ]
    )


def due_text(postmortem: Postmortem, runbook: RunbookConfig) -> str:
    """Return when the post-mortem is due; before resolution, how long after it."""
    if postmortem.due is None:
        return f"{runbook.postmortem.within.words} after resolution"
    return runbook.calendar.in_brackets(postmortem.due)


def _entry_line(entry: Entry) -> str:
    return f"- {entry.at:%Y-%m-%d %H:%M} {markdown_line(f'{entry.actor}: {entry.text}')}"


def item_line(item: ActionItem) -> str:
    """Return an action item in one line: title, owner, due date, state."""
    standing = (item.state.replace("_", " "), item.reason, item.flag, item.issue_url)
    words = f"{item.id}. {item.title} · {item.owner or 'no owner'} · {f'due {item.due}' if item.due else 'no due date'}"
    return " · ".join((words, *(part for part in standing if part)))
