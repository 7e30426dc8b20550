"""Apply activity results and external changes (issues, pull request edits) to a post-mortem."""

from datetime import datetime

from incidents.domain.activity_requests import ActivityResult, IssueFact
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.program_errors import with_fault
from incidents.domain.core.timeline import SYSTEM
from incidents.domain.incident.parts import Unfulfilled
from incidents.domain.postmortem.document.markdown import Unreadable, parse, plain
from incidents.domain.postmortem.document.sections import (
    ActionItem,
    Document,
    ItemState,
    merge_edits,
)
from incidents.domain.postmortem.obligations import (
    POLLS,
    PostmortemObligation,
    PostmortemObligationKind,
    closing,
)
from incidents.domain.postmortem.postmortem import (
    Postmortem,
    Version,
    complete,
    record_missed_deadline,
    reschedule_review,
)

_VERSIONS = 3
"""Number of written versions kept: one may be written while another is proposed."""


def mark_begun(postmortem: Postmortem, key: str) -> Postmortem:
    """Record that an obligation was started; for a write, also the document being written."""
    if key.startswith("write/"):
        postmortem = postmortem.replace(writing=postmortem.document)
    return postmortem if key in postmortem.begun else postmortem.replace(begun=(*postmortem.begun, key))


def apply_due(
    postmortem: Postmortem, obligation: PostmortemObligation, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Fulfill one of `obligations.INNER`."""
    if obligation.kind is PostmortemObligationKind.BREACH:
        return record_missed_deadline(postmortem, obligation.key, at)
    if obligation.kind is PostmortemObligationKind.NOT_REVIEWED:
        return reschedule_review(postmortem, obligation.key, runbook, at)
    return complete(postmortem, obligation.key, at)


def apply_result(
    postmortem: Postmortem,
    obligation: PostmortemObligation,
    result: ActivityResult,
    runbook: RunbookConfig,
    at: datetime,
) -> Postmortem:
    """Record that an obligation was done or skipped. Idempotent."""
    if postmortem.settled(obligation.key):
        return postmortem
    if obligation.kind in POLLS:
        return _apply_poll(postmortem, obligation, result, runbook, at)
    postmortem = postmortem.replace(fulfilled=(*postmortem.fulfilled, obligation.key))
    match obligation.kind:
        case PostmortemObligationKind.RECORD:
            return postmortem
        case PostmortemObligationKind.WRITE:
            url = result.resources.evidence_url or postmortem.draft_url
            version = Version(digest=result.digest, document=postmortem.writing)
            versions = (*postmortem.versions, version)[-_VERSIONS:]
            figures = postmortem.figures or result.skipped is None
            postmortem = postmortem.replace(draft_url=url, figures=figures, versions=versions)
        case PostmortemObligationKind.PROPOSE if result.text:
            return apply_document_edits(postmortem, result, runbook, at)
        case PostmortemObligationKind.PROPOSE:
            postmortem = _record_proposal(postmortem, result)
        case PostmortemObligationKind.OPEN_ISSUE:
            postmortem = _record_issue(postmortem, obligation.item, result, runbook, at)
    detail = f"skipped: {result.skipped}" if result.skipped is not None else result.detail
    return postmortem.logged(at, SYSTEM, f"{obligation.says} ({detail})" if detail else obligation.says)


def _record_proposal(postmortem: Postmortem, result: ActivityResult) -> Postmortem:
    """Record which version the repository shows now: edits there are based on it."""
    seen = (version.document for version in reversed(postmortem.versions) if version.digest == result.digest)
    return postmortem.replace(
        proposal_url=result.reference or postmortem.proposal_url,
        read_digest=result.digest or postmortem.read_digest,
        seen=next(seen, postmortem.seen),
    )


def _record_issue(
    postmortem: Postmortem, number: int, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Record an item's issue; a tracker that is off must not block the document."""
    item = postmortem.document.item(number)
    if item is None:
        return postmortem
    url = result.resources.ticket_url or ""
    item = item.replace(issue=result.resources.ticket, issue_url=url, untracked=result.skipped or "", since=at)
    return postmortem.edited(postmortem.document.with_item(item), at + runbook.postmortem.rewrite_after).recorded()


def record_failure(
    postmortem: Postmortem, obligation: PostmortemObligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Record that an obligation failed permanently. The deadline stands; a failed poll is repeated."""
    if obligation.kind in POLLS:
        return _apply_poll(postmortem, obligation, ActivityResult(), runbook, at)
    failure = Unfulfilled(key=obligation.key, reason=reason, at=at)
    return postmortem.replace(failures=(*postmortem.failures, failure)).logged(
        at, SYSTEM, f"Failed: {obligation.says} ({reason})"
    )


def record_program_error(
    postmortem: Postmortem, obligation: PostmortemObligation, error: str, at: datetime
) -> Postmortem:
    """Record that an error in this program blocked an obligation; the deadline and the others stand."""
    failure = Unfulfilled(key=obligation.key, reason=error, at=at)
    text = f"Failed: {obligation.says} (error in this program, {error}). Nothing written is lost. Do this step by hand."
    return postmortem.replace(failures=(*postmortem.failures, failure)).logged(at, SYSTEM, text)


def record_fault(postmortem: Postmortem, obligation: PostmortemObligation, error: str, at: datetime) -> Postmortem:
    """Record the error for the operators, unless the failed obligation was their notification."""
    if obligation.kind is PostmortemObligationKind.REPORT_FAULT:
        return postmortem
    return postmortem.replace(faults=with_fault(postmortem, obligation.says, error, at))


def record_agenda_error(postmortem: Postmortem, error: str, at: datetime) -> Postmortem:
    """Record, once per error, that the agenda cannot be derived."""
    faults = with_fault(postmortem, "deriving the post-mortem's agenda", error, at)
    if faults == postmortem.faults:
        return postmortem
    text = f"Error in this program ({error}): no reminders or deadlines for this post-mortem until it is fixed."
    return postmortem.replace(faults=faults).logged(at, SYSTEM, text)


def _apply_poll(
    postmortem: Postmortem,
    obligation: PostmortemObligation,
    result: ActivityResult,
    runbook: RunbookConfig,
    at: datetime,
) -> Postmortem:
    """Apply the result of a poll, and schedule the next one."""
    if obligation.kind is PostmortemObligationKind.WATCH:
        postmortem = postmortem.replace(watches=postmortem.watches + 1, watched_at=at)
        return apply_issue_changes(postmortem, result.issues, at)
    postmortem = postmortem.replace(reads=postmortem.reads + 1, read_at=at)
    return apply_document_edits(postmortem, result, runbook, at) if result.text else postmortem


def apply_document_edits(
    postmortem: Postmortem, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Merge edits made in the pull request. An unreadable file is reported and left as it is.

    Edits by commands in the meantime are kept. The file is rewritten: its computed parts are ours.
    """
    postmortem = postmortem.replace(read_digest=result.digest)
    ours, base = plain(postmortem.document), postmortem.seen
    try:
        theirs = parse(result.text, postmortem.document, base)
    except Unreadable as fault:
        said = f"Edits in the pull request were not merged, and the file was left as it is: {fault}"
        return postmortem.replace(unreadable=True).logged(at, SYSTEM, said)
    document = merge_edits(ours, plain(base), theirs) if base is not None else theirs
    changed = postmortem.replace(unreadable=False, seen=theirs)
    changed = changed.edited(document, at + runbook.postmortem.rewrite_after)
    said = ", ".join(_changed_sections(ours, document)) or "only computed parts"
    return changed.logged(at, SYSTEM, f"Merged edits from the pull request: {said}")


def _changed_sections(old: Document, new: Document) -> list[str]:
    return [name.replace("_", " ") for name in Document.model_fields if getattr(old, name) != getattr(new, name)]


def apply_issue_changes(postmortem: Postmortem, changes: tuple[IssueFact, ...], at: datetime) -> Postmortem:
    """Apply issue changes to the action items (behaviour 74). Idempotent."""
    for change in changes:
        for item in postmortem.document.items:
            if item.issue != change.number or closing(postmortem, item):
                continue
            now = _updated_from_issue(item, change)
            if now != item:
                now = now.replace(since=at)
                said = f"Action item {item.id} ({item.title}): {now.state.replace('_', ' ')}"
                because = f" ({now.flag})" if now.flag else ""
                postmortem = postmortem.edited(postmortem.document.with_item(now), at)
                postmortem = postmortem.logged(at, SYSTEM, said + because).recorded()
    return postmortem


def _updated_from_issue(item: ActionItem, change: IssueFact) -> ActionItem:
    """Return the item updated from its issue. An item settled by hand keeps its reason."""
    match change.state:
        case "open" if item.state is not ItemState.OPEN:
            return item.replace(state=ItemState.OPEN, reason="", flag="")
        case "closed" if change.reason == "not_planned":
            flag = "" if item.reason else "closed as not planned without a reason"
            return item.replace(state=ItemState.WONT_DO, flag=flag)
        case "closed" if item.state is not ItemState.WONT_DO or not item.reason:
            return item.replace(state=ItemState.DONE, flag="")
        case "gone" | "moved" if not item.settled:
            flag = "its issue was deleted" if change.state == "gone" else "its issue was moved elsewhere"
            return item.replace(state=ItemState.GONE, flag=flag)
    return item
