"""FeatureSignals' own audit of flag changes (docs/vendor-notes.md#product): `GET /v1/audit/export`, in JSON.

Its CSV tells an estimated Content-Length, so JSON it is. 402 means that the plan has no audit.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx

from incidents.vendors.access.access import Access, server_time
from incidents.vendors.http import VendorHttp, reading

PAGE = 1000


class FlagAuditClient:
    """Reads the audit as an owner or admin of the organisation."""

    def __init__(
        self, base_url: str, token: str, timeout: float = 20, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = VendorHttp(
            "flag_audit", base_url, timeout=timeout, headers=headers, secrets=[token], transport=transport
        )

    def check_access(self) -> Access:
        """Read one change at most."""
        answer = self._http.call("export", "GET", "/v1/audit/export", params={"format": "json", "limit": 1})
        with reading("flag_audit", "export"):
            _page(answer.json())
        return Access(at=server_time(answer.headers))

    def entries(self, since: datetime, until: datetime, most: int) -> Iterator[dict[str, Any]]:
        """The changes of a time span, page by page, at most so many."""
        offset = 0
        while offset < most:
            params = {
                "format": "json",
                "from": since.isoformat(),
                "to": until.isoformat(),
                "limit": min(PAGE, most - offset),
                "offset": offset,
            }
            rows, total = self._http.fetch("export", "GET", "/v1/audit/export", _page, params=params)
            yield from rows
            offset += len(rows)
            if not rows or offset >= total:
                return


def _page(body: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    return list(body["entries"] or ()), int(body["total"])
