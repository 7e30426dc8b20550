"""The ports of the embedded server."""

import socket
from pathlib import Path

import pytest

from sandbox.temporal_server import free_ports


def test_ports_that_are_needed_together_are_different() -> None:
    assert len(set(free_ports(50))) == 50


def test_none_of_them_is_an_ephemeral_port() -> None:
    """A connection to an ephemeral port may be assigned that port as its own, and so connect to itself."""
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(ephemeral.read_text(encoding="ascii").split()[0]) if ephemeral.exists() else 32768
    assert max(free_ports(50)) < lowest


def test_a_port_that_is_taken_or_spoken_for_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        taken = listener.getsockname()[1]
        monkeypatch.setattr("sandbox.temporal_server._PORTS", (taken, 8233, 7233))
        assert free_ports(3, but=8233) == (7233,)
