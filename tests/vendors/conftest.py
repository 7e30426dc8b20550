"""Stand-ins for a vendor: a transport for the clients on httpx, a loopback server for those on an SDK of their own."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest


@dataclass
class Asked:
    """A request as the vendor saw it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: httpx.Headers
    body: bytes
    seconds: float | None = None
    """How long the client waits for the answer; None where the transport does not tell."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    @property
    def fields(self) -> dict[str, Any]:
        """The body, be it JSON or a form."""
        fields: dict[str, Any] = self.json if self.body.startswith(b"{") else self.form
        return fields


Step = Callable[[], httpx.Response]


class Script:
    """What the vendor will answer, in order; the last answer is given again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.steps: list[Step] = []

    def answer(self, status: int = 200, body: Any = None, headers: Any = None) -> Script:
        content = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        kind = "text/html" if isinstance(body, str) else "application/json"
        pairs = [("Content-Type", kind), *(headers.items() if isinstance(headers, dict) else headers or ())]
        self.steps.append(lambda: httpx.Response(status, headers=pairs, content=content.encode()))
        return self

    def fail(self, error: Exception) -> Script:
        def step() -> httpx.Response:
            raise error

        self.steps.append(step)
        return self

    def play(self, asked: Asked) -> httpx.Response:
        self.asked.append(asked)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return step()

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    @property
    def transport(self) -> httpx.MockTransport:
        def handle(request: httpx.Request) -> httpx.Response:
            query = parse_qs(request.url.query.decode(), keep_blank_values=True)
            seconds = request.extensions["timeout"]["read"]
            return self.play(Asked(request.method, request.url.path, query, request.headers, request.read(), seconds))

        return httpx.MockTransport(handle)


@pytest.fixture
def script() -> Script:
    return Script()


class Reset(Exception):
    """The server closes the connection with a reset instead of answering."""


class Hang(Exception):
    """The server reads the request and never answers."""


class Loopback(Script):
    """The script, played by a real server."""

    Reset, Hang = Reset, Hang
    url = ""


class Handler(BaseHTTPRequestHandler):
    """Plays a script; `script` and `stop` are set by the fixture."""

    script: Loopback
    stop: threading.Event

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = httpx.Headers(list(self.headers.items()))
        try:
            answer = self.script.play(Asked(self.command, parts.path, parse_qs(parts.query), headers, body))
        except Hang:
            self.stop.wait()  # until the test is over: only a time-out of the client's ends its call
        except Reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self.tell(answer)

    do_GET = do_POST  # noqa: N815  # the name that http.server calls

    def tell(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name, value in answer.headers.multi_items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: Any) -> None:
        pass

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    script, stop = Loopback(), threading.Event()
    handler = type("ScriptHandler", (Handler,), {"script": script, "stop": stop})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield script
    stop.set()
    server.shutdown()
    thread.join()
    server.server_close()
