"""Send a probe to the product from outside, as a customer would.

Trouble with the endpoint is the measurement, never an exception. A probe opens a connection of its own each time, so
that DNS, TLS and the edge are seen with it; `elapsed_ms` of an answer counts from the request on the open connection.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from socket import gaierror
from urllib.parse import urlsplit

import httpx

from incidents.vendors.http import USER_AGENT, mute_wire_logs

BODY_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """The answer to a probe. Without one `status` is None, and `trouble` says why as a predicate of the probe's name.

    `unsent`: the request itself is unusable, so it tells nothing about the endpoint. `trouble` quotes no header.
    """

    status: int | None
    elapsed_ms: float
    body: bytes = b""
    trouble: str = ""
    unsent: bool = False


class ProbeClient:
    """Sends probes. One that takes longer than `timeout` seconds as a whole has timed out, however much arrived."""

    def __init__(
        self,
        timeout: float = 5,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        mute_wire_logs()
        self._timeout, self._transport, self._clock = timeout, transport, clock
        self._tls = httpx.create_ssl_context()  # once: it reads all root certificates

    def send(self, method: str, url: str, headers: Mapping[str, str], body: object = None) -> Answer:
        """Send one request, with `body` as JSON unless it is None, and return its answer or the trouble with it."""
        begun = self._clock()
        sent = begun

        def on_step(step: str, _: object) -> None:
            nonlocal sent
            if step == "http11.send_request_headers.started":
                sent = self._clock()

        try:
            shown = httpx.Headers({"User-Agent": USER_AGENT, "Accept": "application/json"})
            shown.update(headers)
            with (
                httpx.Client(timeout=self._timeout, transport=self._transport, verify=self._tls) as client,
                client.stream(method, url, json=body, headers=shown, extensions={"trace": on_step}) as response,
            ):
                content = self._read(response, begun)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            trouble, unsent = _trouble(error, url, self._timeout)
            return Answer(None, _milliseconds(self._clock() - begun), trouble=trouble, unsent=unsent)
        return Answer(response.status_code, _milliseconds(self._clock() - sent), content)

    def _read(self, response: httpx.Response, begun: float) -> bytes:
        """The body, as far as reason allows. Each chunk may be in time and the whole not."""
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if self._clock() - begun > self._timeout or len(body) > BODY_LIMIT:
                break
        if self._clock() - begun > self._timeout:
            raise httpx.ReadTimeout("the answer as a whole is too slow")
        return body


def _trouble(error: Exception, url: str, timeout: float) -> tuple[str, bool]:
    """Say what failed, and whether the request itself is unusable. The error's own text may quote a secret header."""
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return "cannot be sent: its URL is unusable", True
    if isinstance(error, httpx.LocalProtocolError | UnicodeError):
        return "cannot be sent (is there a line break or a special character in a credential?)", True
    if isinstance(error, httpx.TimeoutException):
        return f"did not answer within {timeout:g} s", False
    host = urlsplit(url).netloc.rpartition("@")[2]
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, gaierror):
            return f"cannot resolve the host {host.partition(':')[0]}", False
        if isinstance(cause, ssl.SSLError):
            return f"cannot open a TLS connection to {host}", False
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError):
        return f"cannot connect to {host}", False
    return f"lost the connection to {host}", False


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
