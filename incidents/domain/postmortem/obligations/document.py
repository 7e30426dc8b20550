"""The document: written, announced to its owner, proposed in the repository, and read back from there."""

from collections.abc import Iterator

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, DocumentProposed, DocumentRead, DocumentWritten
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.postponing import Postpones
from incidents.domain.core.text.escaping import github_line
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.evidence.preservation import evidence_folder
from incidents.domain.postmortem.activity_requests import ProposeDocument, WatchDocument, WritePostmortem
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.document.edits import apply_document_edits
from incidents.domain.postmortem.mails import reminder_mail, reminder_text
from incidents.domain.postmortem.obligations.obligation import (
    ACTIVE,
    Due,
    Owed,
    PostmortemObligation,
    PostmortemObligationKind,
    PostmortemSpec,
    owe,
)
from incidents.domain.postmortem.postmortem import Postmortem, Version

_VERSIONS = 3
"""Number of written versions kept: one may be written while another is proposed."""


def document_name(postmortem: Postmortem) -> str:
    """Return the name of the document beside the evidence: a separate file per resolution."""
    return f"postmortem-{max(postmortem.times_resolved, 1)}.md"


def chart_name(postmortem: Postmortem) -> str:
    """Return the name of the chart beside the document: in the repository, all post-mortems share a folder."""
    return f"INC-{postmortem.number}-chart.svg"


def document_owed(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    """Yield writing the newest version (one at a time), announcing it, and proposing it in the repository.

    While the evidence store cannot take the draft, the owner is notified without it, and again once it is written.
    """
    edits, since = postmortem.edits, postmortem.write_at
    if postmortem.ledger.unsettled(PostmortemObligationKind.WRITE) in ((), (_write_key(edits),)):
        summary = "Write the draft" if edits == 1 else "Rewrite the document"
        yield owe(PostmortemObligationKind.WRITE, _write_key(edits), since, summary)
    if not postmortem.draft_url and postmortem.ledger.postponement(_write_key(edits)) is None:
        return
    if postmortem.times_resolved:
        yield owe(
            PostmortemObligationKind.ANNOUNCE, Key("announce", postmortem.times_resolved), since, "Notify the owner"
        )
    if not postmortem.draft_url:
        return
    if postmortem.announced_without == postmortem.times_resolved > 0:
        key = Key("announce", postmortem.times_resolved, "draft")
        yield owe(PostmortemObligationKind.ANNOUNCE, key, since, "Notify the owner of the draft")
    if runbook.postmortem.proposal is not Proposal.NONE and not postmortem.incident.private:
        yield from _repository(postmortem, runbook)


def _repository(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    rules, edits, since = runbook.postmortem, postmortem.edits, postmortem.write_at
    if _write_key(edits) in postmortem.ledger.fulfilled and not postmortem.repository.unreadable:
        summary = "Propose the document in the repository"
        yield owe(PostmortemObligationKind.PROPOSE, Key("propose", edits), since, summary)
    if postmortem.repository.proposal_url and rules.proposal is Proposal.PULL_REQUEST and not postmortem.over:
        due = (postmortem.repository.read_at or since) + rules.read_back_every
        key = Key("read", postmortem.repository.reads + 1)
        yield owe(PostmortemObligationKind.READ, key, due, "Check the pull request for edits")


def _write_key(edits: int) -> Key:
    return Key("write", edits)


def _path(postmortem: Postmortem, runbook: RunbookConfig) -> str:
    folder = runbook.postmortem.folder.strip("/")
    return f"{folder}/INC-{postmortem.number}.md" if folder else f"INC-{postmortem.number}.md"


def _branch(postmortem: Postmortem) -> str:
    return f"postmortem/INC-{postmortem.number}"


def _write(postmortem: Postmortem, due: Due) -> ActivityRequest[DocumentWritten]:
    folder = evidence_folder(postmortem.incident)
    return WritePostmortem(key=due.obligation.key, folder=folder, postmortem=postmortem, runbook=due.runbook)


def _propose(postmortem: Postmortem, due: Due) -> ActivityRequest[DocumentProposed]:
    rules, incident = due.runbook.postmortem, postmortem.incident
    how = Proposal(rules.proposal)
    body = (
        f"The post-mortem of {incident.name}, owned by {github_line(postmortem.owner)}. Edit the file here or use"
        f" `incident postmortem`. Edits below the headings are merged every {in_words(rules.read_back_every)}.\n"
    )
    return ProposeDocument(
        key=due.obligation.key,
        folder=evidence_folder(incident),
        name=document_name(postmortem),
        pictures=(chart_name(postmortem),),
        how=how,
        branch=_branch(postmortem),
        base=rules.base,
        path=_path(postmortem, due.runbook),
        title=one_line(f"Post-mortem of {incident.name}: {incident.title}", 200),
        body=body,
        labels=rules.labels,
        marker=f"<!-- incident-runbook {incident.first_run_id}/postmortem -->",
        known=postmortem.repository.read_digest,
    )


def _read(postmortem: Postmortem, due: Due) -> ActivityRequest[DocumentRead]:
    every = due.runbook.postmortem.read_back_every.total_seconds()
    path, known = _path(postmortem, due.runbook), postmortem.repository.read_digest
    return WatchDocument(
        key=due.obligation.key, branch=_branch(postmortem), path=path, known=known, every_seconds=every
    )


def announcement(postmortem: Postmortem, due: Due) -> ActivityRequest | ActivityResult:
    """Return the message to the owner: in the incident's channel, or by mail without one."""
    if (channel := postmortem.incident.resources.channel_id) is None:
        return reminder_mail(postmortem, due.runbook, due.at)
    text = as_mrkdwn(reminder_text(postmortem, due.runbook, due.at))
    mentions = (postmortem.owner,)
    return chat_requests.PostMessage(key=due.obligation.key, channel_id=channel, text=text, mentions=mentions)


def _record_writing(postmortem: Postmortem) -> Postmortem:
    """Remember the document that is being written."""
    return postmortem.replace(repository=postmortem.repository.replace(writing=postmortem.document))


def _record_version(postmortem: Postmortem, due: Due, result: DocumentWritten) -> Postmortem:
    url = result.resources.evidence_url or postmortem.draft_url
    version = Version(digest=result.digest, document=postmortem.repository.writing)
    versions = (*postmortem.repository.versions, version)[-_VERSIONS:]
    figures = postmortem.figures or result.skipped is None
    repository = postmortem.repository.replace(versions=versions)
    return postmortem.replace(draft_url=url, figures=figures, repository=repository)


def _record_announcement(postmortem: Postmortem, due: Due, result: ActivityResult) -> Postmortem:
    """Remember that the owner was notified before there was a draft."""
    return postmortem if postmortem.draft_url else postmortem.replace(announced_without=postmortem.times_resolved)


def _record_proposal(postmortem: Postmortem, due: Due, result: DocumentProposed) -> Postmortem:
    """Record which version the repository shows now: edits there are based on it."""
    if result.text:
        return apply_document_edits(postmortem, result, due.runbook, due.at)
    seen = (version.document for version in reversed(postmortem.repository.versions) if version.digest == result.digest)
    repository = postmortem.repository.replace(
        proposal_url=result.reference or postmortem.repository.proposal_url,
        read_digest=result.digest or postmortem.repository.read_digest,
        seen=next(seen, postmortem.repository.seen),
    )
    return postmortem.replace(repository=repository)


def _count_reading(postmortem: Postmortem, due: Due) -> Postmortem:
    """Schedule the next poll."""
    repository = postmortem.repository.replace(reads=postmortem.repository.reads + 1, read_at=due.at)
    return postmortem.replace(repository=repository)


def _record_reading(postmortem: Postmortem, due: Due, result: DocumentRead) -> Postmortem:
    """Apply what was read."""
    return apply_document_edits(postmortem, result, due.runbook, due.at) if result.text else postmortem


_DOCUMENT = Owed(document_owed, ACTIVE)
WRITE = PostmortemSpec(
    PostmortemObligationKind.WRITE,
    _DOCUMENT,
    build_request=_write,
    apply_begun=_record_writing,
    postpones=Postpones.UNSAVED,
    apply_result=_record_version,
)
ANNOUNCE = PostmortemSpec(
    PostmortemObligationKind.ANNOUNCE, _DOCUMENT, build_request=announcement, apply_result=_record_announcement
)
PROPOSE = PostmortemSpec(
    PostmortemObligationKind.PROPOSE,
    _DOCUMENT,
    build_request=_propose,
    postpones=Postpones.UNPROPOSED,
    apply_result=_record_proposal,
    logs_itself=lambda result: bool(result.text),
)
READ = PostmortemSpec(
    PostmortemObligationKind.READ,
    _DOCUMENT,
    build_request=_read,
    poll=_count_reading,
    apply_result=_record_reading,
    housekeeping=True,
)
