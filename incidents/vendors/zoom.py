"""Zoom meetings, with a server-to-server OAuth app.

Rules of the vendor (developers.zoom.us): a token lives an hour and acts as the app's owner ("me"); an invalid one is
401 with code 124; creating is limited to 100 meetings a day; there is no idempotency. `start_url` logs its reader in as
the host, so it is never kept.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from incidents.cutting import cut
from incidents.vendors.access.access import Access
from incidents.vendors.errors import VendorUnauthorized
from incidents.vendors.http import VendorHttp

T = TypeVar("T")
TOPIC_LIMIT, AGENDA_LIMIT = 200, 2000
PAGE, PAGES = 300, 5
RENEW_EARLY = 120.0
SCHEDULED = 2
INVALID_TOKEN = "124"
# 4711: the app lacks the scope; a bad client id or secret by `invalid_client`.
UNAUTHORIZED = frozenset({"124", "4711", "invalid_client"})


@dataclass(frozen=True)
class Meeting:
    """A meeting, as participants may know it."""

    id: str
    topic: str
    join_url: str


class ZoomClient:
    """Meetings of one user. A `base_url` without the version gets `/v2`."""

    def __init__(
        self,
        account_id: str,
        client_id: str,
        client_secret: str,
        base_url: str = "https://api.zoom.us/v2",
        oauth_url: str = "https://zoom.us/oauth/token",
        timeout: float = 10,
        user_id: str = "me",
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._grant = {"grant_type": "account_credentials", "account_id": account_id}
        self._oauth = VendorHttp(
            "zoom",
            oauth_url.rstrip("/").removesuffix("/oauth/token"),
            timeout=timeout,
            headers={"Authorization": f"Basic {basic}"},
            secrets=[client_secret, basic],
            transport=transport,
            unauthorized=UNAUTHORIZED,
        )
        root = base_url.rstrip("/").removesuffix("/v2") + "/v2"
        self._http = VendorHttp("zoom", root, timeout=timeout, transport=transport, unauthorized=UNAUTHORIZED)
        self._meetings = f"/users/{quote(user_id, safe='')}/meetings"
        self._clock, self._lock = clock, threading.Lock()
        self._token, self._expires = "", 0.0

    def check_access(self) -> Access:
        """Get a token, and list the owner's meetings with it. Whether it may make some, Zoom tells only then."""
        next(self._listed(), None)
        return Access()

    def create_meeting(
        self, topic: str, *, agenda: str = "", start: datetime | None = None, minutes: int = 240
    ) -> Meeting:
        """A meeting that people may join at once, without the host. Repeated, it makes a second one.

        It is a scheduled meeting, because only those are listed and so found again.
        """
        meeting = {
            "topic": cut(topic, TOPIC_LIMIT),
            "agenda": cut(agenda, AGENDA_LIMIT),
            "type": SCHEDULED,
            "start_time": (start or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "duration": minutes,
            "settings": {"join_before_host": True, "jbh_time": 0, "waiting_room": False},
        }
        return self._fetch("create_meeting", "POST", self._meetings, _meeting, json=meeting)

    def find_meeting(self, topic: str) -> Meeting | None:
        """The meeting of exactly this topic among the user's scheduled ones."""
        wanted = cut(topic, TOPIC_LIMIT)
        return next((meeting for meeting in self._listed() if meeting.topic == wanted), None)

    def _listed(self) -> Iterator[Meeting]:
        page = ""
        for _ in range(PAGES):
            params = {"type": "scheduled", "page_size": PAGE} | ({"next_page_token": page} if page else {})
            meetings, page = self._fetch("list_meetings", "GET", self._meetings, _listing, params=params)
            yield from meetings
            if not page:
                return

    def _fetch(self, operation: str, method: str, path: str, parse: Callable[[Any], T], **request: Any) -> T:
        """The call with a token; once more with a new one if Zoom does not know this one (any more)."""
        token = self._current_token()
        try:
            return self._http.fetch(operation, method, path, parse, headers=_bearer(token), **request)
        except VendorUnauthorized as error:
            if error.status != 401 or error.code != INVALID_TOKEN:
                raise
        return self._http.fetch(
            operation, method, path, parse, headers=_bearer(self._current_token(refused=token)), **request
        )

    def _current_token(self, refused: str = "") -> str:
        with self._lock:
            if not self._token or self._token == refused or self._clock() >= self._expires:
                begun = self._clock()
                parse = _token
                self._token, lifetime = self._oauth.fetch(
                    "token", "POST", "/oauth/token", parse, writes=False, data=self._grant
                )
                self._http.hide(self._token)
                self._expires = begun + lifetime - RENEW_EARLY
            return self._token


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _token(data: dict[str, Any]) -> tuple[str, float]:
    return str(data["access_token"]), float(data.get("expires_in", 3600))


def _listing(data: dict[str, Any]) -> tuple[list[Meeting], str]:
    return [_meeting(item) for item in data["meetings"]], str(data.get("next_page_token") or "")


def _meeting(data: dict[str, Any]) -> Meeting:
    return Meeting(id=str(data["id"]), topic=str(data["topic"]), join_url=str(data["join_url"]))
