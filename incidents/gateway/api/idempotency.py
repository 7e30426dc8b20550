"""The `Idempotency-Key` of a request: the same key again is the same request, and has no second effect.

Temporal itself knows a repetition: the key becomes the id of the update, or the workflow's. What is remembered here, in
this process, only finds a key that is used for something else.
"""

import hashlib
import re
from uuid import UUID

from incidents.app.api_tokens import ApiToken
from incidents.gateway.api.refusals import Refused

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_MOST = 10_000
"""Keys that are remembered; of more, the oldest are forgotten."""


class IdempotencyKeys:
    """Turns keys into ids. The keys of two tokens have nothing to do with each other."""

    def __init__(self) -> None:
        self._requests: dict[str, str] = {}

    def id_of(self, token: ApiToken, key: str | None, path: str, body: str) -> str:
        """Return the id of a request with that key; "" without one.

        Raises:
            Refused: it is no key, or was used for another request.
        """
        if key is None:
            return ""
        if not _KEY.fullmatch(key):
            raise Refused(400, "Idempotency-Key must be 1 to 200 visible ASCII characters")
        made = str(UUID(bytes=_hash(token.id, key)[:16]))
        request = _hash(path, body).hex()
        if self._requests.setdefault(made, request) != request:
            raise Refused(422, "this Idempotency-Key was used for another request; use a new one")
        if len(self._requests) > _MOST:
            del self._requests[next(iter(self._requests))]
        return made


def _hash(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
