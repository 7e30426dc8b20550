"""The public status page without a vendor: a static site (HTML, JSON and Atom) at any fsspec URL."""

import hashlib
import json
from typing import Any

from jinja2 import Environment, PackageLoader

from incidents.domain.activity_requests import PublishStatus
from incidents.domain.activity_results import ResourcesChanged
from incidents.domain.core.text.escaping import html_value
from incidents.domain.incident.state import Resources
from incidents.vendors.storage import FileStore

_PAGES = Environment(loader=PackageLoader("activities"), autoescape=True, finalize=html_value)
_FOLDER = "incidents"
_LISTED = 50


class StatusSite:
    """Maintains the site. Each incident is a file, from which the pages are rebuilt, so writers never conflict."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def publish(self, update: PublishStatus, *, repeated: bool) -> ResourcesChanged:
        """Publish an update, once: the incident's file shows a repeat. One older than its newest is dropped."""
        name = hashlib.sha256(update.marker.encode()).hexdigest()[:16]
        path = f"{_FOLDER}/{name}.json"
        fresh: dict[str, Any] = {"id": name, "updates": []}
        known = self._read(path) if self._store.exists(path) else fresh
        newest = max((shown["sequence"] for shown in known["updates"]), default=0)
        stale = newest > update.sequence
        if newest < update.sequence:
            shown = {"sequence": update.sequence, "status": update.status, "body": update.body.strip()}
            known |= {"title": update.title, "status": update.status, "impact": update.impact}
            known["updates"] = [shown | {"at": update.at.isoformat() if update.at else ""}, *known["updates"]]
            self._store.write(path, json.dumps(known, indent=1).encode())
        self._render(update.product)
        url = self._store.url_of("index.html")
        detail = f"dropped (the page already shows update {newest})" if stale else ""
        return ResourcesChanged(
            detail=detail, resources=Resources(status_page_id=name, status_page_url=f"{url}#{name}")
        )

    def _read(self, path: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._store.read(path))
        return document

    def _newest(self) -> list[dict[str, Any]]:
        found = (self._read(name) for name in self._store.list(_FOLDER))
        return sorted(found, key=lambda incident: str(incident["updates"][0]["at"]), reverse=True)[:_LISTED]

    def _render(self, title: str) -> None:
        """Rebuild the pages from all incidents' files; again if one changed meanwhile."""
        seen: list[dict[str, Any]] | None = None
        while seen != (incidents := self._newest()):
            seen = incidents
            now = [incident for incident in incidents if incident["status"] != "resolved"]
            values = {"title": title, "incidents": incidents, "open": now}
            document = {"status": "incident" if now else "operational", "incidents": incidents}
            self._store.write("status.json", json.dumps(document, indent=1).encode())
            self._store.write("index.html", _PAGES.get_template("status.html.j2").render(**values).encode())
            self._store.write("feed.atom", _PAGES.get_template("status.atom.j2").render(**values).encode())
