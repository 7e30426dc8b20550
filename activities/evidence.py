"""The evidence store: what each source tells of the incident's time, written once, with a manifest to check it by."""

import hashlib
from collections.abc import Callable, Iterator, Mapping

from temporalio import activity

from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import ActivityResult, KeepDocument
from incidents.domain.evidence.manifest import (
    EvidenceSource,
    ManifestRef,
    Part,
    manifest,
)
from incidents.domain.incident.parts import Resources
from incidents.domain.rollback.activity_requests import CaptureEvidence, WriteManifest
from incidents.vendors.storage import FileStore

Source = Callable[[CaptureEvidence], Iterator[bytes]]
"""Reads a source, piece by piece. What is wrong with it is a `VendorError`."""


class NothingThere(Exception):
    """A source has nothing for this incident, such as a chat that has no channel."""


class Evidence:
    """Preserves evidence under the evidence URL. `off`: why a source is not asked."""

    def __init__(
        self,
        store: FileStore,
        url: str,
        sources: Mapping[EvidenceSource, Source],
        off: Mapping[EvidenceSource, str],
    ) -> None:
        self._store, self._url = store, url.rstrip("/")
        self._sources, self._off = sources, off

    @activity.defn
    def capture_evidence(self, request: CaptureEvidence) -> Part:
        """Write one file of evidence as it streams in. A source that is off leaves a gap that says so."""
        item, scope = request.item, request.scope
        part = Part(name=item.name, source=item.source, query=item.query, since=scope.since, until=scope.until)
        source = _own_text if item.source is EvidenceSource.RUNBOOK else self._sources.get(item.source)
        if source is None:
            return part.replace(gap=self._off.get(item.source, "there is no such source"))
        try:
            with translate_vendor_errors():
                written = self._store.write_stream(f"{request.folder}/{item.name}", source(request))
        except NothingThere as nothing:
            return part.replace(gap=str(nothing))
        return part.replace(bytes=written.bytes, sha256=written.sha256)

    @activity.defn
    def write_manifest(self, request: WriteManifest) -> ActivityResult:
        """Write the manifest: each file with its source, query, time range, bytes and SHA-256, and each gap.

        The same again writes the same bytes. Its own hash is for the timeline.
        """
        data = manifest(request.incident, request.phase, request.parts)
        path = f"{request.folder}/{request.phase}/manifest.json"
        with translate_vendor_errors():
            self._store.write(path, data)
        digest, gaps = hashlib.sha256(data).hexdigest(), [part for part in request.parts if part.gap]
        kept = len(request.parts) - len(gaps)
        detail = f"{kept} files, manifest SHA-256 {digest}" + "".join(f"; no {p.name}: {p.gap}" for p in gaps)
        ref = ManifestRef(path=path, sha256=digest, parts=kept, gaps=len(gaps))
        return ActivityResult(
            detail=detail, manifest=ref, resources=Resources(evidence_url=f"{self._url}/{request.folder}")
        )

    @activity.defn
    def keep_document(self, request: KeepDocument) -> ActivityResult:
        """Write a document that people will edit. The same again changes nothing."""
        with translate_vendor_errors():
            written = self._store.write(f"{request.folder}/{request.name}", request.text.encode())
        return ActivityResult(detail=request.name, resources=Resources(evidence_url=written.url))


def _own_text(request: CaptureEvidence) -> Iterator[bytes]:
    yield request.item.text.encode()
