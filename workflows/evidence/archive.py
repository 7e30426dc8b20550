"""Moving what an incident need not carry to the evidence store, before its run ends by continue-as-new.

The rules are in `incidents.domain.archiving`. If the store is away, nothing moves and nothing is lost: the entries stay
in the state, and the next run tries again.
"""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from incidents.domain.activity_requests import KeepDocument
from incidents.domain.archiving import apply_chunk, archiving_failed, next_chunk
from incidents.domain.evidence.archive import Chunk, ChunkRef
from incidents.domain.evidence.preservation import evidence_folder
from incidents.domain.incident.incident import Incident
from incidents.priority import LAST_RANK
from workflows.activity_failures import why
from workflows.activity_options import perform
from workflows.obligation_loop import raise_if_of_the_sdk

_RETRY_FOR = timedelta(seconds=30)
"""For one chunk. The incident goes on meanwhile, but its history grows."""
_MOST_CHUNKS = 3
"""At the end of one run; what is left after an outage of the store moves with the next ones."""

_ENTRIES_ARE_HASHED = "entry-hashes"
"""Patch: runs that were archived before have written files without the hash of each entry."""

Read = Callable[[], Incident]
Change = Callable[[Callable[[Incident], Incident]], None]
"""Changes the incident's state by a pure function."""


def archiving(read: Read, change: Change) -> Coroutine[Any, Any, None] | None:
    """Return the work of moving what the incident need not carry; None if there is too little of it. Never raises."""
    try:
        chunk = _next(read())
    except Exception as error:
        raise_if_of_the_sdk(error)
        workflow.logger.exception("cannot determine what to archive; the incident keeps it")
        return None
    return _archive(chunk, read, change) if chunk is not None else None


async def _archive(chunk: Chunk | None, read: Read, change: Change) -> None:
    for _ in range(_MOST_CHUNKS):
        if chunk is None:
            return
        ref = chunk.ref(evidence_folder(read()), workflow.now())
        try:
            await _write(chunk, ref, read().first_run_id)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            change(partial(archiving_failed, reason=why(error), at=workflow.now()))
            return
        change(partial(apply_chunk, chunk=chunk, ref=ref))
        chunk = _next(read())


def _next(incident: Incident) -> Chunk | None:
    return next_chunk(incident, hashed=workflow.patched(_ENTRIES_ARE_HASHED))


async def _write(chunk: Chunk, ref: ChunkRef, first_run_id: str) -> None:
    folder, _, name = ref.path.partition("/")
    request = KeepDocument(key=f"{first_run_id}/{ref.path}", folder=folder, name=name, text=chunk.text)
    await perform(request, f"Move older entries to the archive ({ref.path})", LAST_RANK, _RETRY_FOR)
