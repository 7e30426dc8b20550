"""Current Details for the Temporal Web UI: owner, deadline, up next, action items, latest."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.postmortem.document.sections import ActionItem
from incidents.domain.postmortem.obligations import POLLS, PostmortemObligationKind, postmortem_agenda
from incidents.domain.postmortem.postmortem import Postmortem

_SHOWN = 5
_QUIET = POLLS | {PostmortemObligationKind.RECORD}


def render_current_details(postmortem: Postmortem, runbook: RunbookConfig) -> str:
    """Return the workflow's current details. Times are absolute, so that the text stays correct between changes."""
    upcoming = [obligation for obligation in postmortem_agenda(postmortem, runbook) if obligation.kind not in _QUIET]
    due = runbook.calendar.in_brackets(postmortem.due) if postmortem.due else "48 h after resolution"
    obligations = [f"- {obligation.due:%Y-%m-%d %H:%M:%S} UTC — {obligation.says}" for obligation in upcoming[:_SHOWN]]
    items = [f"- {item_line(item)}" for item in postmortem.document.items]
    lacks = [f"- {fault}" for fault in postmortem.lacks]
    links = [postmortem.draft_url, postmortem.proposal_url, postmortem.document_url]
    return "\n\n".join(
        [
            f"### Post-mortem of INC-{postmortem.number} · {postmortem.stage}",
            f"**Owner: {postmortem.owner} · due {due}**",
            *([" · ".join(dict.fromkeys(link for link in links if link))] if any(links) else []),
            "**Up next**\n\n" + ("\n".join(obligations) or "- none"),
            *(["**Still missing**\n\n" + "\n".join(lacks)] if lacks and not postmortem.over else []),
            *(["**Action items**\n\n" + "\n".join(items)] if items else []),
            "**Latest**\n\n"
            + "\n".join(f"- {e.at:%Y-%m-%d %H:%M} {e.actor}: {e.text}" for e in postmortem.timeline[-_SHOWN:]),
        ]
    )


def item_line(item: ActionItem) -> str:
    """Return an action item in one line: title, owner, due date, state."""
    standing = (item.state.replace("_", " "), item.reason, item.flag, item.issue_url)
    words = f"{item.id}. {item.title} · {item.owner or 'no owner'} · {f'due {item.due}' if item.due else 'no due date'}"
    return " · ".join((words, *(part for part in standing if part)))
