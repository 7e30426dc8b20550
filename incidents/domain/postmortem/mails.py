"""Mails about a post-mortem: who is reminded of what, in which words."""

import re
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.communication import Contact
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.escaping import mail_header
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.postmortem.document.sections import ActionItem, Document
from incidents.domain.postmortem.item_rules import needs_reason, overdue
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.domain.postmortem.review import invitation
from incidents.domain.recipients import PersonNamed, Recipient, StaffAddress


def contact_of(name: str, runbook: RunbookConfig) -> Contact | None:
    """Return the contact of that key or name."""
    return runbook.contacts.get(name) or next((c for c in runbook.contacts.values() if c.name == name), None)


_REACHABLE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|@[A-Za-z0-9](-?[A-Za-z0-9]){0,38}")
"""An e-mail address, or a login at the issue tracker."""


def describe_unknown_owner(old: Document, new: Document, runbook: RunbookConfig) -> str:
    """Return which new owner of an action item nobody could remind (behaviour 96), and who could be; "" if none."""
    known, before = (*runbook.people.names, *runbook.contacts), {item.owner for item in old.items}
    for owner in (item.owner for item in new.items if item.owner and item.owner not in before):
        if owner not in known and contact_of(owner, runbook) is None and not _REACHABLE.fullmatch(owner):
            return f"{owner} is not in runbook.yaml. Owners: {', '.join(known)}; or an e-mail address or @login."
    return ""


def address_of(name: str, runbook: RunbookConfig) -> str:
    """Return the address of a contact, or the name itself if it is one; "" if only the directory can know it."""
    contact = contact_of(name, runbook)
    return (contact.email or "") if contact else name if "@" in name[1:] else ""


def people_of(names: tuple[str, ...], runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the names that are no contact's and no address: activities look these up in the directory."""
    return tuple(name for name in names if contact_of(name, runbook) is None and "@" not in name[1:])


def _recipients(names: tuple[str, ...], runbook: RunbookConfig) -> tuple[Recipient, ...]:
    """Return these contacts, people and addresses as recipients, each once; not a contact without an address."""
    people = people_of(names, runbook)
    found: dict[Recipient, None] = {}
    for name in names:
        if name in people:
            found[PersonNamed(name=name)] = None
        elif address := address_of(name, runbook):
            found[StaffAddress(address=address)] = None
    return tuple(found)


def _reminded(postmortem: Postmortem, runbook: RunbookConfig, at: datetime) -> tuple[str, ...]:
    """Return the recipients of a reminder: the owner; when overdue also the manager, later the executive."""
    rules, due = runbook.postmortem, postmortem.due
    late = due is not None and at >= due
    later = due is not None and at >= due + rules.executive_after
    return (postmortem.owner, *([rules.manager] if late else []), *([rules.executive] if later else []))


def _manager(runbook: RunbookConfig) -> tuple[Recipient, ...]:
    """Return the manager, who gets what reaches no one else."""
    return _recipients((runbook.postmortem.manager,), runbook)


def mail(
    postmortem: Postmortem,
    to: tuple[Recipient, ...],
    subject: str,
    text: str,
    *,
    fallback: tuple[Recipient, ...] = (),
    ics: str = "",
) -> ActivityRequest | ActivityResult:
    """Return a mail in the incident's thread.

    Args:
        postmortem: the post-mortem that it is about.
        to: its recipients.
        subject: its subject.
        text: its text.
        fallback: who gets it if no address of `to` is known.
        ics: an invitation, empty for none.
    """
    if not to and not fallback:
        return ActivityResult(skipped="no recipient has an e-mail address")
    return activity_requests.SendMail(
        key="",  # `postmortem_request` sets it
        to=to,
        fallback=fallback,
        subject=mail_header(subject),
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
    where = f" Draft: {postmortem.repository.proposal_url or postmortem.draft_url}" if postmortem.draft_url else ""
    if not where and (unsaved := postmortem.draft_postponed) is not None:
        where = f" The draft could not be saved yet ({unsaved.reason}); it follows when the evidence store takes it."
    lacks = postmortem.lacks
    still = (
        f"\nStill missing: {'; '.join(lacks)}."
        if lacks
        else f"\nComplete. To publish: `incident postmortem publish {number}`."
    )
    how = f"\nStatus: `incident postmortem show {number}`."
    return f"{postmortem.owner}: the post-mortem of INC-{number} is {state}.{where}{still}{how}"


def reminder_mail(postmortem: Postmortem, runbook: RunbookConfig, at: datetime) -> ActivityRequest | ActivityResult:
    """Remind of the deadline."""
    due = runbook.calendar.in_brackets(postmortem.due) if postmortem.due else "after resolution"
    subject = f"Post-mortem of INC-{postmortem.number}: due {due}"
    to = _recipients(_reminded(postmortem, runbook, at), runbook)
    return mail(postmortem, to, subject, reminder_text(postmortem, runbook, at), fallback=_manager(runbook))


def chase(
    postmortem: Postmortem, item: ActionItem, runbook: RunbookConfig, *, first: bool
) -> ActivityRequest | ActivityResult:
    """Remind the owner first, then the owner and the manager (behaviour 77)."""
    to = _recipients((item.owner,) if first else (item.owner, runbook.postmortem.manager), runbook)
    wrong = f"\nProblem with its issue: {item.flag}." if item.flag else ""
    reason = f"\nTo give the reason: `incident postmortem action {postmortem.number} --wont-do {item.id} --reason ...`"
    text = (
        f"{item.owner}: action item {item.id} of the post-mortem of INC-{postmortem.number} was due on {item.due}"
        f" and is {item.state.replace('_', ' ')}.\n\n{item.title}\nAcceptance criterion: {item.outcome}\n"
        f"{item.issue_url}{wrong}"
        f"{reason if needs_reason(item) else ''}\n"
    )
    return mail(postmortem, to, f"Overdue since {item.due}: {item.title}", text, fallback=_manager(runbook))


def review_mail(
    postmortem: Postmortem, runbook: RunbookConfig, at: datetime, *, inviting: bool
) -> ActivityRequest | ActivityResult:
    """Invite to the review meeting, or remind of it."""
    rules, incident, when = runbook.postmortem.review, postmortem.incident, postmortem.review.at
    if when is None:
        return ActivityResult(skipped="no review meeting is scheduled")
    to = _recipients((*rules.invite, postmortem.owner), runbook)
    title = f"Review of the post-mortem of {incident.name}"
    url, still = postmortem.document_url, [item for item in postmortem.document.items if not item.settled]
    lines = [
        f"{title}: at the engineering all-hands, {runbook.calendar.in_brackets(when)}.",
        f"Document: {url}",
        f"Root cause: {postmortem.document.root_cause}",
        *(f"Open: {i.title} ({i.owner}, due {i.due}){' OVERDUE' if overdue(i, runbook, at) else ''}" for i in still),
        f'After the review: incident postmortem review {postmortem.number} --outcome "..."',
    ]
    uid = f"{incident.first_run_id}@incident-runbook"
    ics = invitation(uid, title, url, when, rules, at) if inviting else ""
    subject = f"{'Invitation' if inviting else 'Reminder'}: {title}"
    return mail(postmortem, to, subject, "\n".join(lines) + "\n", ics=ics)
