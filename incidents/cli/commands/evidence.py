"""`incident evidence`: list the saved evidence and verify its checksums."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from temporalio.client import Client

from incidents.app.evidence.archive import fetch_from, store_of
from incidents.cli.finding import find
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, Number
from incidents.cli.output.views import evidence_table
from incidents.cli.runner import console, run, say
from incidents.client.asking import ask
from incidents.client.lookup import handle_of, label
from incidents.domain.core.errors import RunbookError
from incidents.domain.evidence.archive import ChunkUnreadable
from incidents.domain.evidence.archive import faults as archive_faults
from incidents.domain.evidence.manifest import (
    ManifestRef,
    checked,
    parts_of,
)
from incidents.domain.evidence.preservation import archived_parts
from incidents.domain.incident.incident import Incident
from incidents.names import INCIDENT_QUERY

app = Subcommands(no_args_is_help=True, help="List and verify an incident's evidence.")
Store = Annotated[
    str, typer.Option(help="Evidence store; default: where the incident's evidence was written", show_default=False)
]


class Altered(RunbookError):
    """Evidence is missing or does not match its manifest."""


class Unreadable(RunbookError):
    """The evidence store cannot be read, or holds nothing of the incident: that says nothing of its soundness."""


@app.command("list")
def list_evidence(number: Number, url: Store = "", as_json: Json = False) -> None:
    """List saved files, and missing sources with the reason."""

    async def work(client: Client) -> None:
        incident = await ask_incident(client, number)
        with readable(incident):
            found = read_manifests(incident, url)
        parts = [part for _, _, data in found if data is not None for part in parts_of(data)]
        listed = {part.name for part in parts}
        parts += [part for part in archived_parts(incident) if part.name not in listed]
        if as_json:
            say(json.dumps([part.model_dump(mode="json") for part in parts], indent=1))
        elif parts:
            console().print(evidence_table(parts))
        else:
            say("No evidence saved yet.")

    run(work)


@app.command()
def verify(number: Number, url: Store = "", as_json: Json = False) -> None:
    """Verify each file against its manifest, each manifest against the timeline, and the archive by its hashes."""

    async def work(client: Client) -> None:
        incident = await ask_incident(client, number)
        archive = incident.evidence.archive
        if not (incident.evidence.manifests or archive.chunks):
            raise Altered(f"{incident.name} has no evidence yet. Nothing was verified.")
        with readable(incident):
            wrong = [fault for found in read_manifests(incident, url) for fault in _faults(*found)]
            wrong += _archive_faults(incident, url)
        files = sum(ref.parts for ref in incident.evidence.manifests)
        if as_json:
            manifests = [ref.model_dump(mode="json") for ref in incident.evidence.manifests]
            say(json.dumps({"sound": not wrong, "faults": wrong, "manifests": manifests}, indent=1))
        if wrong:
            raise Altered(f"Evidence of {incident.name} failed verification: {'; '.join(wrong)}.")
        if not as_json:
            gaps = sum(ref.gaps for ref in incident.evidence.manifests)
            missing = f", {gaps} {'source' if gaps == 1 else 'sources'} missing" if gaps else ""
            moved = f", timeline archive intact ({len(archive.chunks)} parts)" if archive.chunks else ""
            say(f"Evidence OK: {files} {'file' if files == 1 else 'files'} verified{missing}{moved}")

    run(work)


async def ask_incident(client: Client, number: str) -> Incident:
    """Return the incident's current state."""
    found = await find(client, number)
    incident: Incident = await ask(handle_of(client, found), INCIDENT_QUERY, Incident, label(found))
    return incident


@contextmanager
def readable(incident: Incident) -> Iterator[None]:
    """Turn a store's error into one line: what cannot be read is not called altered (behaviour 93)."""
    from incidents.vendors.errors import VendorError

    try:
        yield
    except (VendorError, ChunkUnreadable) as error:
        raise Unreadable(f"Cannot read the evidence of {incident.name}: {error}. Nothing was verified.") from None


def read_manifests(incident: Incident, url: str) -> list[tuple[ManifestRef, Any, bytes | None]]:
    """Return each manifest with its store and its bytes (None: it is missing).

    Raises:
        Unreadable: none of them is there, so this is not the store, or it is empty.
    """
    from incidents.vendors.storage import FileStore  # fsspec is slow to import, and no other command needs it

    places = {ref.store: store_of(incident, url, ref.store) for ref in incident.evidence.manifests}
    stores = {known: FileStore(place) for known, place in places.items()}
    found = [(ref, stores[ref.store], _read(stores[ref.store], ref.path)) for ref in incident.evidence.manifests]
    if found and all(data is None for _, _, data in found):
        looked = ", ".join(dict.fromkeys(store.url for store in stores.values()))
        raise Unreadable(
            f"Cannot read the evidence of {incident.name}: no files at {looked}. Nothing was verified. If it was"
            " moved, use --url."
        )
    return found


def _archive_faults(incident: Incident, url: str) -> list[str]:
    """Return what is wrong with the archive. Its manifests have been read, if it has any."""
    fetch = fetch_from(store_of(incident, url))
    return archive_faults(incident.evidence.archive, fetch, right_store=bool(incident.evidence.manifests))


def _read(store: Any, path: str) -> bytes | None:
    from incidents.vendors.errors import VendorNotFound

    try:
        data: bytes = store.read(path)
    except VendorNotFound:
        return None
    return data


def _faults(ref: ManifestRef, store: Any, found: bytes | None) -> list[str]:
    from incidents.vendors.errors import VendorNotFound

    digests: dict[str, str | None] = {}
    if found is not None and not checked(ref, found, {part.name: part.sha256 for part in parts_of(found)}):
        for part in parts_of(found):
            try:
                digests[part.name] = store.digest(f"{ref.folder}/{part.name}")
            except VendorNotFound:
                digests[part.name] = None
    return checked(ref, found, digests)
