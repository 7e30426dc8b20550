"""The codec: what is encrypted, what is authenticated, and what is said of a key that is missing."""

import dataclasses
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError

from incidents.app.encryption.codec import EncryptionCodec, is_encrypted, key_id_of, workflow_id_of
from incidents.app.encryption.converter import encrypting
from incidents.app.encryption.key_ring import NO_KEYS, KeyRing, PayloadKey
from incidents.client.problems import Undecryptable

OLD, NEW = PayloadKey("2026-06", b"o" * 32), PayloadKey("2026-11", b"n" * 32)
RING = KeyRing((NEW, OLD))
CANARY = "payments are down"
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=CANARY.encode())
IN_ACTIVITY = ActivitySerializationContext("default", "1", "send_page", "incidents", "incident-7", "Incident", False)


async def sealed(ring: KeyRing = RING, workflow_id: str = "") -> Payload:
    [payload] = await EncryptionCodec(ring, workflow_id).encode([PLAIN])
    return payload


async def opened(payload: Payload, *keys: PayloadKey) -> Payload:
    [found] = await EncryptionCodec(KeyRing(keys)).decode([payload])
    return found


async def test_the_first_key_encrypts_and_each_key_decrypts() -> None:
    payload = await sealed()
    assert is_encrypted(payload)
    assert key_id_of(payload) == "2026-11"
    assert CANARY.encode() not in payload.SerializeToString()
    assert b"json/plain" not in payload.SerializeToString(), "nor is its encoding shown"
    assert await opened(payload, NEW) == PLAIN
    assert await opened(await sealed(KeyRing((OLD,))), NEW, OLD) == PLAIN


LONG = Payload(metadata={"encoding": b"json/plain"}, data=b'{"name": "flag-evaluation"}' * 100)


async def test_what_gets_shorter_is_compressed_and_what_does_not_is_not() -> None:
    [long] = await EncryptionCodec(RING).encode([LONG])
    assert long.metadata["compression"] == b"zlib"
    assert long.ByteSize() < LONG.ByteSize() / 5
    assert await opened(long, NEW) == LONG
    assert "compression" not in (await sealed()).metadata


async def test_that_it_is_compressed_is_authenticated() -> None:
    [long] = await EncryptionCodec(RING).encode([LONG])
    del long.metadata["compression"]
    short = await sealed()
    short.metadata["compression"] = b"zlib"
    for changed in (long, short):
        with pytest.raises(Undecryptable, match="or the payload was changed"):
            await opened(changed, NEW)


async def test_the_same_payload_is_never_encrypted_to_the_same_text() -> None:
    assert (await sealed()).data != (await sealed()).data


async def test_what_is_in_clear_text_or_encrypted_already_is_left_as_it_is() -> None:
    assert await opened(PLAIN, NEW) == PLAIN
    codec, twice = EncryptionCodec(RING), await sealed()
    assert await codec.encode([twice]) == [twice]
    assert await EncryptionCodec(NO_KEYS).encode([PLAIN]) == [PLAIN]


@pytest.mark.parametrize("keys", [(), (OLD,)])
async def test_a_missing_key_is_named(keys: tuple[PayloadKey, ...]) -> None:
    with pytest.raises(Undecryptable, match=r"encrypted with the key 2026-11, which PAYLOAD_KEYS .* lacks") as raised:
        await opened(await sealed(), *keys)
    assert "Nothing is lost" in str(raised.value)
    assert "\n" not in str(raised.value)


CHANGES: dict[str, dict[str, Any]] = {
    "another key of that id": {},
    "other data": {"data": b"x" * 64},
    "too short": {"data": b"x"},
    "another workflow": {"metadata": {"workflow-id": b"incident-8"}},
    "no workflow": {"metadata": {"workflow-id": b""}},
    "another key": {"metadata": {"encryption-key-id": b"2026-06"}},
    "another cipher": {"metadata": {"encryption-cipher": b"none"}},
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_payload_is_refused(change: str) -> None:
    payload, changed = await sealed(workflow_id="incident-7"), CHANGES[change]
    payload.data = changed.get("data", payload.data)
    for name, value in changed.get("metadata", {}).items():
        payload.metadata[name] = value
    key = dataclasses.replace(NEW, secret=b"x" * 32) if not changed else NEW
    with pytest.raises(Undecryptable, match="is not what the key"):
        await opened(payload, key, OLD)


@pytest.mark.parametrize("context", [WorkflowSerializationContext("default", "incident-7"), IN_ACTIVITY])
async def test_a_payload_names_its_workflow(context: Any) -> None:
    converter = encrypting(pydantic_data_converter, RING).with_context(context)
    [payload] = await converter.encode([CANARY])
    assert workflow_id_of(payload) == "incident-7"
    assert await encrypting(pydantic_data_converter, RING).decode([payload]) == [CANARY], "any client reads it"


async def test_messages_and_stack_traces_of_failures_are_encrypted() -> None:
    converter, failure = encrypting(pydantic_data_converter, RING), Failure()
    error = ApplicationError(CANARY, {"detail": CANARY}, type="vendor_down")
    error.__cause__ = ValueError(CANARY)
    await converter.encode_failure(error, failure)
    assert CANARY.encode() not in failure.SerializeToString()
    assert failure.application_failure_info.type == "vendor_down", "its type stays readable: retries depend on it"
    read = await converter.decode_failure(failure)
    assert isinstance(read, ApplicationError)
    assert (read.message, read.details) == (CANARY, ({"detail": CANARY},))


async def test_failures_of_before_and_after_a_change_of_mind_are_read() -> None:
    plain, sealed_one = Failure(), Failure()
    await encrypting(pydantic_data_converter, NO_KEYS).encode_failure(ApplicationError(CANARY), plain)
    await encrypting(pydantic_data_converter, RING).encode_failure(ApplicationError(CANARY), sealed_one)
    assert plain.message == CANARY
    for failure in (plain, sealed_one):
        assert CANARY in str(await encrypting(pydantic_data_converter, RING).decode_failure(failure))
