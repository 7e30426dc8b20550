"""The evidence store: the incident's record, written once, with a manifest by which it can be checked."""

import hashlib
import json

from temporalio import activity

from activities.errors import translated
from clients.storage import EvidenceStore
from runbook.effects import Outcome, PreserveRecord
from runbook.incident import Resources


class Evidence:
    """Preserves records under the evidence URL."""

    def __init__(self, store: EvidenceStore, url: str) -> None:
        self._store, self._url = store, url.rstrip("/")

    @activity.defn
    def preserve_record(self, record: PreserveRecord) -> Outcome:
        """Write the files and their manifest. The same again changes nothing.

        The manifest names each file with its bytes and SHA-256; its own hash goes on the timeline.
        """
        with translated():
            stored = [
                (name, self._store.write(f"{record.folder}/{name}", text.encode()))
                for name, text in record.files.items()
            ]
            rows = [{"name": name, "bytes": file.bytes, "sha256": file.sha256} for name, file in stored]
            manifest = {"key": record.key, "files": rows}
            name = f"{record.folder}/manifest-{hashlib.sha256(record.key.encode()).hexdigest()[:12]}.json"
            written = self._store.write(name, json.dumps(manifest, indent=1).encode())
        names = ", ".join(name for name, _ in stored)
        url = stored[0][1].url if len(stored) == 1 else f"{self._url}/{record.folder}"
        detail = f"{names} (manifest {written.sha256[:12]})"
        return Outcome(detail=detail, resources=Resources(evidence_url=url))
