"""The ports of the embedded server."""

import pytest

from sandbox.temporal_server import free_ports


class Socket:
    """A socket to which the system gives the ports of a list, one after the other."""

    ports: list[int]

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def bind(self, address: tuple[str, int]) -> None:
        self.port = self.ports.pop(0)

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)


def test_ports_that_are_needed_together_are_different() -> None:
    assert len(set(free_ports(50))) == 50


def test_the_port_of_the_web_ui_is_not_taken_for_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    Socket.ports = [8233, 7233]
    monkeypatch.setattr("sandbox.temporal_server.socket.socket", Socket)
    assert free_ports(1, but=8233) == (7233,)
