"""What became of a post-mortem's obligations, and what others changed: its issues, its pull request."""

from datetime import datetime

from incidents.domain.activity_requests import ActivityResult, IssueFact
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.program_errors import with_fault
from incidents.domain.core.timeline import SYSTEM
from incidents.domain.incident.parts import Unfulfilled
from incidents.domain.postmortem.document import (
    ActionItem,
    Document,
    ItemState,
    merge_edits,
)
from incidents.domain.postmortem.markdown import Unreadable, parse, plain
from incidents.domain.postmortem.obligations import (
    LOOKS,
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
"""How many written versions are remembered: one is written while another is being proposed."""


def mark_begun(postmortem: Postmortem, key: str) -> Postmortem:
    """Remember that an obligation was begun, and of a writing, what is written."""
    if key.startswith("write/"):
        postmortem = postmortem.replace(writing=postmortem.document)
    return postmortem if key in postmortem.begun else postmortem.replace(begun=(*postmortem.begun, key))


def apply_due(
    postmortem: Postmortem, obligation: PostmortemObligation, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Fulfil one of `agenda.INNER`."""
    if obligation.kind is PostmortemObligationKind.BREACH:
        return record_missed_deadline(postmortem, obligation.key, at)
    if obligation.kind is PostmortemObligationKind.NOT_REVIEWED:
        return reschedule_review(postmortem, obligation.key, runbook, at)
    return complete(postmortem, obligation.key, at)


def apply_result(
    postmortem: Postmortem,
    obligation: PostmortemObligation,
    outcome: ActivityResult,
    runbook: RunbookConfig,
    at: datetime,
) -> Postmortem:
    """Record that an obligation was done or skipped. A second report of the same obligation changes nothing."""
    if postmortem.settled(obligation.key):
        return postmortem
    if obligation.kind in LOOKS:
        return _looked(postmortem, obligation, outcome, runbook, at)
    postmortem = postmortem.replace(fulfilled=(*postmortem.fulfilled, obligation.key))
    match obligation.kind:
        case PostmortemObligationKind.RECORD:
            return postmortem
        case PostmortemObligationKind.WRITE:
            url = outcome.resources.evidence_url or postmortem.draft_url
            version = Version(digest=outcome.digest, document=postmortem.writing)
            versions = (*postmortem.versions, version)[-_VERSIONS:]
            figures = postmortem.figures or outcome.skipped is None
            postmortem = postmortem.replace(draft_url=url, figures=figures, versions=versions)
        case PostmortemObligationKind.PROPOSE if outcome.text:
            return apply_document_edits(postmortem, outcome, runbook, at)
        case PostmortemObligationKind.PROPOSE:
            postmortem = _proposed(postmortem, outcome)
        case PostmortemObligationKind.OPEN_ISSUE:
            postmortem = _opened(postmortem, obligation.item, outcome, runbook, at)
    result = f"skipped: {outcome.skipped}" if outcome.skipped is not None else outcome.detail
    return postmortem.logged(at, SYSTEM, f"{obligation.says}: {result}" if result else obligation.says)


def _proposed(postmortem: Postmortem, outcome: ActivityResult) -> Postmortem:
    """Remember which version the repository's readers see now: their edits are changes of that one."""
    seen = (version.document for version in reversed(postmortem.versions) if version.digest == outcome.digest)
    return postmortem.replace(
        proposal_url=outcome.reference or postmortem.proposal_url,
        read_digest=outcome.digest or postmortem.read_digest,
        seen=next(seen, postmortem.seen),
    )


def _opened(
    postmortem: Postmortem, number: int, outcome: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Write the number of an item's issue down; a tracker that is off is no reason to hold the document up."""
    item = postmortem.document.item(number)
    if item is None:
        return postmortem
    url = outcome.resources.ticket_url or ""
    item = item.replace(issue=outcome.resources.ticket, issue_url=url, untracked=outcome.skipped or "", since=at)
    return postmortem.edited(postmortem.document.with_item(item), at + runbook.postmortem.rewrite_after).recorded()


def record_failure(
    postmortem: Postmortem, obligation: PostmortemObligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Record that an obligation failed for good.

    The deadline stands; a look that saw nothing is followed by another.
    """
    if obligation.kind in LOOKS:
        return _looked(postmortem, obligation, ActivityResult(), runbook, at)
    failure = Unfulfilled(key=obligation.key, reason=reason, at=at)
    return postmortem.replace(failures=(*postmortem.failures, failure)).logged(
        at, SYSTEM, f"Failed: {obligation.says}: {reason}"
    )


def record_program_error(
    postmortem: Postmortem, obligation: PostmortemObligation, error: str, at: datetime
) -> Postmortem:
    """Record that an error of this program kept an obligation from being done; the deadline and the others stand."""
    failure = Unfulfilled(key=obligation.key, reason=error, at=at)
    text = (
        f"Failed: {obligation.says}: error in this program ({error}). Do it by hand; nothing that was written is lost."
    )
    return postmortem.replace(failures=(*postmortem.failures, failure)).logged(at, SYSTEM, text)


def record_fault(postmortem: Postmortem, obligation: PostmortemObligation, error: str, at: datetime) -> Postmortem:
    """Remember the error that kept an obligation from being done, for the operators;

    Not that it could not be told to them.
    """
    if obligation.kind is PostmortemObligationKind.REPORT_FAULT:
        return postmortem
    return postmortem.replace(faults=with_fault(postmortem, obligation.says, error, at))


def record_agenda_error(postmortem: Postmortem, error: str, at: datetime) -> Postmortem:
    """Record, once for each error, that the agenda cannot be derived."""
    faults = with_fault(postmortem, "deriving the post-mortem's agenda", error, at)
    if faults == postmortem.faults:
        return postmortem
    text = f"Error in this program ({error}): reminders and deadlines of this post-mortem stop until it is fixed."
    return postmortem.replace(faults=faults).logged(at, SYSTEM, text)


def _looked(
    postmortem: Postmortem,
    obligation: PostmortemObligation,
    outcome: ActivityResult,
    runbook: RunbookConfig,
    at: datetime,
) -> Postmortem:
    """Take in what a look saw, and let the next one be due."""
    if obligation.kind is PostmortemObligationKind.WATCH:
        postmortem = postmortem.replace(watches=postmortem.watches + 1, watched_at=at)
        return apply_issue_changes(postmortem, outcome.issues, at)
    postmortem = postmortem.replace(reads=postmortem.reads + 1, read_at=at)
    return apply_document_edits(postmortem, outcome, runbook, at) if outcome.text else postmortem


def apply_document_edits(
    postmortem: Postmortem, outcome: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Take in what somebody wrote into the pull request. What cannot be read is said, and nothing is lost.

    What was written by commands meanwhile stays. The file is written anew in any case: its computed parts are ours.
    """
    postmortem = postmortem.replace(read_digest=outcome.digest)
    ours, base = plain(postmortem.document), postmortem.seen
    try:
        theirs = parse(outcome.text, postmortem.document, base)
    except Unreadable as fault:
        said = f"The file in the pull request was changed, but not taken: {fault} It is left as it is."
        return postmortem.replace(unreadable=True).logged(at, SYSTEM, said)
    document = merge_edits(ours, plain(base), theirs) if base is not None else theirs
    changed = postmortem.replace(unreadable=False, seen=theirs)
    changed = changed.edited(document, at + runbook.postmortem.rewrite_after)
    said = ", ".join(_differing(ours, document)) or "nothing that is not computed"
    return changed.logged(at, SYSTEM, f"Took what was written in the pull request: {said}")


def _differing(old: Document, new: Document) -> list[str]:
    return [name.replace("_", " ") for name in Document.model_fields if getattr(old, name) != getattr(new, name)]


def apply_issue_changes(postmortem: Postmortem, changes: tuple[IssueFact, ...], at: datetime) -> Postmortem:
    """Take in what became of the issues (BEHAVIOURS 74). What is known already changes nothing."""
    for change in changes:
        for item in postmortem.document.items:
            if item.issue != change.number or closing(postmortem, item):
                continue
            now = _as_issue(item, change)
            if now != item:
                now = now.replace(since=at)
                said = f"Action item {item.id} ({item.title}): {now.state.replace('_', ' ')}"
                because = f", {now.flag}" if now.flag else ""
                postmortem = postmortem.edited(postmortem.document.with_item(now), at)
                postmortem = postmortem.logged(at, SYSTEM, said + because).recorded()
    return postmortem


def _as_issue(item: ActionItem, change: IssueFact) -> ActionItem:
    """Return the item as its issue stands. An item that was settled by hand keeps its reason."""
    match change.state:
        case "open" if item.state is not ItemState.OPEN:
            return item.replace(state=ItemState.OPEN, reason="", flag="")
        case "closed" if change.reason == "not_planned":
            flag = "" if item.reason else "closed as not planned: give the reason"
            return item.replace(state=ItemState.WONT_DO, flag=flag)
        case "closed" if item.state is not ItemState.WONT_DO or not item.reason:
            return item.replace(state=ItemState.DONE, flag="")
        case "gone" | "moved" if not item.settled:
            flag = "its issue was deleted" if change.state == "gone" else "its issue was moved elsewhere"
            return item.replace(state=ItemState.GONE, flag=flag)
    return item
