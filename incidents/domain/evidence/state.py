"""What an incident remembers of its evidence."""

from incidents.domain.core.base import Frozen
from incidents.domain.evidence.archive import Archive
from incidents.domain.evidence.manifest import ManifestRef


class EvidenceState(Frozen):
    """The manifests of the evidence saved, the oldest first, and the archive of what the incident need not carry."""

    manifests: tuple[ManifestRef, ...] = ()
    archive: Archive = Archive()
