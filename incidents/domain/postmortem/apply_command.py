"""Apply responders' commands to a post-mortem."""

from datetime import datetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command, remembered
from incidents.domain.core.time.instants import fault, written
from incidents.domain.incident.commands import CorrectTime
from incidents.domain.incident.corrections import correct_time
from incidents.domain.incident.visibility import require_access
from incidents.domain.postmortem.commands import (
    AddLine,
    AssignPostmortem,
    EditDocument,
    PublishPostmortem,
    RecordReview,
    ReplaceDocument,
    SetActionItem,
    SettleActionItem,
    SubmitPostmortem,
    WaivePostmortem,
)
from incidents.domain.postmortem.document.markdown import Unreadable, parse
from incidents.domain.postmortem.document.sections import (
    LARGEST,
    ActionItem,
    Document,
    ItemState,
    too_large,
)
from incidents.domain.postmortem.mails import describe_unknown_owner
from incidents.domain.postmortem.postmortem import (
    Postmortem,
    Stage,
    owner_of,
    record_publication,
)


def apply_command(postmortem: Postmortem, command: Command, runbook: RunbookConfig, at: datetime) -> Postmortem:
    """Return the post-mortem after the command.

    Raises:
        CommandRejected: not possible now; the message says what is missing.
        PrivateIncident: its sender may not see the incident.
        AlreadyDone: an earlier command did it.
    """
    require_access(postmortem.incident, command, runbook)
    if command.id and command.id in postmortem.handled:
        raise AlreadyDone("This command was already received.")
    if postmortem.ended:
        raise AlreadyDone(f"The post-mortem of INC-{postmortem.number} is already {postmortem.stage}.")
    changed = _apply(postmortem, command, runbook, at)
    return changed.replace(handled=remembered(changed.handled, command))


def _apply(postmortem: Postmortem, command: Command, runbook: RunbookConfig, at: datetime) -> Postmortem:
    match command:
        case CorrectTime():
            return _correct_time(postmortem, command, at)
        case WaivePostmortem():
            return _waive(postmortem, command, at)
        case PublishPostmortem():
            return _publish(postmortem, command, runbook, at)
        case SubmitPostmortem():
            return _submit(postmortem, command, at)
        case AssignPostmortem():
            owner = owner_of(postmortem.incident, command.person, runbook)
            assigned = postmortem.replace(assigned=command.person, owner=owner)
            return assigned.logged(at, command.by, f"Owner: {owner}")
        case SettleActionItem():
            return _settle_item(postmortem, command, at)
        case RecordReview():
            return _record_review(postmortem, command, at)
        case EditDocument() | AddLine() | ReplaceDocument() | SetActionItem():
            return _change_document(postmortem, command, runbook, at)
    raise CommandRejected(f"{type(command).__name__} is not a post-mortem command.")


def _correct_time(postmortem: Postmortem, command: CorrectTime, at: datetime) -> Postmortem:
    incident = correct_time(postmortem.incident, command, at)
    changed = postmortem.replace(incident=incident, corrected=postmortem.corrected + 1)
    changed = changed.edited(postmortem.document, at).recorded()
    return changed.logged(at, command.by, incident.timeline[-1].text)


def _submit(postmortem: Postmortem, command: SubmitPostmortem, at: datetime) -> Postmortem:
    _require_complete(postmortem)
    where = postmortem.repository.proposal_url or postmortem.draft_url
    said = f"Submitted for review at {where}. Publish it after the review"
    return postmortem.replace(submitted_by=command.by).logged(at, command.by, said)


def _change_document(postmortem: Postmortem, command: Command, runbook: RunbookConfig, at: datetime) -> Postmortem:
    document, said = _edit(postmortem.document, command)
    if unknown := describe_unknown_owner(postmortem.document, document, runbook):
        raise CommandRejected(f"{unknown} Nothing was changed.")
    if too_large(document):
        text = f"The document would exceed {LARGEST:,} characters. Nothing was changed. Link to long material."
        raise CommandRejected(text)
    edited = postmortem.edited(document, at + runbook.postmortem.rewrite_after)
    return edited.logged(at, command.by, said)


def _waive(postmortem: Postmortem, command: WaivePostmortem, at: datetime) -> Postmortem:
    if postmortem.over:
        raise AlreadyDone(f"The post-mortem of INC-{postmortem.number} is already published.")
    waived = postmortem.replace(stage=Stage.WAIVED, ended_at=at)
    return waived.logged(at, command.by, f"Waived: {command.reason}").recorded()


def _publish(postmortem: Postmortem, command: PublishPostmortem, runbook: RunbookConfig, at: datetime) -> Postmortem:
    if postmortem.over:
        raise AlreadyDone(f"The post-mortem of INC-{postmortem.number} is already published.")
    if postmortem.stage in (Stage.WITHDRAWN, Stage.STARTED):
        raise CommandRejected(
            f"INC-{postmortem.number} is still open. Your text is saved. Publish once it is resolved."
        )
    _require_complete(postmortem)
    return record_publication(postmortem, runbook, at, command.by, command.url)


def _require_complete(postmortem: Postmortem) -> None:
    if lacks := postmortem.lacks:
        raise CommandRejected(f"Not complete ({'; '.join(lacks)}). Your text is saved.")


def _settle_item(postmortem: Postmortem, command: SettleActionItem, at: datetime) -> Postmortem:
    item = postmortem.document.item(command.number)
    if item is None:
        raise CommandRejected(f"Action item {command.number} not found. Nothing was changed.")
    if item.state is command.state and item.reason == command.reason:
        raise AlreadyDone(f"Action item {item.id} is already {item.state.replace('_', ' ')}.")
    flag = item.flag if item.state is ItemState.GONE else ""  # there is no issue to close
    item = item.replace(state=command.state, reason=command.reason, since=at, flag=flag)
    said = f"Action item {item.id} ({item.title}): {item.state.replace('_', ' ')}"
    changed = postmortem.edited(postmortem.document.with_item(item), at)
    return changed.logged(at, command.by, f"{said} ({item.reason})" if item.reason else said).recorded()


def _record_review(postmortem: Postmortem, command: RecordReview, at: datetime) -> Postmortem:
    if postmortem.stage is not Stage.PUBLISHED:
        raise CommandRejected("Not published yet. Publish it before recording the review.")
    when = command.at or at
    if why := fault(when, at):
        raise CommandRejected(f"The review cannot have been at {written(when)}: that is {why}.")
    if when > at:
        raise CommandRejected("The review is in the future. Record it afterwards.")
    reviewed = postmortem.replace(review=postmortem.review.replace(reviewed_at=when, outcome=command.outcome))
    return reviewed.logged(at, command.by, f"Reviewed: {command.outcome}").recorded()


def _edit(document: Document, command: Command) -> tuple[Document, str]:
    match command:
        case EditDocument():
            return document.replace(**command.changes), f"Edited {', '.join(command.changes).replace('_', ' ')}"
        case AddLine():
            lines = (*getattr(document, command.section), command.text)
            return document.replace(**{command.section.value: lines}), f"Added to {command.section}"
        case ReplaceDocument():
            try:
                return parse(command.markdown, document), "Replaced the document"
            except Unreadable as fault:
                raise CommandRejected(f"{fault} Nothing was changed.") from None
        case SetActionItem():
            return _with_item(document, command)
    raise CommandRejected(f"{type(command).__name__} is not a post-mortem command.")


def _with_item(document: Document, command: SetActionItem) -> tuple[Document, str]:
    given = {name: value for name in ("title", "owner", "due", "outcome") if (value := getattr(command, name))}
    if not command.number:
        item = ActionItem(id=document.next_id, **given)
        return document.with_item(item), f"Added action item {item.id}: {item.title}"
    old = document.item(command.number)
    if old is None:
        raise CommandRejected(f"Action item {command.number} not found. Nothing was changed.")
    item = old.replace(**given)
    return document.with_item(item), f"Changed action item {item.id}: {', '.join(given)}"
