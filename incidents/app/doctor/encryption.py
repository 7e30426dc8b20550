"""Checks whether this process and the workers can read each other's payloads."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.api.errordetails.v1 import QueryFailedFailure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistoryEventFilterType, WorkflowQueryFailedError
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError

from incidents.app.doctor.checks import Check
from incidents.app.encryption.codec import is_encrypted, key_id_of
from incidents.app.encryption.key_ring import KeyRing
from incidents.app.encryption.payloads import payloads_in
from incidents.client.failures import message_of
from incidents.client.problems import Undecryptable
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.doctor import encryption as rules
from incidents.domain.doctor.encryption import KeyReading
from incidents.domain.doctor.finding import Finding
from incidents.names import FIND_NUMBER_QUERY, NUMBERS_ID

_RPC = timedelta(seconds=4)
_EVENTS = 200
_RUNS = 3
_BY_WORKERS = (
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
)
_KEY_WORDS = ("PAYLOAD_KEYS", "is encrypted with the key", "is not what the key")


def encryption_check(client: Callable[[], Awaitable[Client]], ring: KeyRing) -> Check:
    """Return the check. `client`: returns the connected client, with the ring's codec."""

    async def run() -> AsyncIterator[Finding]:
        yield rules.check_keys(await _read_keys(await client(), ring))

    return Check(rules.ENCRYPTION, run)


async def _read_keys(client: Client, ring: KeyRing) -> KeyReading:
    reading = KeyReading(key=ring.keys[0].id if ring else "")
    async for event in _written_by_workers(client):
        for payload in payloads_in(event):
            if reading.worker_key is None:
                reading = reading.replace(worker_key=key_id_of(payload) if is_encrypted(payload) else "")
            try:
                await _codec(client).decode([payload])
            except Undecryptable as problem:
                return reading.replace(unreadable=_said(str(problem)))
            reading = reading.replace(read=reading.read + 1)
    try:
        answered, refusal = await _ask_worker(client)
    except Undecryptable as problem:
        return reading.replace(unreadable=_said(str(problem)))
    return reading.replace(answered=answered, refusal=refusal)


def _said(problem: str) -> str:
    """Return the first sentence of why a payload cannot be decrypted."""
    return one_line(problem.partition(" Nothing is lost")[0].rstrip("."), 200)


def _codec(client: Client) -> PayloadCodec:
    codec = client.data_converter.payload_codec
    assert codec is not None  # `connect` gives every client one
    return codec


async def _written_by_workers(client: Client) -> AsyncIterator[HistoryEvent]:
    """Yield events of the newest runs that workers have written, the first ones of each."""
    async for run in client.list_workflows(limit=_RUNS, rpc_timeout=_RPC):
        handle = client.get_workflow_handle(run.id, run_id=run.run_id)
        events = handle.fetch_history_events(
            page_size=_EVENTS, event_filter_type=WorkflowHistoryEventFilterType.ALL_EVENT, rpc_timeout=_RPC
        )
        number = 0
        async for event in events:
            number += 1
            if event.event_type in _BY_WORKERS:
                yield event
            if number >= _EVENTS:
                break


async def _ask_worker(client: Client) -> tuple[bool | None, str]:
    """Ask the number counter by an argument that this process encrypts: a worker must decrypt it to answer.

    Return whether one did, and why not; None if there is no counter, or nobody answered at all.

    Raises:
        Undecryptable: one did, and this process cannot read it.
    """
    counter = client.get_workflow_handle(NUMBERS_ID)
    try:
        await counter.query(FIND_NUMBER_QUERY, 0, rpc_timeout=_RPC)
    except WorkflowQueryFailedError as error:
        message = await _message_of(client, error)
        return (False, _said(message)) if any(words in message for words in _KEY_WORDS) else (None, "")
    except RPCError:
        return None, ""
    return True, ""


async def _message_of(client: Client, error: WorkflowQueryFailedError) -> str:
    """Return why a query failed. A worker with keys encrypts that, too, and the SDK's error does not decrypt it."""
    status = error.__context__.grpc_status if isinstance(error.__context__, RPCError) else None
    for detail in status.details if status else ():
        failed = QueryFailedFailure()
        if detail.Unpack(failed):
            return await message_of(client, failed.failure)
    return error.message
