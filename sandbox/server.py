"""Runs the sandbox: in a thread for tests, or in the foreground for `python -m sandbox`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.app import World, create_app
from sandbox.environment import environment
from sandbox.faults import TRANSPORT
from sandbox.state import CLOCK, Credentials, Options

HOST = "127.0.0.1"
START_SECONDS = 10.0


class WithTransport:
    """Puts uvicorn's transport into the scope, so that a fault can break the connection, for which ASGI has no word."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        cycle = getattr(send, "__self__", None)
        scope.setdefault("extensions", {})[TRANSPORT] = getattr(cycle, "transport", None)
        await self.app(scope, receive, send)


class Server(uvicorn.Server):
    """uvicorn that says when it is ready, lets hanging requests go at the end, and leaves signals to its caller."""

    def __init__(self, app: ASGIApp, world: World, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                WithTransport(app),
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                lifespan="off",
                ws="wsproto",
                timeout_graceful_shutdown=1,
            )
        )
        self.world, self.on_ready = world, on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Uvicorn would raise the signal again after its end; the sandbox ends with exit 0."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts listening, then says so."""
        await super().startup(sockets)
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends; a request that hangs in a time-out fault does not hold it up."""
        self.world.faults.clear()
        await super().shutdown(sockets)


class RunningSandbox:
    """A sandbox that listens at `url`, and its control in Python."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        self.url, self.credentials = url, credentials
        # No TLS on localhost: without verify=False httpx would load all CAs, which takes longer than most tests.
        self._http = httpx.Client(base_url=f"{url}/_control", timeout=10, trust_env=False, verify=False)

    def environment(self) -> dict[str, str]:
        """All environment variables that point the program here."""
        return environment(self.url, self.credentials)

    def ledger(self, vendor: str | None = None) -> list[dict[str, Any]]:
        """Every effect in order: seq, at, vendor, operation, payload, status as the caller saw it, fault."""
        return self._rows("/ledger", vendor)

    def calls(self, vendor: str | None = None) -> list[dict[str, Any]]:
        """Every request in order, also reads and refused ones."""
        return self._rows("/calls", vendor)

    def state(self) -> dict[str, Any]:
        """All vendors' state."""
        state: dict[str, Any] = self._request("GET", "/state").json()
        return state

    def fault(
        self,
        vendor: str,
        kind: str,
        match: str = "",
        *,
        status: int | None = None,
        retry_after: float | None = None,
        times: int | None = 1,
        body: Any = None,
        skip: int = 0,
    ) -> None:
        """Orders a fault; see sandbox.faults.Fault. `times=None` lasts until clear_faults or reset."""
        order = {"vendor": vendor, "kind": kind, "match": match, "status": status, "body": body, "skip": skip}
        self._request("POST", "/faults", order | {"retry_after": retry_after, "times": times})

    def clear_faults(self) -> None:
        """Ends all faults and lets hanging requests go."""
        self._request("DELETE", "/faults")

    def options(self, **changes: Any) -> None:
        """Changes knobs; see sandbox.state.Options."""
        self._request("PATCH", "/options", changes)

    def deploy(
        self, region: str, version: str, status: str = "in_progress", breaks: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Somebody deploys a version to a region; a name with `bad` in it breaks the region. The portal's row.

        `breaks`: versions that do not work there any more from then on.
        """
        order = {"region": region, "version": version, "status": status, "breaks": list(breaks)}
        row: dict[str, Any] = self._request("POST", "/deploy", order).json()
        return row

    def history(self, region: str, *rows: dict[str, Any]) -> None:
        """Rewrites a region's deployment history, oldest row first: version, status, services, rollback_from."""
        self._request("POST", "/history", {"region": region, "rows": list(rows)})

    def say(self, channel: str, email: str, text: str, thread_ts: str = "") -> None:
        """A person writes into a Slack channel, or below a message."""
        self._request("POST", "/say", {"channel": channel, "email": email, "text": text, "thread_ts": thread_ts})

    def people(self, accounts: dict[str, str]) -> None:
        """People get an account in Slack: name by address."""
        self._request("POST", "/people", accounts)

    def slack_sends(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        """A person acts in Slack: Socket Mode sends it to the app. Returns what the app acknowledges it with."""
        answer: dict[str, Any] = self._request("POST", "/slack", {"kind": kind, "payload": payload}).json()
        return answer

    def slack_refreshes(self) -> None:
        """Slack asks the app to connect anew."""
        self._request("POST", "/slack-refresh")

    def issue(self, number: int, **changes: str) -> None:
        """A person changes an issue at GitHub: state, state_reason, or lost (deleted, moved)."""
        self._request("POST", "/issue", {"number": number, **changes})

    def file(self, branch: str, path: str, text: str) -> None:
        """A person edits a file at GitHub."""
        self._request("POST", "/file", {"branch": branch, "path": path, "text": text})

    def clock(self, at: datetime | None) -> None:
        """All clocks of the sandboxes in this process show that moment; None: real time again."""
        CLOCK.set(at)

    def reset(self) -> None:
        """Begins anew: no effects, faults or changed options."""
        self._request("POST", "/reset")

    def close(self) -> None:
        """Closes the control's connections, not the sandbox."""
        self._http.close()

    def _rows(self, path: str, vendor: str | None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._request("GET", path + (f"?vendor={vendor}" if vendor else "")).json()
        return rows

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        reply = self._http.request(method, path, json=body)
        if reply.is_error:
            raise ValueError(f"the sandbox's control refused: {reply.text}")
        return reply


@contextlib.contextmanager
def running_sandbox(
    port: int = 0, options: Options | None = None, credentials: Credentials | None = None
) -> Iterator[RunningSandbox]:
    """A sandbox in a thread of its own, on a free port unless told; it ends with the block."""
    credentials = credentials or Credentials()
    app, ready = create_app(credentials, options), threading.Event()
    listener = _listen(port)
    server = Server(app, app.state.world, ready.set)
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    try:
        if not ready.wait(START_SECONDS):
            raise RuntimeError("the sandbox did not start")
        running = RunningSandbox(_url(listener), credentials)
        try:
            yield running
        finally:
            running.close()
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listener.close()


def serve(port: int, options: Options) -> None:
    """Serves in the foreground, prints the URL on one line when ready, and ends well on SIGTERM or SIGINT."""
    app, listener = create_app(options=options), _listen(port)
    server = Server(app, app.state.world, lambda: print(_url(listener), flush=True))

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
        await server.serve([listener])

    asyncio.run(run())


def _listen(port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each reply waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"
