"""`incident evidence`: list the saved evidence and verify its checksums."""

import json
from typing import Annotated, Any

import typer
from temporalio.client import Client

from incidents.app.settings import load_settings
from incidents.cli.options import PLAIN, Json, Number
from incidents.cli.runner import console, run, say
from incidents.cli.views import evidence_table
from incidents.client.lookup import (
    ask,
    find,
    handle_of,
    label,
)
from incidents.contracts import INCIDENT_QUERY
from incidents.domain.core.base import RunbookError
from incidents.domain.evidence.manifest import (
    ManifestRef,
    Part,
    checked,
    parts_of,
)
from incidents.domain.incident.incident import Incident

app = typer.Typer(**PLAIN, no_args_is_help=True, help="List and verify an incident's evidence.")
Store = Annotated[str, typer.Option(help="Evidence store; default: EVIDENCE_URL", show_default=False)]


class Altered(RunbookError):
    """Evidence is missing or does not match its manifest."""


@app.command("list")
def list_evidence(number: Number, url: Store = "", as_json: Json = False) -> None:
    """List saved files, and missing sources with the reason."""

    async def work(client: Client) -> None:
        incident, store = await _open(client, number, url)
        parts = [part for ref in incident.manifests for part in _parts(store, ref)]
        if as_json:
            say(json.dumps([part.model_dump(mode="json") for part in parts], indent=1))
        elif parts:
            console().print(evidence_table(parts))
        else:
            say("No evidence saved yet.")

    run(work)


@app.command()
def verify(number: Number, url: Store = "", as_json: Json = False) -> None:
    """Verify each file against its manifest, and each manifest against the timeline."""

    async def work(client: Client) -> None:
        incident, store = await _open(client, number, url)
        if not incident.manifests:
            raise Altered(f"{incident.name} has no evidence yet. Nothing was verified.")
        wrong = [fault for ref in incident.manifests for fault in _faults(store, ref)]
        files = sum(ref.parts for ref in incident.manifests)
        if as_json:
            manifests = [ref.model_dump(mode="json") for ref in incident.manifests]
            say(json.dumps({"sound": not wrong, "faults": wrong, "manifests": manifests}, indent=1))
        if wrong:
            raise Altered(f"Evidence of {incident.name} failed verification: {'; '.join(wrong)}.")
        if not as_json:
            gaps = sum(ref.gaps for ref in incident.manifests)
            missing = f", {gaps} {'source' if gaps == 1 else 'sources'} missing" if gaps else ""
            say(f"Evidence OK: {files} {'file' if files == 1 else 'files'} verified{missing}")

    run(work)


async def _open(client: Client, number: str, url: str) -> tuple[Incident, Any]:
    from incidents.vendors.storage import FileStore  # fsspec is slow to import, and no other command needs it

    found = await find(client, number)
    incident: Incident = await ask(handle_of(client, found), INCIDENT_QUERY, Incident, label(found))
    return incident, FileStore(url or load_settings().evidence_url)


def _read(store: Any, path: str) -> bytes | None:
    from incidents.vendors.errors import VendorNotFound

    try:
        data: bytes = store.read(path)
    except VendorNotFound:
        return None
    return data


def _parts(store: Any, ref: ManifestRef) -> tuple[Part, ...]:
    found = _read(store, ref.path)
    return parts_of(found) if found is not None else ()


def _faults(store: Any, ref: ManifestRef) -> list[str]:
    from incidents.vendors.errors import VendorNotFound

    found = _read(store, ref.path)
    digests: dict[str, str | None] = {}
    if found is not None and not checked(ref, found, {part.name: part.sha256 for part in _parts(store, ref)}):
        for part in parts_of(found):
            try:
                digests[part.name] = store.digest(f"{ref.folder}/{part.name}")
            except VendorNotFound:
                digests[part.name] = None
    return checked(ref, found, digests)
