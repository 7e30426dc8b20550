"""An evidence store whose disk is full for a while."""

from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from activities.evidence.evidence import Evidence
from activities.postmortems import Postmortems
from incidents.domain.evidence.manifest import EvidenceSource
from incidents.vendors.storage import FileStore


class FullDisk(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system on which nothing can be written while it is `full`."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.full = False

    def _open(self, path: str, mode: str = "rb", **more: Any) -> Any:
        if self.full and "r" not in mode:
            raise OSError(28, "No space left on device")
        return super()._open(path, mode=mode, **more)


def store_on(disk: FullDisk, folder: Path) -> FileStore:
    """Return a store below that folder, on that disk."""
    store = FileStore(folder.as_uri())
    store._fs = disk
    return store


def activities_on(store: FileStore) -> dict[str, Any]:
    """Return the real activities that write to the store, by name; no source but the incident itself is configured."""
    off = dict.fromkeys(EvidenceSource, "not configured")
    evidence = Evidence(store, {}, off)
    postmortems = Postmortems(store, None, None, "no repository")
    found = (evidence.capture_evidence, evidence.write_manifest, evidence.keep_document, postmortems.write_postmortem)
    return {method.__name__: method for method in found}
