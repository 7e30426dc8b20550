"""Mails about a post-mortem: who is reminded of what, in which words."""

from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.config.communication import Contact
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.time.duration import in_words
from incidents.domain.postmortem.document.sections import ActionItem
from incidents.domain.postmortem.obligations import (
    PostmortemObligation,
    PostmortemObligationKind,
    needs_reason,
    overdue,
)
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.domain.postmortem.review import invitation


def contact_of(name: str, runbook: RunbookConfig) -> Contact | None:
    """Return the contact of that key or name."""
    return runbook.contacts.get(name) or next((c for c in runbook.contacts.values() if c.name == name), None)


def _address(name: str, runbook: RunbookConfig) -> str:
    contact = contact_of(name, runbook)
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


def mail(
    key: str, again: bool, postmortem: Postmortem, to: tuple[str, ...], subject: str, text: str, ics: str = ""
) -> ActivityRequest | ActivityResult:
    """Return a mail in the incident's thread. `ics`: an invitation, empty for none."""
    if not to:
        return ActivityResult(skipped="no recipient has an e-mail address")
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


def reminder_mail(
    key: str, again: bool, postmortem: Postmortem, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Remind of the deadline."""
    due = runbook.calendar.in_brackets(postmortem.due) if postmortem.due else "after resolution"
    subject = f"Post-mortem of INC-{postmortem.number}: due {due}"
    to = _reminded(postmortem, runbook, at)
    return mail(key, again, postmortem, to, subject, reminder_text(postmortem, runbook, at))


def chase(
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
    return mail(key, again, postmortem, to, f"Overdue since {item.due}: {item.title}", text)


def review_mail(
    key: str,
    again: bool,
    postmortem: Postmortem,
    obligation: PostmortemObligation,
    runbook: RunbookConfig,
    at: datetime,
) -> ActivityRequest | ActivityResult:
    """Invite to the review meeting, or remind of it."""
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
    return mail(key, again, postmortem, to, subject, "\n".join(lines) + "\n", ics)
