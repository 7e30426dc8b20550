"""What becomes of a post-mortem when a responder tells it something."""

from datetime import datetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.instants import fault, written
from incidents.domain.incident.commands import Command, CorrectTime, remembered
from incidents.domain.incident.corrections import correct_time
from incidents.domain.postmortem.blameless import find_blame
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
from incidents.domain.postmortem.document import (
    ActionItem,
    Document,
    ItemState,
    too_large,
)
from incidents.domain.postmortem.markdown import Unreadable, parse
from incidents.domain.postmortem.postmortem import (
    Postmortem,
    Stage,
    owner_of,
    record_publication,
)


def apply_command(postmortem: Postmortem, command: Command, runbook: RunbookConfig, at: datetime) -> Postmortem:
    """Return the post-mortem after the command.

    Raises:
        CommandRejected: it cannot be done now; the message says what is missing.
        AlreadyDone: it was done before.
    """
    if command.id and command.id in postmortem.handled:
        raise AlreadyDone("This command was received before.")
    if postmortem.ended:
        raise AlreadyDone(f"The post-mortem of INC-{postmortem.number} is {postmortem.stage} already.")
    decided = _decided(postmortem, command, runbook, at)
    return decided.replace(handled=remembered(decided.handled, command))


def _decided(postmortem: Postmortem, command: Command, runbook: RunbookConfig, at: datetime) -> Postmortem:
    match command:
        case CorrectTime():
            incident = correct_time(postmortem.incident, command, at)
            changed = postmortem.replace(incident=incident, corrected=postmortem.corrected + 1)
            changed = changed.edited(postmortem.document, at).recorded()
            return changed.logged(at, command.by, incident.timeline[-1].text)
        case WaivePostmortem():
            return _waived(postmortem, command, at)
        case PublishPostmortem():
            return _published(postmortem, command, runbook, at)
        case SubmitPostmortem():
            _complete(postmortem)
            return postmortem.replace(submitted_by=command.by).logged(at, command.by, _submitted(postmortem, runbook))
        case AssignPostmortem():
            owner = owner_of(postmortem.incident, command.person, runbook)
            assigned = postmortem.replace(assigned=command.person, owner=owner)
            return assigned.logged(at, command.by, f"Owned by {owner}")
        case SettleActionItem():
            return _settled(postmortem, command, at)
        case RecordReview():
            return _reviewed(postmortem, command, at)
        case EditDocument() | AddLine() | ReplaceDocument() | SetActionItem():
            document, said = _edited(postmortem.document, command)
            if too_large(document):
                raise CommandRejected(
                    "That would make it larger than anybody reads: link to what is long. Nothing was changed."
                )
            edited = postmortem.edited(document, at + runbook.postmortem.rewrite_after)
            return edited.logged(at, command.by, said + _blame(edited, runbook))
    raise CommandRejected(f"A post-mortem knows no command {type(command).__name__}.")


def _waived(postmortem: Postmortem, command: WaivePostmortem, at: datetime) -> Postmortem:
    if postmortem.over:
        raise AlreadyDone(f"The post-mortem of INC-{postmortem.number} is published already.")
    waived = postmortem.replace(stage=Stage.WAIVED, ended_at=at)
    return waived.logged(at, command.by, f"Waived: {command.reason}").recorded()


def _published(postmortem: Postmortem, command: PublishPostmortem, runbook: RunbookConfig, at: datetime) -> Postmortem:
    if postmortem.over:
        raise AlreadyDone(f"The post-mortem of INC-{postmortem.number} is published already.")
    if postmortem.stage in (Stage.WITHDRAWN, Stage.STARTED):
        raise CommandRejected(f"INC-{postmortem.number} is open: publish when it is resolved. What you wrote is kept.")
    _complete(postmortem)
    return record_publication(postmortem, runbook, at, command.by, command.url)


def _complete(postmortem: Postmortem) -> None:
    if lacks := postmortem.lacks:
        raise CommandRejected(f"Not complete: {'; '.join(lacks)}. What you wrote is kept.")


def _submitted(postmortem: Postmortem, runbook: RunbookConfig) -> str:
    where = postmortem.proposal_url or postmortem.draft_url
    return f"Submitted: read it at {where}, then publish it{_blame(postmortem, runbook)}"


def _blame(postmortem: Postmortem, runbook: RunbookConfig) -> str:
    """Return what to look at again because it may blame somebody, as the end of a sentence."""
    found = find_blame(postmortem.document, runbook.postmortem.blaming)
    said = "; ".join(f'{blame.section}: "{blame.words}" {blame.why} in "{blame.sentence}"' for blame in found[:3])
    return f" (read this again, it may blame: {said})" if said else ""


def _settled(postmortem: Postmortem, command: SettleActionItem, at: datetime) -> Postmortem:
    item = postmortem.document.item(command.number)
    if item is None:
        raise CommandRejected(f"There is no action item {command.number}.")
    if item.state is command.state and item.reason == command.reason:
        raise AlreadyDone(f"Action item {item.id} is {item.state.replace('_', ' ')} already.")
    flag = item.flag if item.state is ItemState.GONE else ""  # there is no issue to close
    item = item.replace(state=command.state, reason=command.reason, since=at, flag=flag)
    said = f"Action item {item.id} ({item.title}): {item.state.replace('_', ' ')}"
    changed = postmortem.edited(postmortem.document.with_item(item), at)
    return changed.logged(at, command.by, f"{said}, because {item.reason}" if item.reason else said).recorded()


def _reviewed(postmortem: Postmortem, command: RecordReview, at: datetime) -> Postmortem:
    if postmortem.stage is not Stage.PUBLISHED:
        raise CommandRejected("It is reviewed when it is published.")
    when = command.at or at
    if why := fault(when, at):
        raise CommandRejected(f"It cannot have been reviewed at {written(when)}: that is {why}.")
    if when > at:
        raise CommandRejected("That review is still to come: record it when it has taken place.")
    reviewed = postmortem.replace(reviewed_at=when, review_outcome=command.outcome)
    return reviewed.logged(at, command.by, f"Reviewed: {command.outcome}").recorded()


def _edited(document: Document, command: Command) -> tuple[Document, str]:
    match command:
        case EditDocument():
            return document.replace(**command.changes), f"Wrote {', '.join(command.changes).replace('_', ' ')}"
        case AddLine():
            lines = (*getattr(document, command.section), command.text)
            return document.replace(**{command.section.value: lines}), f"Added to {command.section}: {command.text}"
        case ReplaceDocument():
            try:
                return parse(command.markdown, document), "Wrote the document"
            except Unreadable as fault:
                raise CommandRejected(f"{fault} Nothing was changed.") from None
        case SetActionItem():
            return _with_item(document, command)
    raise CommandRejected(f"A post-mortem knows no command {type(command).__name__}.")


def _with_item(document: Document, command: SetActionItem) -> tuple[Document, str]:
    given = {name: value for name in ("title", "owner", "due", "outcome") if (value := getattr(command, name))}
    if not command.number:
        item = ActionItem(id=document.next_id, **given)
        return document.with_item(item), f"Action item {item.id}: {item.title}"
    old = document.item(command.number)
    if old is None:
        raise CommandRejected(f"There is no action item {command.number}.")
    item = old.replace(**given)
    return document.with_item(item), f"Changed action item {item.id}: {', '.join(given)}"
