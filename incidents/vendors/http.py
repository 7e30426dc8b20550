"""HTTP for vendor clients: one attempt, a time-out, and errors classified by code.

All decisions about status codes, broken connections and waiting times are here, so that each vendor's module only
says how its vendor differs.
"""

from __future__ import annotations

import json
import logging
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from socket import gaierror
from typing import Any, TypeVar

import httpx

from incidents.cutting import cut
from incidents.vendors.calling import Calls
from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.waiting import retry_after

T = TypeVar("T")
TEXT_LIMIT = 300
USER_AGENT = "incident-runbook"
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


class VendorHttp:
    """One vendor's API at `base_url`.

    Redirects are not followed and cookies not kept: a credential is sent to the configured host only.

    Args:
        secrets: values that must never show in an error; `hide` adds more.
        rate_limited: tells whether an answer means "too many requests", where 429 alone does not say it.
        default_wait: how long to wait if a rate-limited answer does not say it.
        unauthorized: error codes that mean missing credentials or rights, whatever the status.
    """

    def __init__(
        self,
        vendor: str,
        base_url: str,
        *,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
        transport: httpx.BaseTransport | None = None,
        rate_limited: Callable[[httpx.Response], bool] = lambda response: response.status_code == 429,
        default_wait: timedelta | None = None,
        unauthorized: frozenset[str] = frozenset(),
    ) -> None:
        mute_wire_logs()
        url = httpx.URL(base_url)
        self.vendor, self._calls = vendor, Calls(vendor, timeout)
        self._secrets = {secret for secret in (*secrets, url.password) if secret}
        self._rate_limited, self._default_wait, self._unauthorized = rate_limited, default_wait, unauthorized
        self._client = httpx.Client(
            # Out of the URL, because httpx logs URLs.
            base_url=url.copy_with(userinfo=b""),
            auth=(url.username, url.password) if url.userinfo else None,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", **(headers or {})},
            timeout=timeout,
            transport=transport,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def hide(self, *secrets: str) -> None:
        """Keep these out of every later error too (tokens that were issued along the way)."""
        self._secrets |= {secret for secret in secrets if secret}

    def call(
        self, operation: str, method: str, path: str, *, writes: bool | None = None, **request: Any
    ) -> httpx.Response:
        """The vendor's answer if it is a 2xx; anything else is a `VendorError`.

        `writes`: whether the call has an effect; by default, all but GET have. `request` is `json`, `data`,
        `params`, `headers` as httpx takes them.
        """
        effect = _has_effect(method, writes)
        with self._calls.one(operation, effect=effect) as seconds:
            return self._call(operation, method, path, effect, {**request, "timeout": seconds})

    def fetch(
        self,
        operation: str,
        method: str,
        path: str,
        parse: Callable[[Any], T],
        *,
        writes: bool | None = None,
        **request: Any,
    ) -> T:
        """What `parse` makes of the JSON of the answer.

        An answer that is not the vendor's (a log-in page with status 200, a cut body) is `VendorUnavailable`.
        """
        effect = _has_effect(method, writes)
        with self._calls.one(operation, effect=effect) as seconds:
            response = self._call(operation, method, path, effect, {**request, "timeout": seconds})
            with reading(self.vendor, operation, maybe_done=effect):
                return parse(response.json())

    def _call(self, operation: str, method: str, path: str, effect: bool, request: Mapping[str, Any]) -> httpx.Response:
        try:
            response = self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise self._broken(operation, error, effect) from None
        if response.is_success:
            return response
        raise self._refusal(operation, response, effect)

    def _broken(self, operation: str, error: httpx.HTTPError, effect: bool) -> VendorUnavailable:
        if isinstance(error, httpx.TimeoutException):
            code, problem = "timeout", "no answer in time"
        elif isinstance(error, httpx.LocalProtocolError):
            # Its text quotes the header that is at fault, which may be the credential.
            code, problem = "invalid_request", "the request cannot be sent (is there a line break in a credential?)"
        else:
            code, problem = "connection", f"connection failed: {one_line(str(error), self._secrets)}"
        maybe_done = effect and not isinstance(error, NEVER_SENT)
        return VendorUnavailable(self.vendor, operation, problem, code=code, maybe_done=maybe_done)

    def _refusal(self, operation: str, response: httpx.Response, effect: bool) -> VendorError:
        return refusal(
            self.vendor,
            operation,
            response.status_code,
            response.headers,
            response.text,
            effect=effect,
            rate_limited=self._rate_limited(response),
            default_wait=self._default_wait,
            unauthorized=self._unauthorized,
            secrets=self._secrets,
        )


def _has_effect(method: str, writes: bool | None) -> bool:
    return method != "GET" if writes is None else writes


def refusal(
    vendor: str,
    operation: str,
    status: int,
    headers: httpx.Headers,
    body: str,
    *,
    effect: bool,
    rate_limited: bool,
    default_wait: timedelta | None = None,
    unauthorized: frozenset[str] = frozenset(),
    secrets: Iterable[str] = (),
) -> VendorError:
    """The error for an answer that is not a success."""
    from_vendor, code, text = explain(body)
    problem = one_line(f"{status} {text}" if code in text else f"{status} {code} {text}", secrets)
    wait = retry_after(headers)
    if rate_limited:
        wait, code = default_wait if wait is None else wait, code or "rate_limited"
        return VendorRateLimited(vendor, operation, problem, status=status, code=code, retry_after=wait)
    if status >= 500 or status in (408, 425):
        down, done = VendorUnavailable, effect and status >= 500
        return down(vendor, operation, problem, status=status, code=code, retry_after=wait, maybe_done=done)
    if 300 <= status < 400:
        return _redirected(vendor, operation, status)
    # A 403 in plain text or HTML is no verdict on our rights: it comes from a filter in front of the vendor.
    if status == 401 or code in unauthorized or (status == 403 and from_vendor):
        return VendorUnauthorized(vendor, operation, problem, status=status, code=code)
    refused = VendorNotFound if status in (404, 410) else VendorRejected
    return refused(vendor, operation, problem, status=status, code=code)


def _redirected(vendor: str, operation: str, status: int) -> VendorError:
    if status in (302, 303, 307):
        # An API does not redirect so; the log-in page of a gate in front of it does.
        return VendorUnauthorized(vendor, operation, f"{status} redirected", status=status, code="redirected")
    return VendorRejected(vendor, operation, f"{status} has moved", status=status, code="moved")


@contextmanager
def reading(vendor: str, operation: str, *, maybe_done: bool = False) -> Iterator[None]:
    """What fails in here while it reads a successful answer makes the answer `VendorUnavailable`."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        problem = "answered in a format that is not the vendor's"
        raise VendorUnavailable(vendor, operation, problem, code="unreadable_answer", maybe_done=maybe_done) from None


def urllib_failure(
    vendor: str, operation: str, error: Exception, *, effect: bool, secrets: Iterable[str] = ()
) -> VendorUnavailable:
    """The error for an SDK on urllib that got no answer."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        code, problem = "timeout", "no answer in time"
    else:
        code, problem = "connection", f"connection failed: {one_line(str(reason) or type(reason).__name__, secrets)}"
    # urllib wraps what fails up to the end of sending (URLError) and not what fails while it waits for the answer.
    connecting = reason is not error and isinstance(
        reason, TimeoutError | ConnectionRefusedError | gaierror | ssl.SSLError
    )
    return VendorUnavailable(vendor, operation, problem, code=code, maybe_done=effect and not connecting)


def explain(body: str) -> tuple[bool, str, str]:
    """Whether an error body is JSON, its error code, and its text, for the shapes that vendors use."""
    try:
        data = json.loads(body)
    except ValueError:
        return False, "", _title(body) if "<html" in body.lower() else body
    if not isinstance(data, dict):
        return True, "", body
    error = data.get("error")
    inner = error if isinstance(error, dict) else data
    code = inner.get("code") or inner.get("errorType") or inner.get("error") or ""
    parts = [inner.get("message"), inner.get("reason"), inner.get("error"), *_details(data.get("errors"))]
    text = "; ".join(dict.fromkeys(str(part) for part in parts if part))
    return True, str(code) if re.fullmatch(r"\w+", str(code)) else "", text or body


def _details(errors: object) -> list[str]:
    """The list `errors` that SendGrid, GitHub and PagerDuty send: objects or plain strings."""
    if not isinstance(errors, list):
        return []
    return [
        " ".join(str(error[name]) for name in ("field", "message", "code") if error.get(name))
        if isinstance(error, dict)
        else str(error)
        for error in errors
    ]


def _title(page: str) -> str:
    found = re.search(r"<title>(.*?)</title>", page, re.DOTALL | re.IGNORECASE)
    return f"a web page: {found[1]}" if found else "a web page"


def one_line(text: str, secrets: Iterable[str] = ()) -> str:
    """The text on one line, without these secrets, cut to a readable length."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    text = " ".join(text.split())
    return cut(text, TEXT_LIMIT)


def mute_wire_logs() -> None:
    """Keep the HTTP libraries from logging headers (at DEBUG) and URLs (httpx, at INFO): both may be credentials."""
    for name in ("httpcore", "python_http_client"):
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
