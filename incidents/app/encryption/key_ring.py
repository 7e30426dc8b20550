"""The keys in PAYLOAD_KEYS. Imports no cryptography: the command line reads them with every command."""

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field

KEY_BYTES = 32
"""AES-256."""
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FORM = "must be ID:KEY, with commas between several; `incident keys new` makes one"


@dataclass(frozen=True)
class PayloadKey:
    """A key. `id`: its name, which stands in clear text beside what it encrypted."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class KeyRing:
    """The keys of this process. The first one encrypts, all decrypt; without any, payloads stay in clear text."""

    keys: tuple[PayloadKey, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether payloads are encrypted."""
        return bool(self.keys)

    def find(self, key_id: str) -> PayloadKey | None:
        """Return the key of that id."""
        return next((key for key in self.keys if key.id == key_id), None)

    def describe(self) -> str:
        """Return in one line which key encrypts, and which ones only decrypt."""
        if not self.keys:
            return "off (PAYLOAD_KEYS is not set)"
        first, *rest = (key.id for key in self.keys)
        decrypts = f"; {', '.join(rest)} only {'decrypts' if len(rest) == 1 else 'decrypt'}" if rest else ""
        return f"on: {first} encrypts{decrypts}"


NO_KEYS = KeyRing()
"""No encryption."""


def parse_key_ring(text: str) -> KeyRing:
    """Return the keys of a list `ID:KEY,ID:KEY`; a KEY is 32 bytes in base64. Nothing: no keys.

    Raises:
        ValueError: it is none. The message continues a sentence that begins with the variable, and tells no key.
    """
    keys = tuple(_parse_key(part.strip()) for part in text.split(",") if part.strip())
    ids = [key.id for key in keys]
    if twice := next((key_id for key_id in ids if ids.count(key_id) > 1), None):
        raise ValueError(f"has the key id {twice} twice: what each key encrypted could not be distinguished")
    return KeyRing(keys)


def _parse_key(text: str) -> PayloadKey:
    key_id, colon, encoded = text.partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id):  # the text is not shown: it may be a key without its id
        raise ValueError(_FORM)
    try:
        secret = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"has a key that is not in base64 (id {key_id})") from None
    if len(secret) != KEY_BYTES:
        raise ValueError(f"has a key of {len(secret)} bytes instead of {KEY_BYTES} (id {key_id})")
    return PayloadKey(key_id, secret)


def new_key(key_id: str) -> str:
    """Return a new random key as it is written in PAYLOAD_KEYS.

    Raises:
        ValueError: that is no key id.
    """
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("a key id has up to 64 letters, digits, dots, dashes and underscores")
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"
