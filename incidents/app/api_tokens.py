"""Tokens of the gateway's API: a file that holds their hashes, and never a token."""

import contextlib
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, ValidationError

from incidents.domain.core.base import Frozen
from incidents.domain.core.payload import first_fault

_PREFIX = "incident"
_ID_BYTES, _SECRET_BYTES = 4, 32
_USER_ONLY = 0o600


class Scope(StrEnum):
    """What a token allows.

    READ: incidents and their timelines. RESPOND: open incidents and send commands. ALERTS: post alerts.
    DECODE: payloads at the codec server. PRIVATE: with READ or DECODE, private incidents, too, and titles in lists.
    """

    READ = "read"
    RESPOND = "respond"
    ALERTS = "alerts"
    DECODE = "decode"
    PRIVATE = "private"


class ApiToken(Frozen):
    """A token as it is kept. `name`: who acts with it, as the directory names them. `digest`: SHA-256 of its secret.

    A secret has 256 random bits, so that a fast hash is as good as a slow one.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    digest: str
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None

    def may(self, scope: Scope) -> bool:
        """Tell whether it has that scope."""
        return scope in self.scopes


class _Kept(Frozen):
    tokens: tuple[ApiToken, ...] = ()


class TokensUnusable(Exception):
    """The file of tokens cannot be read or written. The message is one line, without the file's content."""


class ApiTokens:
    """The tokens in a file. A change takes effect at once in every process that reads it."""

    def __init__(self, path: Path) -> None:
        """Read that file. One that does not exist holds no token."""
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._tokens: tuple[ApiToken, ...] = ()

    def listed(self) -> tuple[ApiToken, ...]:
        """Return all tokens, in the order in which they were created.

        Raises:
            TokensUnusable: the file cannot be read.
        """
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._tokens, self._seen = _Kept.model_validate_json(self._path.read_bytes()).tokens, seen
        except FileNotFoundError:
            self._tokens, self._seen = (), None
        except ValidationError as error:
            raise TokensUnusable(f"{self._path} is not a file of tokens: {first_fault(error)}") from None
        except OSError as error:
            raise TokensUnusable(f"{self._path} cannot be read: {error.strerror}") from None
        return self._tokens

    def find(self, text: str, now: datetime) -> ApiToken | None:
        """Return the token that this text is, unless it has expired. Secrets are compared in constant time.

        Raises:
            TokensUnusable: the file cannot be read.
        """
        prefix, _, rest = text.partition("_")
        token_id, _, secret = rest.partition("_")
        known = {token.id: token for token in self.listed()}.get(token_id)
        fits = hmac.compare_digest(_digest(secret), known.digest if known else "")
        if known is None or not fits or prefix != _PREFIX:
            return None
        return None if known.expires_at is not None and known.expires_at <= now else known

    def create(
        self, name: str, scopes: tuple[Scope, ...], now: datetime, lasts: timedelta | None = None
    ) -> tuple[ApiToken, str]:
        """Add a token; return it, and its text, which is nowhere else.

        Raises:
            TokensUnusable: the file cannot be read or written.
        """
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        made = ApiToken(
            id=secrets.token_hex(_ID_BYTES),
            name=name,
            scopes=tuple(dict.fromkeys(scopes)),
            digest=_digest(secret),
            created_at=now,
            expires_at=now + lasts if lasts is not None else None,
        )
        with self._locked():
            self._write((*self.listed(), made))
        return made, f"{_PREFIX}_{made.id}_{secret}"

    def revoke(self, token_id: str) -> ApiToken | None:
        """Remove the token with that id and return it; None if there is none.

        Raises:
            TokensUnusable: the file cannot be read or written.
        """
        with self._locked():
            tokens = self.listed()
            found = next((token for token in tokens if token.id == token_id), None)
            if found is not None:
                self._write(tuple(token for token in tokens if token.id != token_id))
        return found

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the right to change the file: a revoked token must not come back by a change made at the same time.

        The lock is on a file beside it, since the file itself is replaced. The system releases it if a holder dies.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_CREAT | os.O_RDWR, _USER_ONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            yield
        finally:
            os.close(lock)  # which releases it

    def _write(self, tokens: tuple[ApiToken, ...]) -> None:
        """Replace the file in one step, readable by this user only."""
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _USER_ONLY), "w") as file:
                file.write(_Kept(tokens=tokens).model_dump_json(indent=1))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> TokensUnusable:
        return TokensUnusable(f"{self._path} cannot be written: {error.strerror}. Nothing was changed.")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
