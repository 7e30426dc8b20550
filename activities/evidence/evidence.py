"""The evidence store: data of each source for the incident's time span, with a manifest to verify it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping

from temporalio import activity

from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import KeepDocument
from incidents.domain.activity_results import EvidencePreserved, ResourcesChanged
from incidents.domain.evidence.manifest import (
    EvidenceSource,
    ManifestRef,
    Part,
    manifest,
)
from incidents.domain.incident.state import Resources
from incidents.domain.rollback.activity_requests import CaptureEvidence, WriteManifest
from incidents.vendors.storage import FileStore

Source = Callable[[CaptureEvidence], Iterator[bytes]]
"""Reads a source in chunks. Errors are `VendorError`s."""


class NoEvidence(Exception):
    """A source has no data for this incident, such as Slack without a channel."""


class Evidence:
    """Saves evidence in its store. `off`: why a source is not configured."""

    def __init__(
        self,
        store: FileStore,
        sources: Mapping[EvidenceSource, Source],
        off: Mapping[EvidenceSource, str],
    ) -> None:
        self._store = store
        self._sources, self._off = sources, off

    @activity.defn
    def capture_evidence(self, request: CaptureEvidence) -> Part:
        """Stream one file of evidence to the store. A source that is off becomes a gap with the reason."""
        item, scope = request.item, request.scope
        part = Part(name=item.name, source=item.source, query=item.query, since=scope.since, until=scope.until)
        source = _item_text if item.source is EvidenceSource.RUNBOOK else self._sources.get(item.source)
        if source is None:
            return part.replace(gap=self._off.get(item.source, "no such source"))
        try:
            with translate_vendor_errors():
                written = self._store.write_stream(f"{request.folder}/{item.name}", source(request))
        except NoEvidence as reason:
            return part.replace(gap=str(reason))
        return part.replace(bytes=written.bytes, sha256=written.sha256)

    @activity.defn
    def write_manifest(self, request: WriteManifest) -> EvidencePreserved:
        """Write the manifest: each file with its source, query, time range, bytes and SHA-256, and each gap.

        Idempotent: the same parts give the same bytes. The incident keeps the manifest's hash.
        """
        data = manifest(request.incident, request.phase, request.parts, request.timeline)
        path = f"{request.folder}/{request.phase}/manifest.json"
        with translate_vendor_errors():
            self._store.write(path, data)
        digest, gaps = hashlib.sha256(data).hexdigest(), [part for part in request.parts if part.gap]
        kept = len(request.parts) - len(gaps)
        missing = ", ".join(dict.fromkeys(part.gap.partition(" (")[0] for part in gaps))
        files = f"{kept} {'file' if kept == 1 else 'files'}"
        detail = f"{files} ({missing})" if gaps else files
        ref = ManifestRef(path=path, sha256=digest, parts=kept, gaps=len(gaps), store=self._store.url)
        return EvidencePreserved(
            detail=detail, manifest=ref, resources=Resources(evidence_url=self._store.url_of(request.folder))
        )

    @activity.defn
    def keep_document(self, request: KeepDocument) -> ResourcesChanged:
        """Write a document. Idempotent."""
        with translate_vendor_errors():
            written = self._store.write(f"{request.folder}/{request.name}", request.text.encode())
        return ResourcesChanged(detail=request.name, resources=Resources(evidence_url=written.url))


def _item_text(request: CaptureEvidence) -> Iterator[bytes]:
    yield request.item.text.encode()
