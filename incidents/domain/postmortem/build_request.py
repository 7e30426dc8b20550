"""Build the activity request for each obligation of a post-mortem, and the reminder texts."""

from datetime import datetime, timedelta
from typing import assert_never

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.config.communication import Contact
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.duration import in_words
from incidents.domain.evidence.preservation import evidence_folder
from incidents.domain.postmortem.activity_requests import (
    ProposeDocument,
    WatchDocument,
    WatchIssues,
    WritePostmortem,
)
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.document import ActionItem, ItemState
from incidents.domain.postmortem.obligations import (
    PostmortemObligation,
    PostmortemObligationKind,
    needs_reason,
    overdue,
)
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.domain.postmortem.review import invitation
from incidents.domain.reporting.record import postmortem_record, record_of
from incidents.domain.updates.messages import fault_text

CHART = "postmortem-chart.svg"
"""File name of the chart beside the document."""
_OFF = ActivityResult(skipped="no recipient has an e-mail address")
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
            return _open_issue(key, again, postmortem, _item(postmortem, obligation), runbook)
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
            due = runbook.calendar.in_brackets(postmortem.due) if postmortem.due else "after resolution"
            subject = f"Post-mortem of INC-{postmortem.number}: due {due}"
            people = _reminded(postmortem, runbook, at)
            return _mail(key, again, postmortem, people, subject, reminder_text(postmortem, runbook, at))
        case PostmortemObligationKind.REPORT_FAULT:
            people = tuple(email for name in runbook.people.operators if (email := runbook.contacts[name].email))
            message = fault_text(postmortem.faults[obligation.item], postmortem.incident)
            return _mail(key, again, postmortem, people, message.subject, message.body)
        case PostmortemObligationKind.CHASE:
            return _chase(key, again, postmortem, _item(postmortem, obligation), obligation, runbook)
        case PostmortemObligationKind.INVITE | PostmortemObligationKind.REVIEW_REMINDER:
            return _review(key, again, postmortem, obligation, runbook, at)
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
    contact = _contact(item.owner, runbook)
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


def _open_issue(
    key: str, again: bool, postmortem: Postmortem, item: ActionItem, runbook: RunbookConfig
) -> ActivityRequest:
    return _ticket(key, again, postmortem, item, runbook)


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


# --- people -----------------------------------------------------------------------------------------------------------


def _contact(name: str, runbook: RunbookConfig) -> Contact | None:
    """Return the contact of that key or name."""
    return runbook.contacts.get(name) or next((c for c in runbook.contacts.values() if c.name == name), None)


def _address(name: str, runbook: RunbookConfig) -> str:
    contact = _contact(name, runbook)
    return (contact.email or "") if contact else name if "@" in name[1:] else ""


def _people(names: tuple[str, ...], runbook: RunbookConfig) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for name in names if (address := _address(name, runbook))))


def _reminded(postmortem: Postmortem, runbook: RunbookConfig, at: datetime) -> tuple[str, ...]:
    """Return the recipients: the owner; when overdue also the manager, later the executive."""
    rules, due = runbook.postmortem, postmortem.due
    late = due is not None and at >= due
    later = due is not None and at >= due + rules.executive_after
    owner = _people((postmortem.owner,), runbook)
    manager = _people((rules.manager,), runbook) if late or not owner else ()
    executive = _people((rules.executive,), runbook) if later else ()
    return tuple(dict.fromkeys((*owner, *manager, *executive)))


def _mail(
    key: str, again: bool, postmortem: Postmortem, to: tuple[str, ...], subject: str, text: str, ics: str = ""
) -> ActivityRequest | ActivityResult:
    if not to:
        return _OFF
    return activity_requests.SendMail(
        key=key,
        again=again,
        to=to,
        subject=subject[:200],
        text=text,
        thread=postmortem.incident.first_run_id,
        sequence=0,
        category="postmortem",
        invitation=ics,
    )


def reminder_text(postmortem: Postmortem, runbook: RunbookConfig, at: datetime) -> str:
    """Return the reminder: time left or overdue, link to the draft, missing sections."""
    number = postmortem.number
    if postmortem.due is None:
        state = "started (the deadline counts from resolution)"
    else:
        left, when = postmortem.due - at, runbook.calendar.in_brackets(postmortem.due)
        late = left.total_seconds() <= 0
        state = f"OVERDUE by {in_words(left)} (was due {when})" if late else f"due in {in_words(left)} ({when})"
    where = f" Draft: {postmortem.proposal_url or postmortem.draft_url}" if postmortem.draft_url else ""
    lacks = postmortem.lacks
    still = (
        f"\nStill missing: {'; '.join(lacks)}."
        if lacks
        else f"\nComplete. To publish: `incident postmortem publish {number}`."
    )
    how = f"\nStatus: `incident postmortem show {number}`."
    return f"{postmortem.owner}: the post-mortem of INC-{number} is {state}.{where}{still}{how}"


def _chase(
    key: str,
    again: bool,
    postmortem: Postmortem,
    item: ActionItem,
    obligation: PostmortemObligation,
    runbook: RunbookConfig,
) -> ActivityRequest | ActivityResult:
    """Remind the owner first, then the owner and the manager (behaviour 77)."""
    first = obligation.key.endswith("/0")
    owner = _people((item.owner,), runbook)
    to = owner if first and owner else tuple(dict.fromkeys((*owner, *_people((runbook.postmortem.manager,), runbook))))
    wrong = f"\nProblem with its issue: {item.flag}." if item.flag else ""
    reason = f"\nTo give the reason: `incident postmortem action {postmortem.number} --wont-do {item.id} --reason ...`"
    text = (
        f"{item.owner}: action item {item.id} of the post-mortem of INC-{postmortem.number} was due on {item.due}"
        f" and is {item.state.replace('_', ' ')}.\n\n{item.title}\nAcceptance criterion: {item.outcome}\n"
        f"{item.issue_url}{wrong}"
        f"{reason if needs_reason(item) else ''}\n"
    )
    return _mail(key, again, postmortem, to, f"Overdue since {item.due}: {item.title}", text)


def _review(
    key: str,
    again: bool,
    postmortem: Postmortem,
    obligation: PostmortemObligation,
    runbook: RunbookConfig,
    at: datetime,
) -> ActivityRequest | ActivityResult:
    rules, incident, when = runbook.postmortem.review, postmortem.incident, postmortem.review_at
    if when is None:
        return ActivityResult(skipped="no review meeting is scheduled")
    to = _people((*rules.invite, postmortem.owner), runbook)
    title = f"Review of the post-mortem of {incident.name}"
    url, still = postmortem.document_url, [item for item in postmortem.document.items if not item.settled]
    lines = [
        f"{title}: at the engineering all-hands, {runbook.calendar.in_brackets(when)}.",
        f"Document: {url}",
        f"Root cause: {postmortem.document.root_cause}",
        *(f"Open: {i.title} ({i.owner}, due {i.due}){' OVERDUE' if overdue(i, runbook, at) else ''}" for i in still),
        f'After the review: incident postmortem review {postmortem.number} --outcome "..."',
    ]
    inviting = obligation.kind is PostmortemObligationKind.INVITE
    uid = f"{incident.first_run_id}@incident-runbook"
    ics = invitation(uid, title, url, when, rules, at, to) if inviting else ""
    subject = f"{'Invitation' if inviting else 'Reminder'}: {title}"
    return _mail(key, again, postmortem, to, subject, "\n".join(lines) + "\n", ics)
