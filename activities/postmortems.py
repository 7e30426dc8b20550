"""Post-mortem documents: write the Markdown file and chart from the evidence, and propose them in the repository."""

from datetime import datetime

from temporalio import activity

from activities import ports
from activities.errors import build_unchanged_error, translate_vendor_errors
from incidents.domain.activity_results import DocumentProposed, DocumentRead, DocumentWritten
from incidents.domain.config.model import RunbookConfig
from incidents.domain.evidence.archive import ChunkUnreadable
from incidents.domain.evidence.manifest import ManifestRef, Part, parts_of
from incidents.domain.evidence.preservation import with_archived
from incidents.domain.incident.display.summary import impact
from incidents.domain.incident.state import Resources
from incidents.domain.postmortem.activity_requests import ProposeDocument, WatchDocument, WritePostmortem
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.current_details import due_text
from incidents.domain.postmortem.document.blameless import find_blame
from incidents.domain.postmortem.document.markdown import Page, render
from incidents.domain.postmortem.document.reconstructed_timeline import TimelineRow, reconstruct_timeline, series
from incidents.domain.postmortem.figures.charts import over_time
from incidents.domain.postmortem.figures.impact import Outage, Series, figures
from incidents.domain.postmortem.obligations.document import chart_name, document_name
from incidents.domain.postmortem.postmortem import Postmortem, Stage
from incidents.domain.reporting.record import Record
from incidents.vendors.errors import VendorNotFound
from incidents.vendors.github.files import GitHubFiles, RepoFile
from incidents.vendors.storage import FileStore

_LARGEST = 20_000_000
"""Largest evidence file in bytes that is read for the draft; a larger one is listed as missing."""


class Postmortems:
    """Writes the document to the evidence store, and proposes it in the repository if configured."""

    def __init__(
        self, store: FileStore, repository: GitHubFiles | None, tracker: ports.IssueTracker | None, off: str
    ) -> None:
        self._store, self._repository, self._tracker, self._off = store, repository, tracker, off

    @activity.defn
    def write_postmortem(self, request: WritePostmortem) -> DocumentWritten:
        """Write the document and its chart. Idempotent."""
        runbook = request.runbook
        with translate_vendor_errors():
            incident = with_archived(request.postmortem.incident, self._archived)
            postmortem = request.postmortem.replace(incident=incident)
            files, gaps = self._evidence(postmortem)
            lines = series(files, runbook.investigation.metrics)
            rows = reconstruct_timeline(postmortem.incident, files)
            chart = self._chart(request, lines, rows)
            others, unread = self._others(postmortem)
            text = render(_page(postmortem, runbook, lines, rows, (*gaps, *unread), chart, others))
            written = self._store.write(f"{request.folder}/{document_name(postmortem)}", text.encode())
        detail = f"{document_name(postmortem)}, {len(rows)} timeline rows"
        return DocumentWritten(detail=detail, digest=written.sha256, resources=Resources(evidence_url=written.url))

    def _archived(self, path: str) -> bytes:
        """Read a chunk of the archive. A store that is away fails the attempt; a chunk that is gone is a gap."""
        try:
            return self._store.read(path)
        except VendorNotFound as error:
            raise ChunkUnreadable(str(error)) from None

    def _evidence(self, postmortem: Postmortem) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """Return the evidence files of the latest resolution, and what is missing."""
        refs = [ref for ref in postmortem.incident.evidence.manifests if "/resolution-" in ref.path]
        if not refs:
            return {}, ("no evidence was saved at resolution",)
        files, gaps = {}, []
        for part in self._parts(refs[-1]):
            if part.gap or part.bytes > _LARGEST:
                gaps.append(f"{part.name}: {part.gap or 'too large for the draft'}")
                continue
            try:
                files[part.name] = self._store.read(f"{refs[-1].folder}/{part.name}")
            except VendorNotFound:
                gaps.append(f"{part.name}: deleted from the evidence store")
        return files, tuple(gaps)

    def _parts(self, ref: ManifestRef) -> tuple[Part, ...]:
        try:
            return parts_of(self._store.read(ref.path))
        except (VendorNotFound, ValueError, KeyError):  # `incident evidence verify` reports the fault
            return ()

    def _chart(self, request: WritePostmortem, lines: tuple[Series, ...], rows: tuple[TimelineRow, ...]) -> str:
        """Write the chart and return its file name; "" without metrics."""
        if not any(line.points for line in lines):
            return ""
        incident = request.postmortem.incident
        marks: list[tuple[str, datetime]] = [
            (m.what.partition(" deployed")[0], m.at) for m in rows if m.source == "deployments"
        ][-3:]
        marks += [("mitigated", incident.mitigated_at)] if incident.mitigated_at else []
        marks += [("resolved", incident.resolved_at)] if incident.resolved_at else []
        svg = over_time(f"{incident.name}: errors and latency (UTC)", lines, marks)
        name = chart_name(request.postmortem)
        self._store.write(f"{request.folder}/{name}", svg.encode())
        return name

    def _others(self, postmortem: Postmortem) -> tuple[list[Outage], list[str]]:
        """Return the outages of all other incidents with a record, and the damaged records."""
        found: list[Outage] = []
        unread: list[str] = []
        for path in self._store.list():
            if not path.endswith("/record.json") or path.count("/") != 1:
                continue
            try:
                record = Record.model_validate_json(self._store.read(path))
            except ValueError:
                unread.append(f"{path}: damaged record, not counted in the month's downtime")
                continue
            if record.counts and record.first_run_id != postmortem.incident.first_run_id:
                found += record.outages
        return found, unread

    # --- the repository -----------------------------------------------------------------------------------------------

    @activity.defn
    def propose_document(self, request: ProposeDocument) -> DocumentProposed:
        """Propose the document in the repository. If people edited it there since, return their version instead."""
        with translate_vendor_errors():
            data = self._store.read(f"{request.folder}/{request.name}")
            if request.how is Proposal.ISSUE:
                return self._as_issue(request, data)
            if self._repository is None:
                return DocumentProposed(skipped=self._off)
            return self._as_pull_request(self._repository, request, data)

    def _as_issue(self, request: ProposeDocument, data: bytes) -> DocumentProposed:
        if self._tracker is None:
            return DocumentProposed(skipped=self._off)
        found = self._tracker.find_issue(request.marker, request.labels[0]) if request.labels else None
        text = f"{request.body}\n{data.decode()}\n\n{request.marker}"
        issue = found or self._tracker.create_issue(request.title, text, request.labels)
        if found is not None:
            self._tracker.edit_issue(found.number, text)
        return DocumentProposed(detail=issue.url, reference=issue.url)

    def _as_pull_request(self, repository: GitHubFiles, request: ProposeDocument, data: bytes) -> DocumentProposed:
        repository.ensure_branch(request.branch, request.base)
        there = repository.get_file(request.path, request.branch)
        mine = RepoFile(data, "")
        if there is not None and request.known and there.digest not in (request.known, mine.digest):
            return DocumentProposed(text=_text(there), digest=there.digest)
        if there is None or there.digest != mine.digest:
            repository.put_file(request.path, request.branch, request.title, data, there.sha if there else "")
        self._put_pictures(repository, request)
        url = repository.find_pull(request.branch)
        url = url or repository.create_pull(request.title, request.body, request.branch, request.base, request.labels)
        return DocumentProposed(detail=url, reference=url, digest=mine.digest)

    def _put_pictures(self, repository: GitHubFiles, request: ProposeDocument) -> None:
        folder = request.path.rpartition("/")[0]
        for name in request.pictures:
            if not self._store.exists(f"{request.folder}/{name}"):
                continue
            data, path = self._store.read(f"{request.folder}/{name}"), f"{folder}/{name}".lstrip("/")
            there = repository.get_file(path, request.branch)
            if there is None or there.data != data:
                repository.put_file(path, request.branch, f"{request.title}: {name}", data, there.sha if there else "")

    @activity.defn
    def watch_document(self, request: WatchDocument) -> DocumentRead:
        """Wait until the file was edited. Temporal waits between polls; no thread sleeps."""
        if self._repository is None:
            return DocumentRead(skipped=self._off)
        with translate_vendor_errors():
            there = self._repository.get_file(request.path, request.branch)
        if there is None or there.digest == request.known:
            raise build_unchanged_error("no edits in the file", request.every_seconds)
        return DocumentRead(text=_text(there), digest=there.digest)


def _text(there: RepoFile) -> str:
    return there.data.decode("utf-8", "replace")


def _page(
    postmortem: Postmortem,
    runbook: RunbookConfig,
    lines: tuple[Series, ...],
    rows: tuple[TimelineRow, ...],
    gaps: tuple[str, ...],
    chart: str,
    others: list[Outage],
) -> Page:
    incident = postmortem.incident
    return Page(
        incident=incident,
        document=postmortem.document,
        owner=postmortem.owner,
        due=due_text(postmortem, runbook),
        standing=_standing(postmortem),
        impact=str(impact(incident, runbook)),
        figures=figures(incident, runbook, lines, others),
        rows=rows,
        gaps=gaps,
        chart=chart,
        blames=find_blame(postmortem.document, runbook.postmortem.blaming),
        review=_review(postmortem, runbook),
    )


def _standing(postmortem: Postmortem) -> str:
    if postmortem.stage in (Stage.PUBLISHED, Stage.COMPLETED) and postmortem.published_at:
        return f"Published {postmortem.published_at:%Y-%m-%d %H:%M} UTC."
    return "Started before resolution." if postmortem.stage is Stage.STARTED else "Draft."


def _review(postmortem: Postmortem, runbook: RunbookConfig) -> str:
    if postmortem.review.reviewed_at is not None:
        return f"Reviewed on {postmortem.review.reviewed_at:%Y-%m-%d}: {' '.join(postmortem.review.outcome.split())}"
    if postmortem.review.at is not None:
        return f"At the engineering all-hands, {runbook.calendar.in_brackets(postmortem.review.at)}."
    return "At the next engineering all-hands after publication."
