"""Looks at the product from outside, as a customer would: health and one evaluation.

Trouble with the endpoint is the measurement, never an exception. A probe opens a connection of its own each time, so
that DNS, TLS and the edge are seen with it; `elapsed_ms` of an answer counts from the request on the open connection.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from socket import gaierror
from typing import Any

import httpx

from incidents.vendors.http import USER_AGENT, mute_wire_logs

# What the probe evaluates when nobody named a flag: the product answers 200 with NOT_FOUND for it.
UNKNOWN_FLAG = "incident-runbook-probe"
BODY_LIMIT = 64 * 1024


@dataclass(frozen=True)
class HealthSample:
    """One look at the health endpoint. `problem` is "" or one word for what is wrong."""

    ok: bool
    status: int | None
    elapsed_ms: float
    problem: str


@dataclass(frozen=True)
class EvaluationSample:
    """One evaluation. `problem` is "" or one word for what is wrong.

    `credentials_refused` is told apart because the product answers 401 both to a bad key and when its database is
    down: with a key known to be good, it means that evaluation is down.
    """

    ok: bool
    status: int | None
    elapsed_ms: float
    problem: str


@dataclass(frozen=True)
class _Answer:
    status: int | None
    elapsed_ms: float
    problem: str
    body: Any = None


class ProductProbe:
    """Probes. A look that takes longer than `timeout` as a whole has timed out, however much of it arrived."""

    def __init__(
        self,
        timeout: float = 5,
        api_key: str = "",
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        mute_wire_logs()
        self._timeout, self._api_key, self._transport, self._clock = timeout, api_key, transport, clock
        self._tls = httpx.create_ssl_context()  # once: it reads all root certificates

    def health(self, base_url: str, path: str = "/health") -> HealthSample:
        """Well if it answers 200 with a JSON object whose `status`, if it has one, is a good word."""
        answer = self._ask("GET", base_url, path)
        problem = answer.problem or _health_problem(answer.body)
        return HealthSample(not problem, answer.status, answer.elapsed_ms, problem)

    def evaluate(self, base_url: str, flag_key: str = "") -> EvaluationSample:
        """Well if the product evaluates this flag; with no flag, if it can say that it has no such flag.

        Each evaluation reads the key from the product's database, so the sample covers that too.
        """
        if not self._api_key:
            return EvaluationSample(False, None, 0.0, "no_api_key")
        question = {"flag_key": flag_key or UNKNOWN_FLAG, "context": {"key": "incident-probe", "attributes": {}}}
        answer = self._ask("POST", base_url, "/v1/evaluate", question)
        problem = answer.problem or _evaluation_problem(answer.body, must_exist=bool(flag_key))
        if answer.status == 401:
            problem = "credentials_refused"
        return EvaluationSample(not problem, answer.status, answer.elapsed_ms, problem)

    def _ask(self, method: str, base_url: str, path: str, question: object = None) -> _Answer:
        begun = self._clock()
        sent = begun

        def on_step(step: str, _: object) -> None:
            nonlocal sent
            if step == "http11.send_request_headers.started":
                sent = self._clock()

        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if question is not None:
            headers["X-API-Key"] = self._api_key
        try:
            with (
                httpx.Client(timeout=self._timeout, transport=self._transport, verify=self._tls) as client,
                client.stream(
                    method, base_url.rstrip("/") + path, json=question, headers=headers, extensions={"trace": on_step}
                ) as response,
            ):
                body = self._read(response, begun)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            return _Answer(None, _milliseconds(self._clock() - begun), _broken(error))
        return _judge(response.status_code, _milliseconds(self._clock() - sent), body)

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


def _judge(status: int, elapsed_ms: float, body: bytes) -> _Answer:
    if 300 <= status < 400:
        return _Answer(status, elapsed_ms, "redirected")
    if status == 429:
        return _Answer(status, elapsed_ms, "rate_limited")
    if status != 200:
        return _Answer(status, elapsed_ms, f"http_{status}")
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        # A log-in or maintenance page that answers 200 is not the product.
        return _Answer(status, elapsed_ms, "not_json")
    return _Answer(status, elapsed_ms, "", data)


def _health_problem(body: dict[str, Any]) -> str:
    word = str(body.get("status", "ok")).lower()
    return "" if word in ("ok", "healthy", "operational", "up") else f"status_{word[:40]}"


def _evaluation_problem(body: dict[str, Any], *, must_exist: bool) -> str:
    reason = body.get("reason")
    if not isinstance(reason, str):
        return "not_an_evaluation"
    if reason == "ERROR":
        return "evaluation_error"
    return "flag_not_found" if reason == "NOT_FOUND" and must_exist else ""


def _broken(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, gaierror):
            return "dns"
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError):
        return "connect"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | UnicodeError):
        return "bad_url"
    return "connection_lost"


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
