"""Alertmanager: silences.

Rules of the vendor (API v2): creating has no idempotency, each POST is a new silence; find an earlier one by a marker
in its comment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from incidents.vendors.access.access import Access, server_time
from incidents.vendors.errors import VendorNotFound, VendorUnavailable
from incidents.vendors.http import VendorHttp


@dataclass(frozen=True)
class Silence:
    """A silence; `state` is pending, active or expired."""

    id: str
    state: str
    comment: str
    created_by: str
    starts_at: datetime
    ends_at: datetime


class AlertmanagerClient:
    """Silences of one Alertmanager."""

    def __init__(
        self,
        base_url: str,
        timeout: float = 10,
        transport: httpx.BaseTransport | None = None,
        *,
        vendor: str = "alertmanager",
        token: str = "",
    ) -> None:
        """Connect to an Alertmanager.

        Args:
            base_url: the URL above `/api/v2`.
            timeout: of each request, in seconds.
            transport: for tests.
            vendor: who has this API, for errors.
            token: bearer token; an Alertmanager of one's own needs none.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = VendorHttp(
            vendor, base_url, timeout=timeout, headers=headers, secrets=(token,), transport=transport
        )

    def check_access(self) -> Access:
        """List the silences."""
        answer = self._http.call("list_silences", "GET", "/api/v2/silences", params={"filter": 'alertname="none"'})
        return Access(at=server_time(answer.headers))

    def create_silence(
        self, labels: Mapping[str, str], starts_at: datetime, ends_at: datetime, created_by: str, comment: str
    ) -> str:
        """Silence the alerts with these labels, and return the silence's id. A repeat makes a second one."""
        silence = {
            "matchers": [
                {"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in labels.items()
            ],
            "startsAt": starts_at.isoformat(),
            "endsAt": ends_at.isoformat(),
            "createdBy": created_by,
            "comment": comment,
        }
        parse = _silence_id
        return self._http.fetch("create_silence", "POST", "/api/v2/silences", parse, json=silence)

    def expire_silence(self, silence_id: str) -> None:
        """Expire a silence. Idempotent."""
        path = f"/api/v2/silence/{quote(silence_id, safe='')}"
        try:
            self._http.call("expire_silence", "DELETE", path)
        except VendorNotFound:
            return
        except VendorUnavailable as error:
            # Alertmanager answers 500 for one that has expired: ask it, rather than read the text.
            if error.status != 500 or self._http.fetch("get_silence", "GET", path, _silence).state != "expired":
                raise

    def firing(self, name: str) -> list[dict[str, str]]:
        """The label sets of the alerts of that name that fire, silenced and inhibited ones included."""
        params = {"filter": f'alertname="{_quoted(name)}"', "active": "true", "silenced": "true", "inhibited": "true"}
        return self._http.fetch("list_alerts", "GET", "/api/v2/alerts", _label_sets, params=params)

    def find_silence(self, marker: str) -> Silence | None:
        """The silence, pending or active, whose comment holds the marker."""
        params = {"active": "true", "pending": "true", "expired": "false"}
        silences = self._http.fetch("list_silences", "GET", "/api/v2/silences", _silences, params=params)
        return next((found for found in silences if found.state != "expired" and marker in found.comment), None)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _label_sets(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{str(name): str(value) for name, value in row["labels"].items()} for row in rows]


def _silence_id(answer: dict[str, Any]) -> str:
    return str(answer["silenceID"])


def _silences(rows: list[dict[str, Any]]) -> list[Silence]:
    return [_silence(row) for row in rows]


def _silence(row: dict[str, Any]) -> Silence:
    return Silence(
        id=str(row["id"]),
        state=str(row["status"]["state"]),
        comment=str(row["comment"]),
        created_by=str(row["createdBy"]),
        starts_at=datetime.fromisoformat(row["startsAt"]),
        ends_at=datetime.fromisoformat(row["endsAt"]),
    )
