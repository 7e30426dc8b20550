"""Atlassian Statuspage: public incidents and their updates.

Rules of the vendor (developer.statuspage.io): `Authorization: OAuth KEY`; one request a second per key, excess is 420
or 429; each PATCH with a status or a body appends a public update and, by default, mails the subscribers.
There is no idempotency key, so every write leaves ours in the incident's metadata, in the same request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from incidents.cutting import cut
from incidents.vendors.access.access import Access, server_time
from incidents.vendors.http import VendorHttp, reading

METADATA = "incident_runbook"
NAME_LIMIT, BODY_LIMIT = 255, 25_000
PAGE, PAGES = 100, 5


@dataclass(frozen=True)
class StatusUpdate:
    """One public update of an incident."""

    id: str
    status: str
    body: str
    created_at: datetime


@dataclass(frozen=True)
class StatusIncident:
    """A public incident. `key` and `update_key` are ours: of its creation, and of the newest write.

    `updates` are newest first.
    """

    id: str
    name: str
    status: str
    impact: str
    url: str
    key: str
    update_key: str
    updates: tuple[StatusUpdate, ...]


class StatuspageClient:
    """One page. A `base_url` without the version gets `/v1`."""

    def __init__(
        self,
        api_key: str,
        page_id: str,
        base_url: str = "https://api.statuspage.io/v1",
        timeout: float = 10,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = VendorHttp(
            "statuspage",
            base_url.rstrip("/").removesuffix("/v1") + "/v1",
            timeout=timeout,
            headers={"Authorization": f"OAuth {api_key}"},
            secrets=[api_key],
            transport=transport,
            rate_limited=lambda response: response.status_code in (420, 429),
        )
        self._page = f"/pages/{quote(page_id, safe='')}"
        self._path = f"{self._page}/incidents"

    def check_access(self) -> Access:
        """Read the page."""
        answer = self._http.call("get_page", "GET", self._page)
        with reading("statuspage", "get_page"):
            return Access(str(answer.json()["name"]), at=server_time(answer.headers))

    def create_incident(
        self,
        name: str,
        status: str,
        body: str,
        *,
        key: str,
        update_key: str = "",
        impact: str | None = None,
        components: Mapping[str, str] | None = None,
        deliver_notifications: bool = True,
    ) -> StatusIncident:
        """A new public incident. Repeated, it makes a second one: look with `find_incident` first.

        `status` is investigating, identified, monitoring or resolved; `impact` none, minor, major or critical, and
        derived from the components by default; `components` maps a component's id to operational,
        degraded_performance, partial_outage or major_outage.
        """
        incident = _incident_body(status, body, impact, components, deliver_notifications)
        incident |= {
            "name": cut(name, NAME_LIMIT),
            "metadata": {METADATA: {"key": key, "update_key": update_key or key}},
        }
        return self._http.fetch("create_incident", "POST", self._path, _incident, json={"incident": incident})

    def update_incident(
        self,
        incident_id: str,
        status: str,
        body: str,
        *,
        key: str,
        update_key: str,
        name: str = "",
        impact: str | None = None,
        components: Mapping[str, str] | None = None,
        deliver_notifications: bool = True,
    ) -> StatusIncident:
        """Append a public update. Repeated, it appends a second one.

        It was done already if `get_incident(id).update_key` is this `update_key`. `key` is the incident's own: the
        metadata is written as a whole. `name`: the title from now on; empty: as it is.
        """
        incident = _incident_body(status, body, impact, components, deliver_notifications)
        if name:
            incident["name"] = cut(name, NAME_LIMIT)
        incident["metadata"] = {METADATA: {"key": key, "update_key": update_key}}
        return self._http.fetch(
            "update_incident", "PATCH", self._of(incident_id), _incident, json={"incident": incident}
        )

    def get_incident(self, incident_id: str) -> StatusIncident:
        """The incident with all its updates."""
        return self._http.fetch("get_incident", "GET", self._of(incident_id), _incident)

    def find_incident(self, key: str) -> StatusIncident | None:
        """The incident that was created with this key: among the unresolved, else among the newest 500."""
        unresolved = self._pages("/unresolved", "per_page")
        return _with_key(unresolved, key) or _with_key(self._pages("", "limit"), key)

    def _of(self, incident_id: str) -> str:
        return f"{self._path}/{quote(incident_id, safe='')}"

    def _pages(self, path: str, size: str) -> Iterator[StatusIncident]:
        for page in range(1, PAGES + 1):
            params = {size: PAGE, "page": page}
            found = self._http.fetch("list_incidents", "GET", self._path + path, _incidents, params=params)
            yield from found
            if len(found) < PAGE:
                return


def _incident_body(
    status: str, body: str, impact: str | None, components: Mapping[str, str] | None, notify: bool
) -> dict[str, Any]:
    fields: dict[str, Any] = {"status": status, "body": cut(body, BODY_LIMIT), "deliver_notifications": notify}
    if impact:
        fields["impact_override"] = impact
    if components:
        # The map sets the components' status; the list ties the incident to them.
        fields |= {"components": dict(components), "component_ids": list(components)}
    return fields


def _with_key(incidents: Iterator[StatusIncident], key: str) -> StatusIncident | None:
    return next((incident for incident in incidents if incident.key == key), None)


def _incidents(data: list[dict[str, Any]]) -> list[StatusIncident]:
    return [_incident(item) for item in data]


def _incident(data: dict[str, Any]) -> StatusIncident:
    ours = (data.get("metadata") or {}).get(METADATA) or {}
    return StatusIncident(
        id=str(data["id"]),
        name=str(data["name"]),
        status=str(data["status"]),
        impact=str(data.get("impact") or ""),
        url=str(data.get("shortlink") or ""),
        key=str(ours.get("key", "")),
        update_key=str(ours.get("update_key", "")),
        updates=tuple(_update(item) for item in data.get("incident_updates") or ()),
    )


def _update(data: dict[str, Any]) -> StatusUpdate:
    created = datetime.fromisoformat(data["created_at"])
    return StatusUpdate(str(data["id"]), str(data["status"]), str(data.get("body") or ""), created)
