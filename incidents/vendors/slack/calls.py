"""One call to Slack's Web API through its SDK: time-out, pagination, and errors by Slack's codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from incidents.vendors.calling import Calls
from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.http import (
    one_line,
    reading,
    urllib_failure,
)
from incidents.vendors.waiting import retry_after

T = TypeVar("T")
UNAUTHORIZED = {
    "access_denied",
    "account_inactive",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "invalid_auth",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "team_access_not_granted",
    "token_expired",
    "token_revoked",
}
UNAVAILABLE = {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
NOT_FOUND = {"channel_not_found", "message_not_found", "thread_not_found", "user_not_found", "users_not_found"}


def api_url(base_url: str) -> str:
    """The API's base URL: a host alone means Slack's paths on that host (`/api/METHOD`)."""
    return base_url.rstrip("/") + "/api/" if urlsplit(base_url).path in ("", "/") else base_url


class SlackCalls:
    """One attempt per call: the SDK's own repeats are off, since one after a lost reply posts twice.

    `web` is the SDK's client, whose methods `call` and `items` take.
    """

    def __init__(self, token: str, base_url: str, timeout: float) -> None:
        self._token, self._calls = token.strip(), Calls("slack", timeout)
        self._base_url, self._timeout = base_url, timeout
        self.web = self._client(timeout)

    def _client(self, timeout: float) -> WebClient:
        # The annotation says int; the SDK hands it to urllib, which takes fractions.
        return WebClient(self._token, base_url=api_url(self._base_url), timeout=timeout, retry_handlers=[])  # type: ignore[arg-type]

    def _within(self, seconds: float, call: Callable[..., SlackResponse]) -> Callable[..., SlackResponse]:
        """The same method with less time. The SDK has one time-out for all calls of a client."""
        if seconds >= self._timeout:
            return call
        method: Callable[..., SlackResponse] = getattr(self._client(seconds), call.__name__)
        return method

    def items(
        self,
        method: str,
        call: Callable[..., SlackResponse],
        name: str,
        parse: Callable[[dict[str, Any]], T],
        pages: int,
        request: Mapping[str, Any],
    ) -> Iterator[T]:
        """The list `name` of a paged method, item by item, at most so many pages."""
        cursor = None
        for _ in range(pages):
            answer = self.call(method, call, writes=False, cursor=cursor, **request)
            with reading("slack", method):
                items = [parse(item) for item in answer[name]]
            yield from items
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    def call(
        self, method: str, call: Callable[..., SlackResponse], *, writes: bool = True, done: str = "", **request: Any
    ) -> dict[str, Any]:
        """The answer's fields; an error with the code `done` counts as success."""
        with self._calls.one(method, effect=writes) as seconds:
            return self._call(method, self._within(seconds, call), writes, done, request)

    def call_with_headers(
        self, method: str, call: Callable[..., SlackResponse]
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        """Read: the answer's fields, and its headers with their names in lower case."""
        with self._calls.one(method, effect=False) as seconds:
            answer = self._answer(method, self._within(seconds, call), False, "", {})
        with reading("slack", method):
            return {**answer.data}, {name.lower(): value for name, value in answer.headers.items()}  # type: ignore[dict-item, union-attr]  # as below

    def _call(
        self, method: str, call: Callable[..., SlackResponse], writes: bool, done: str, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        answer = self._answer(method, call, writes, done, request)
        if answer is None:
            return {}
        with reading("slack", method, maybe_done=writes):
            return {**answer.data}  # type: ignore[dict-item]  # bytes only for a download, and then a TypeError

    def _answer(
        self, method: str, call: Callable[..., SlackResponse], writes: bool, done: str, request: Mapping[str, Any]
    ) -> SlackResponse | None:
        """Slack's answer; None for an error with the code `done`."""
        try:
            return call(**request)
        except SlackApiError as error:
            if done and _code(error.response) == done:
                return None
            raise _refusal(method, error.response, writes, self._token) from None
        except (OSError, HTTPException) as error:
            raise urllib_failure("slack", method, error, effect=writes, secrets=[self._token]) from None


def _refusal(method: str, answer: SlackResponse, writes: bool, token: str) -> VendorError:
    """The error for an answer that is not `ok`, by its code. An HTML page in place of JSON has none."""
    status, code = answer.status_code, _code(answer)
    # The SDK adds Retry-After in a second spelling: folded, so that the two do not become a list.
    wait = retry_after({name.lower(): value for name, value in answer.headers.items()})
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return VendorRateLimited("slack", method, code or "ratelimited", status=status, code=code, retry_after=wait)
    if status >= 500 or code in UNAVAILABLE or not code:
        maybe_done = writes and code not in ("service_unavailable", "team_added_to_org")
        problem = f"{status} {code}" if code else f"{status} with an answer that is not Slack's"
        code = code or ("" if status >= 500 else "unreadable_answer")
        return VendorUnavailable("slack", method, problem, status=status, code=code, maybe_done=maybe_done)
    needed = answer.get("needed")
    problem = one_line(f"{code} (needs {needed})" if needed else code, [token])
    if code in UNAUTHORIZED or status in (401, 403):
        return VendorUnauthorized("slack", method, problem, status=status, code=code)
    kind = VendorNotFound if code in NOT_FOUND else VendorRejected
    return kind("slack", method, problem, status=status, code=code)


def _code(answer: SlackResponse) -> str:
    """Slack's error code; "" if the answer has none (the SDK puts its own words there for what is not JSON)."""
    code = str(answer.get("error") or "") if isinstance(answer.data, dict) else ""
    return code if re.fullmatch(r"[a-z0-9_]+", code) else ""
