"""Nothing but the sandbox can be reached: by the environment, and by every socket that this process opens."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from sandbox.environment import without_vendors


class Unreachable(ConnectionRefusedError):
    """A rehearsal tried to reach something else than the sandbox. Nothing was sent."""


class _Guard:
    """The ports of localhost that may be reached; None: no rehearsal runs, and everything may be."""

    def __init__(self) -> None:
        self.ports: frozenset[int] | None = None
        self._installed = False

    def install(self) -> None:
        """Watch this process's sockets from now on. Python's audit hooks cannot be removed, so it is done once."""
        if not self._installed:
            sys.addaudithook(self._check)
            self._installed = True

    def _check(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.ports is None or event not in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            return
        host, port = arguments[:2] if event == "socket.getaddrinfo" else _target(arguments[-1])
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if host in ("127.0.0.1", "localhost") and str(port) in map(str, self.ports):
            return
        raise Unreachable(f"a rehearsal reaches the sandbox only: not {host}")


def _target(address: Any) -> tuple[Any, Any]:
    """Return host and port; a Unix socket has neither."""
    return (address[0], address[1]) if isinstance(address, tuple) and len(address) > 1 else ("a local socket", 0)


_GUARD = _Guard()


@contextmanager
def only(url: str, variables: Mapping[str, str]) -> Iterator[None]:
    """Let this process reach that URL alone, and have these variables in place of its own, until the block ends.

    What the user's environment has, such as a vendor's credentials, is out of sight: `load_settings` finds none of it.
    """
    own = dict(os.environ)
    _GUARD.install()
    try:
        os.environ.clear()
        os.environ.update(without_vendors(own) | dict(variables))
        _GUARD.ports = frozenset({urlsplit(url).port or 0})
        yield
    finally:
        _GUARD.ports = None
        os.environ.clear()
        os.environ.update(own)
