"""Edits of the document that people make in the pull request."""

from datetime import datetime

from incidents.domain.activity_results import DocumentRead
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import SYSTEM
from incidents.domain.postmortem.document.markdown import Unreadable, parse, plain
from incidents.domain.postmortem.document.sections import Document, merge_edits
from incidents.domain.postmortem.mails import describe_unknown_owner
from incidents.domain.postmortem.postmortem import Postmortem


def apply_document_edits(
    postmortem: Postmortem, result: DocumentRead, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Merge edits made in the pull request. An unreadable file is reported and left as it is.

    Edits by commands in the meantime are kept. The file is rewritten: its computed parts are ours.
    """
    postmortem = postmortem.replace(repository=postmortem.repository.replace(read_digest=result.digest))
    ours, base = plain(postmortem.document), postmortem.repository.seen
    try:
        theirs = parse(result.text, postmortem.document, base)
    except Unreadable as fault:
        return _left_as_it_is(postmortem, str(fault), at)
    document = merge_edits(ours, plain(base), theirs) if base is not None else theirs
    if unknown := describe_unknown_owner(postmortem.document, document, runbook):
        return _left_as_it_is(postmortem, unknown, at)
    changed = postmortem.replace(repository=postmortem.repository.replace(unreadable=False, seen=theirs))
    changed = changed.edited(document, at + runbook.postmortem.rewrite_after)
    said = ", ".join(_changed_sections(ours, document)) or "only computed parts"
    return changed.logged(at, SYSTEM, f"Merged edits from the pull request: {said}")


def own_version(postmortem: Postmortem, result: DocumentRead) -> Document | None:
    """Return the document of the version that was read, if this program wrote it; None if people edited it.

    A file can be read after it was proposed and before the proposal's result is known, or when that result was lost.
    """
    versions = reversed(postmortem.repository.versions)
    return next((version.document for version in versions if result.text and version.digest == result.digest), None)


def recognize_own_version(postmortem: Postmortem, document: Document) -> Postmortem:
    """Record that the repository shows this document of ours: what is merged next is an edit of it."""
    return postmortem.replace(repository=postmortem.repository.replace(seen=document))


def _left_as_it_is(postmortem: Postmortem, fault: str, at: datetime) -> Postmortem:
    said = f"Edits in the pull request were not merged, and the file was left as it is: {fault}"
    return postmortem.replace(repository=postmortem.repository.replace(unreadable=True)).logged(at, SYSTEM, said)


def _changed_sections(old: Document, new: Document) -> list[str]:
    return [name.replace("_", " ") for name in Document.model_fields if getattr(old, name) != getattr(new, name)]
