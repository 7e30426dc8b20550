"""Read whole timelines: their older entries may have moved to the evidence store."""

from typing import Any

from temporalio.client import WorkflowHandle

from incidents.app.setting_types import without_login
from incidents.app.settings import load_settings
from incidents.client.asking import ask
from incidents.domain.core.timeline import Entry
from incidents.domain.evidence.archive import ChunkMissing, ChunkUnreadable, Fetch, archived_updates
from incidents.domain.evidence.preservation import with_archived
from incidents.domain.incident.display.timeline_filter import public_entries
from incidents.domain.incident.incident import Incident
from incidents.names import INCIDENT_QUERY, TIMELINE_QUERY


def complete(incident: Incident) -> Incident:
    """Return the incident with its whole timeline; a line stands in for entries that cannot be read from here."""
    return with_archived(incident, fetch_from(store_of(incident))) if _is_archived(incident) else incident


async def timeline_after(handle: WorkflowHandle[Any, Any], name: str, known: int = 0) -> tuple[Entry, ...]:
    """Return the entries of a run's timeline after the one of that number. `name`: the run's label for errors."""
    entries: tuple[Entry, ...] = await ask(handle, TIMELINE_QUERY, tuple[Entry, ...], name)
    if entries and entries[0].sequence > known + 1:
        incident: Incident = await ask(handle, INCIDENT_QUERY, Incident, name)
        entries = complete(incident).timeline
    return tuple(entry for entry in entries if entry.sequence > known)


async def public_timeline(handle: WorkflowHandle[Any, Any], name: str, known: int = 0) -> tuple[Entry, ...]:
    """Return what customers read, an entry for each status update after that number. `name`: for errors."""
    incident: Incident = await ask(handle, INCIDENT_QUERY, Incident, name)
    entries = all_public_entries(incident) if known == 0 else public_entries(incident.updates.published)
    return tuple(entry for entry in entries if known == 0 or entry.sequence > known)


def all_public_entries(incident: Incident) -> tuple[Entry, ...]:
    """Return what customers read from the beginning; a line stands in for what cannot be read from here."""
    if not _is_archived(incident):
        return public_entries(incident.updates.published)
    older, gaps = archived_updates(incident.evidence.archive, fetch_from(store_of(incident)))
    return (*gaps, *public_entries((*older, *incident.updates.published)))


def store_of(incident: Incident, url: str = "", written: str = "") -> str:
    """Return where evidence of an incident is: where a person says, else where it was written, else by the settings.

    The settings' address of the same store is preferred: it may hold the login.

    Args:
        incident: a drill has a store of its own.
        url: what the person says; "" if nothing.
        written: the store that the evidence itself names; "" if it names none, as the archive.
    """
    settings = load_settings()
    own = settings.drill_evidence_url if incident.drill else settings.evidence_url
    written = written or next((ref.store for ref in reversed(incident.evidence.manifests) if ref.store), "")
    if url or not written:
        return url or own
    return own if without_login(own).rstrip("/") == written else written


def fetch_from(url: str) -> Fetch:
    """Return what reads files below that evidence URL."""

    def fetch(path: str) -> bytes:
        from incidents.vendors.errors import VendorError, VendorNotFound
        from incidents.vendors.storage import FileStore  # fsspec is slow to import, and few timelines need it

        try:
            return FileStore(url).read(path)
        except VendorNotFound as error:
            raise ChunkMissing(f"{error} (evidence at {without_login(url)})") from None
        except VendorError as error:
            raise ChunkUnreadable(f"{error} (evidence at {without_login(url)})") from None

    return fetch


def _is_archived(incident: Incident) -> bool:
    return bool(incident.evidence.archive.chunks)
