"""What the Temporal Web UI shows of a post-mortem, as Markdown."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.postmortem.document import ActionItem
from incidents.domain.postmortem.obligations import LOOKS, PostmortemObligationKind, postmortem_agenda
from incidents.domain.postmortem.postmortem import Postmortem

_SHOWN = 5
_QUIET = LOOKS | {PostmortemObligationKind.RECORD}


def details(postmortem: Postmortem, runbook: RunbookConfig) -> str:
    """Return the workflow's current details. Times are absolute, so that the text stays true between changes."""
    owed = [obligation for obligation in postmortem_agenda(postmortem, runbook) if obligation.kind not in _QUIET]
    due = runbook.calendar.in_brackets(postmortem.due) if postmortem.due else "48 h after the resolution"
    obligations = [f"- {obligation.due:%Y-%m-%d %H:%M:%S} UTC — {obligation.says}" for obligation in owed[:_SHOWN]]
    items = [f"- {item_line(item)}" for item in postmortem.document.items]
    lacks = [f"- {fault}" for fault in postmortem.lacks]
    links = [postmortem.draft_url, postmortem.proposal_url, postmortem.document_url]
    return "\n\n".join(
        [
            f"### Post-mortem of INC-{postmortem.number} · {postmortem.stage}",
            f"**Owner: {postmortem.owner} · due {due}**",
            *([" · ".join(dict.fromkeys(link for link in links if link))] if any(links) else []),
            "**Next obligations**\n\n" + ("\n".join(obligations) or "- none"),
            *(["**Still missing**\n\n" + "\n".join(lacks)] if lacks and not postmortem.over else []),
            *(["**Action items**\n\n" + "\n".join(items)] if items else []),
            "**Latest**\n\n"
            + "\n".join(f"- {e.at:%Y-%m-%d %H:%M} {e.actor}: {e.text}" for e in postmortem.timeline[-_SHOWN:]),
        ]
    )


def item_line(item: ActionItem) -> str:
    """Return an action item in one line: what, who, by when, and how it stands."""
    standing = (item.state.replace("_", " "), item.reason, item.flag, item.issue_url)
    words = f"{item.id}. {item.title} · {item.owner or 'nobody'} · due {item.due or 'some day'}"
    return " · ".join((words, *(part for part in standing if part)))
