"""The records of all incidents and post-mortems, from the evidence store and from Temporal."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from temporalio.client import Client

from incidents.client.asking import ask
from incidents.client.lookup import handle_of, is_open, label, list_incidents
from incidents.client.problems import NoAnswer, NotFound
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.errors import RunbookError
from incidents.domain.incident.incident import Incident
from incidents.domain.reporting.record import PostmortemRecord, Record, record_of
from incidents.names import INCIDENT_QUERY
from incidents.search_attributes import NUMBER


class Damaged(RunbookError):
    """A stored record cannot be read."""


async def gather(
    client: Client, runbook: RunbookConfig, url: str, at: datetime
) -> tuple[list[Record], list[PostmortemRecord], tuple[int, ...]]:
    """Return the records of all incidents and post-mortems, and the numbers of incidents without data.

    Closed incidents come from the stored records; open ones, and closed ones without a record, are queried.
    """
    records, postmortems = await asyncio.to_thread(load_records, url)
    numbers = {record.number for record in records}
    unknown = []
    for execution in await list_incidents(client, everything=True):
        number = execution.typed_search_attributes.get(NUMBER)
        if number is None or (number in numbers and not is_open(execution)):
            continue
        try:
            incident: Incident = await ask(handle_of(client, execution), INCIDENT_QUERY, Incident, label(execution))
        except (NoAnswer, NotFound):
            if number not in numbers:
                unknown.append(number)
            continue
        records = [record for record in records if record.number != number]
        records.append(record_of(incident, runbook, at))
    return records, postmortems, tuple(sorted(unknown))


def load_records(url: str) -> tuple[list[Record], list[PostmortemRecord]]:
    """Load the records that are stored beside the evidence.

    Raises:
        Damaged: a record cannot be read.
    """
    from incidents.vendors.errors import VendorError
    from incidents.vendors.storage import FileStore  # fsspec is slow to import, and few commands need it

    try:
        store = FileStore(url)
        paths = [path for path in store.list() if path.count("/") == 1]
        records = _read(store, (path for path in paths if path.endswith("/record.json")), Record)
        postmortems = _read(store, (path for path in paths if path.endswith("/postmortem.json")), PostmortemRecord)
    except VendorError as error:
        raise Damaged(f"The records of closed incidents cannot be read: {error}. Nothing was changed.") from None
    return records, postmortems


def _read(store: Any, paths: Iterable[str], kind: Any) -> list[Any]:
    found = []
    for path in paths:
        try:
            found.append(kind.model_validate_json(store.read(path)))
        except ValueError as error:
            first = str(error).splitlines()[0]
            raise Damaged(f"{store.url_of(path)} is damaged ({first}). Repair it or move it away.") from None
    return found
