"""Build the activity request for each obligation of a post-mortem."""

from datetime import datetime, timedelta
from typing import assert_never

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.time.duration import in_words
from incidents.domain.evidence.preservation import evidence_folder
from incidents.domain.postmortem.activity_requests import (
    ProposeDocument,
    WatchDocument,
    WatchIssues,
    WritePostmortem,
)
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.document.sections import ActionItem, ItemState
from incidents.domain.postmortem.mails import chase, contact_of, mail, reminder_mail, reminder_text, review_mail
from incidents.domain.postmortem.obligations import PostmortemObligation, PostmortemObligationKind
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.domain.reporting.record import postmortem_record, record_of
from incidents.domain.updates.messages import fault_text

CHART = "postmortem-chart.svg"
"""File name of the chart beside the document."""
_MOST_LOOKING = timedelta(days=7)


def document_name(postmortem: Postmortem) -> str:
    """Return the name of the document beside the evidence: a separate file per resolution."""
    return f"postmortem-{max(postmortem.round, 1)}.md"


def retry_for(obligation: PostmortemObligation, runbook: RunbookConfig) -> timedelta:
    """Return how long an obligation is retried before it counts as failed."""
    looking = obligation.kind in (PostmortemObligationKind.READ, PostmortemObligationKind.WATCH)
    return _MOST_LOOKING if looking else runbook.patience.publish


def postmortem_request(
    obligation: PostmortemObligation, postmortem: Postmortem, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Return the activity request for an obligation, or its result if no activity is needed."""
    key, again = f"{postmortem.incident.first_run_id}/postmortem/{obligation.key}", obligation.key in postmortem.begun
    folder = evidence_folder(postmortem.incident)
    match obligation.kind:
        case PostmortemObligationKind.WRITE:
            return WritePostmortem(key=key, again=again, folder=folder, postmortem=postmortem, runbook=runbook)
        case PostmortemObligationKind.PROPOSE:
            return _propose(key, again, postmortem, runbook)
        case PostmortemObligationKind.READ:
            return _read(key, postmortem, runbook)
        case PostmortemObligationKind.RECORD:
            text = postmortem_record(postmortem).model_dump_json(indent=1)
            return activity_requests.KeepDocument(
                key=key, again=again, folder=folder, name="postmortem.json", text=text
            )
        case PostmortemObligationKind.RECORD_INCIDENT:
            text = record_of(postmortem.incident, runbook).model_dump_json(indent=1)
            return activity_requests.KeepDocument(key=key, again=again, folder=folder, name="record.json", text=text)
        case PostmortemObligationKind.OPEN_ISSUE:
            return _ticket(key, again, postmortem, _item(postmortem, obligation), runbook)
        case PostmortemObligationKind.CLOSE_ISSUE:
            return _close_issue(key, again, postmortem, _item(postmortem, obligation), runbook)
        case PostmortemObligationKind.WATCH:
            known = {item.issue: _known(item) for item in postmortem.document.items if item.issue is not None}
            return WatchIssues(
                key=key, issues=known, every_seconds=runbook.postmortem.items.check_every.total_seconds()
            )
        case PostmortemObligationKind.ANNOUNCE | PostmortemObligationKind.REMIND if (
            postmortem.incident.resources.channel_id
        ):
            room, text = postmortem.incident.resources.channel_id, reminder_text(postmortem, runbook, at)
            return activity_requests.PostMessage(key=key, again=again, channel_id=room, text=text)
        case PostmortemObligationKind.ANNOUNCE | PostmortemObligationKind.REMIND | PostmortemObligationKind.MAIL:
            return reminder_mail(key, again, postmortem, runbook, at)
        case PostmortemObligationKind.REPORT_FAULT:
            people = tuple(email for name in runbook.people.operators if (email := runbook.contacts[name].email))
            message = fault_text(postmortem.faults[obligation.item], postmortem.incident)
            return mail(key, again, postmortem, people, message.subject, message.body)
        case PostmortemObligationKind.CHASE:
            return chase(key, again, postmortem, _item(postmortem, obligation), obligation, runbook)
        case PostmortemObligationKind.INVITE | PostmortemObligationKind.REVIEW_REMINDER:
            return review_mail(key, again, postmortem, obligation, runbook, at)
        case (
            PostmortemObligationKind.BREACH | PostmortemObligationKind.NOT_REVIEWED | PostmortemObligationKind.COMPLETE
        ):
            raise ValueError(f"{obligation.kind} needs no activity")
    assert_never(obligation.kind)


def _item(postmortem: Postmortem, obligation: PostmortemObligation) -> ActionItem:
    item = postmortem.document.item(obligation.item)
    if item is None:
        raise ValueError(f"action item {obligation.item} not found")
    return item


# --- the repository ---------------------------------------------------------------------------------------------------


def _path(postmortem: Postmortem, runbook: RunbookConfig) -> str:
    folder = runbook.postmortem.folder.strip("/")
    return f"{folder}/INC-{postmortem.number}.md" if folder else f"INC-{postmortem.number}.md"


def _branch(postmortem: Postmortem) -> str:
    return f"postmortem/INC-{postmortem.number}"


def _propose(key: str, again: bool, postmortem: Postmortem, runbook: RunbookConfig) -> ActivityRequest:
    rules, incident = runbook.postmortem, postmortem.incident
    how = Proposal(rules.proposal)
    body = (
        f"The post-mortem of {incident.name}, owned by {postmortem.owner}. Edit the file here or use"
        f" `incident postmortem`. Edits below the headings are merged every {in_words(rules.read_back_every)}.\n"
    )
    return ProposeDocument(
        key=key,
        again=again,
        folder=evidence_folder(incident),
        name=document_name(postmortem),
        pictures=(CHART,),
        how=how,
        branch=_branch(postmortem),
        base=rules.base,
        path=_path(postmortem, runbook),
        title=f"Post-mortem of {incident.name}: {incident.title}"[:200],
        body=body,
        labels=rules.labels,
        marker=f"<!-- incident-runbook {incident.first_run_id}/postmortem -->",
        known=postmortem.read_digest,
    )


def _read(key: str, postmortem: Postmortem, runbook: RunbookConfig) -> ActivityRequest:
    every = runbook.postmortem.read_back_every.total_seconds()
    path, known = _path(postmortem, runbook), postmortem.read_digest
    return WatchDocument(key=key, branch=_branch(postmortem), path=path, known=known, every_seconds=every)


def item_marker(postmortem: Postmortem, item: ActionItem) -> str:
    """Return the marker in an item's issue, by which searches and webhooks identify it."""
    return f"<!-- incident-runbook postmortem-{postmortem.number} item-{item.id} {postmortem.incident.first_run_id} -->"


def _ticket(
    key: str, again: bool, postmortem: Postmortem, item: ActionItem, runbook: RunbookConfig
) -> activity_requests.OpenTicket:
    where = postmortem.proposal_url or postmortem.draft_url
    body = (
        f"Action item {item.id} of the post-mortem of {postmortem.incident.name}: {where}\n\n"
        f"- Owner: {item.owner}\n- Due: {item.due}\n- Acceptance criterion: {item.outcome}\n\n"
        "Close it as completed when it is done. To close it as not planned, give the reason with"
        f" `incident postmortem action {postmortem.number} --wont-do {item.id} --reason ...`."
    )
    contact = contact_of(item.owner, runbook)
    login = contact.github if contact else item.owner[1:] if item.owner.startswith("@") else ""
    return activity_requests.OpenTicket(
        key=key,
        again=again,
        title=f"{item.title} (INC-{postmortem.number}, due {item.due})"[:200],
        body=body,
        labels=runbook.postmortem.items.labels,
        marker=item_marker(postmortem, item),
        assignees=(login,) if login else (),
    )


def _close_issue(
    key: str, again: bool, postmortem: Postmortem, item: ActionItem, runbook: RunbookConfig
) -> ActivityRequest:
    because = f" ({item.reason})" if item.reason else ""
    return activity_requests.CommentTicket(
        key=key,
        again=again,
        ticket=item.issue,
        body=f"{item.state.replace('_', ' ').capitalize()}{because}, set in the post-mortem.",
        close=True,
        not_planned=item.state is ItemState.WONT_DO,
        opening=_ticket(key, again, postmortem, item, runbook),
    )


def _known(item: ActionItem) -> str:
    words = {ItemState.DONE: "closed", ItemState.WONT_DO: "not_planned", ItemState.OPEN: "open"}
    return words.get(item.state) or ("gone" if item.flag.endswith("deleted") else "moved")
