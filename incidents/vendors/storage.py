"""Whole files under one URL, wherever fsspec can write (a folder, S3, Google Cloud Storage, SFTP ...)."""

from __future__ import annotations

import hashlib
import posixpath
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from incidents.vendors.access.access import Access, missing_rights
from incidents.vendors.calling import Calls
from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.http import one_line

PART = ".part"
_NO_FILE = "incident-runbook-doctor"
# File systems on which a half-written file can be seen, and where moving replaces in one step. Object stores show an
# object only when it is whole, and their move is a copy.
MOVES = {"file", "local", "sftp", "ssh"}

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure", "az": "azure"}
"""The extra of this program's package that reads and writes URLs of that scheme."""


@dataclass(frozen=True)
class Stored:
    """A file as it was written: where, how long, and the digest by which to prove that it is unchanged."""

    url: str
    bytes: int
    sha256: str


class FileStore:
    """Files under a base URL such as `file:///var/lib/evidence` or `s3://bucket/evidence`. `name`: for errors.

    Writing the same again changes nothing. Object stores need an extra of this program's package (`EXTRAS`).
    """

    def __init__(self, url: str, name: str = "evidence") -> None:
        self._name, self._calls = name, Calls(name, timeout=float("inf"))
        parts = urlsplit(url)
        self._secrets = [parts.password] if parts.password else []
        self._url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
        with self._translated("open", url):
            try:
                self._fs, self._root = fsspec.core.url_to_fs(url)
            except ImportError as error:
                raise VendorRejected(name, "open", _missing(parts.scheme, error), code="unsupported") from None
        protocol = self._fs.protocol
        self._moves = not MOVES.isdisjoint([protocol] if isinstance(protocol, str) else protocol)

    def check_access(self) -> Access:
        """Look for a file. Whether one can be written is told of local folders only: elsewhere it takes a file."""
        self.exists(_NO_FILE)
        if not isinstance(self._fs, LocalFileSystem):
            return Access(untold="whether files can be written")
        return Access(missing=missing_rights(Path(self._root)))

    def write(self, path: str, data: bytes) -> Stored:
        """Write the file as a whole, replacing an older one of that path."""
        target = self._at(path)
        with self._translated("write", path, effect=True):
            self._fs.makedirs(posixpath.dirname(target), exist_ok=True)
            if self._moves:
                part = f"{target}.{uuid.uuid4().hex}{PART}"
                try:
                    self._fs.pipe_file(part, data)
                    self._fs.mv(part, target)
                except BaseException:
                    self._discard(part)
                    raise
            else:
                self._fs.pipe_file(target, data)
        return Stored(f"{self._url}/{path}", len(data), hashlib.sha256(data).hexdigest())

    def write_stream(self, path: str, pieces: Iterable[bytes]) -> Stored:
        """Write the file piece by piece, replacing an older one of that path when it is whole."""
        target, digest, size = self._at(path), hashlib.sha256(), 0
        place = f"{target}.{uuid.uuid4().hex}{PART}" if self._moves else target
        with self._translated("write", path, effect=True):
            self._fs.makedirs(posixpath.dirname(target), exist_ok=True)
            try:
                with self._fs.open(place, "wb") as file:
                    for piece in _from_source(pieces):
                        digest.update(piece)
                        size += len(piece)
                        file.write(piece)
                if self._moves:
                    self._fs.mv(place, target)
            except BaseException:
                if self._moves:
                    self._discard(place)
                raise
        return Stored(f"{self._url}/{path}", size, digest.hexdigest())

    @property
    def url(self) -> str:
        """The base URL, without a login."""
        return self._url

    def url_of(self, path: str) -> str:
        """Where a file is, or would be."""
        return f"{self._url}/{path}"

    def digest(self, path: str) -> str:
        """The SHA-256 of a file, read piece by piece. `VendorNotFound` if there is none."""
        with self._translated("read", path), self._fs.open(self._at(path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def read(self, path: str) -> bytes:
        """The file. `VendorNotFound` if there is none."""
        with self._translated("read", path):
            return bytes(self._fs.cat_file(self._at(path)))

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        with self._translated("exists", path):
            return bool(self._fs.isfile(self._at(path)))

    def list(self, folder: str = "") -> tuple[str, ...]:
        """The paths of all files in a folder and below, sorted; none if there is no such folder."""
        with self._translated("list", folder):
            self._fs.invalidate_cache()
            found = self._fs.find(self._at(folder) if folder else self._root)
        names = (posixpath.relpath(name, self._root) for name in found)
        return tuple(sorted(name for name in names if not name.endswith(PART)))

    def _at(self, path: str) -> str:
        """The place of a relative path. Never outside the base: names are made of alerts' texts."""
        clean = posixpath.normpath(path)
        if clean != path or path.startswith(("/", "..")) or path in ("", ".") or "\\" in path or "\0" in path:
            raise VendorRejected(self._name, "path", f"not a plain relative path: {one_line(path)}", code="bad_path")
        return f"{self._root.rstrip('/')}/{path}"

    def _discard(self, part: str) -> None:
        # What kept it from being written may keep it from being removed.
        with suppress(OSError):
            self._fs.rm_file(part)

    @contextmanager
    def _translated(self, operation: str, path: str, *, effect: bool = False) -> Iterator[None]:
        with self._calls.one(operation, effect=effect), self._errors(operation, path):
            yield

    @contextmanager
    def _errors(self, operation: str, path: str) -> Iterator[None]:
        """Errors of fsspec as a vendor's. A repeat of a write is safe, so none says `maybe_done`."""
        try:
            yield
        except _SourceError as broken:
            raise broken.error from None
        except VendorError:
            raise
        except FileNotFoundError:
            raise VendorNotFound(
                self._name, operation, f"there is no {one_line(path, self._secrets)}", code="not_found"
            ) from None
        except PermissionError as error:
            problem = one_line(str(error), self._secrets)
            raise VendorUnauthorized(self._name, operation, problem, code="permission") from None
        except ValueError as error:
            problem = one_line(str(error), self._secrets)
            raise VendorRejected(self._name, operation, problem, code="unsupported") from None
        except Exception as error:  # a full disk is an OSError; object stores have error classes of their own
            problem = one_line(str(error) or type(error).__name__, self._secrets)
            raise VendorUnavailable(self._name, operation, problem, code="io") from None


def _missing(scheme: str, error: ImportError) -> str:
    """Return in one line what to install for URLs of that scheme."""
    extra = EXTRAS.get(scheme)
    if extra is None:
        return f"{scheme}:// URLs need a package that is not installed ({one_line(str(error), [])})"
    return f"{scheme}:// URLs need the extra `{extra}`: pip install 'incident-runbook[{extra}]'"


class _SourceError(Exception):
    """What is written could not be read from its source: not an error of the store."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _from_source(pieces: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except Exception as error:
        raise _SourceError(error) from error
