"""Compresses and encrypts payloads before they leave the process, and reads them after they came."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from incidents.app.encryption.key_ring import KeyRing
from incidents.client.problems import Undecryptable

if TYPE_CHECKING:  # takes long to import, and is needed only where something is encrypted
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ENCODING, CIPHER = b"binary/encrypted", b"AES-256-GCM"
_ENCODING, _CIPHER, _KEY_ID, _WORKFLOW_ID = "encoding", "encryption-cipher", "encryption-key-id", "workflow-id"
_COMPRESSION, ZLIB = "compression", b"zlib"
_NONCE_BYTES = 12


class EncryptionCodec(PayloadCodec, WithSerializationContext):
    """Encrypts each payload as a whole, with its own encoding, under the first key of the ring.

    Beside the ciphertext stand the id of the key and, where the SDK tells it, that of the workflow; both are
    authenticated, so neither can be exchanged. The workflow's id tells the codec server who may read the payload. The
    namespace is not authenticated, so that an exported history replays anywhere; each namespace has its own keys.

    Payloads in clear text are read as they are, so encryption can be turned on while incidents are running. A ring
    without keys encrypts nothing, but names the key that is missing.

    What gets shorter by it is compressed first: ciphertext cannot be, so nothing after this program would. Runs in the
    event loop, at the compression's fastest level: most payloads have some kB, the largest that Temporal accepts 2 MB.
    """

    def __init__(self, ring: KeyRing, workflow_id: str = "") -> None:
        self._ring, self._workflow_id = ring, workflow_id
        self._ciphers: dict[str, AESGCM] = {}

    def with_context(self, context: SerializationContext) -> EncryptionCodec:
        """Return the codec for the payloads of one workflow."""
        match context:
            case WorkflowSerializationContext() | ActivitySerializationContext() if self._ring and context.workflow_id:
                bound = EncryptionCodec(self._ring, context.workflow_id)
                bound._ciphers = self._ciphers
                return bound
        return self

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt the payloads. One that is encrypted already is left as it is."""
        if not self._ring:
            return list(payloads)
        return [payload if is_encrypted(payload) else self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt the payloads that are encrypted.

        Raises:
            Undecryptable: the key is missing, or the payload was changed.
        """
        return [self._decrypt(payload) if is_encrypted(payload) else payload for payload in payloads]

    def _encrypt(self, payload: Payload) -> Payload:
        key_id, nonce = self._ring.keys[0].id, os.urandom(_NONCE_BYTES)
        metadata = {_ENCODING: ENCODING, _CIPHER: CIPHER, _KEY_ID: key_id.encode()}
        if self._workflow_id:
            metadata[_WORKFLOW_ID] = self._workflow_id.encode()
        plain = payload.SerializeToString()
        if len(packed := zlib.compress(plain, zlib.Z_BEST_SPEED)) < len(plain):
            plain, metadata[_COMPRESSION] = packed, ZLIB
        encrypted = Payload(metadata=metadata)
        sealed = self._cipher(key_id).encrypt(nonce, plain, _authenticated(encrypted))
        encrypted.data = nonce + sealed
        return encrypted

    def _decrypt(self, payload: Payload) -> Payload:
        from cryptography.exceptions import InvalidTag

        cipher, nonce, sealed = (
            self._cipher(key_id_of(payload)),
            payload.data[:_NONCE_BYTES],
            payload.data[_NONCE_BYTES:],
        )
        try:
            plain = cipher.decrypt(nonce, sealed, _authenticated(payload))
            packed = payload.metadata.get(_COMPRESSION) == ZLIB
            return Payload.FromString(zlib.decompress(plain) if packed else plain)
        except (InvalidTag, ValueError, zlib.error):
            raise Undecryptable(
                f"A payload is not what the key {key_id_of(payload)} encrypted: another key has that id here, or the"
                " payload was changed. Nothing is lost. Compare PAYLOAD_KEYS with the workers'."
            ) from None

    def _cipher(self, key_id: str) -> AESGCM:
        if (known := self._ciphers.get(key_id)) is not None:
            return known
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if (key := self._ring.find(key_id)) is None:
            raise Undecryptable(
                f"A payload is encrypted with the key {key_id}, which PAYLOAD_KEYS of this process lacks. Nothing is"
                " lost. Add that key and start this program again."
            )
        return self._ciphers.setdefault(key_id, AESGCM(key.secret))


def is_encrypted(payload: Payload) -> bool:
    """Tell whether the payload is an encrypted one."""
    return payload.metadata.get(_ENCODING) == ENCODING


def key_id_of(payload: Payload) -> str:
    """Return the id of the key that encrypted the payload. Not trustworthy before it is decrypted."""
    return payload.metadata.get(_KEY_ID, b"").decode("utf-8", "replace")


def workflow_id_of(payload: Payload) -> str:
    """Return the workflow of an encrypted payload; "" if that is unknown. Trustworthy once it is decrypted."""
    return payload.metadata.get(_WORKFLOW_ID, b"").decode("utf-8", "replace")


def _authenticated(payload: Payload) -> bytes:
    """Return what is authenticated beside the ciphertext. No key id has a NUL, so the parts cannot be shifted."""
    parts = [payload.metadata.get(name, b"") for name in (_ENCODING, _CIPHER, _KEY_ID, _WORKFLOW_ID)]
    if compression := payload.metadata.get(_COMPRESSION):  # payloads from before there was one are read, too
        parts.append(compression)
    return b"\0".join(parts)
