"""Atlassian Statuspage. Each write carries our marker and the update's number in the incident's metadata."""

from typing import Any

from incidents.domain.activity_requests import PublishStatus
from incidents.domain.activity_results import ResourcesChanged
from incidents.domain.core.text.escaping import status_body, status_title
from incidents.domain.incident.state import Resources
from incidents.vendors.statuspage import BODY_LIMIT, NAME_LIMIT, StatusIncident, StatuspageClient


class StatuspagePublisher:
    """Publishes to one page of Statuspage."""

    def __init__(self, client: StatuspageClient) -> None:
        self._client = client

    def publish(self, update: PublishStatus, *, repeated: bool) -> ResourcesChanged:
        """Publish an update, once. One older than the page's newest is dropped. What was published is not removed."""
        if update.removes:
            return ResourcesChanged(skipped="Statuspage keeps what was published: remove the incident there")
        found = self._find(update, repeated=repeated)
        body = status_body(update.body, BODY_LIMIT)
        title = status_title(update.title, NAME_LIMIT)
        if found is None:
            return _done(self._client.create_incident(title, update.status, body, **_options(update)))
        shown = _sequence(found)
        if shown > update.sequence:
            return _done(found, f"dropped (the page already shows update {shown})")
        if shown == update.sequence:
            return _done(found)
        return _done(self._client.update_incident(found.id, update.status, body, name=title, **_options(update)))

    def _find(self, update: PublishStatus, *, repeated: bool) -> StatusIncident | None:
        """Return this incident on the page; None if it is not there."""
        if update.page_id is not None:
            return self._client.get_incident(update.page_id)
        return self._client.find_incident(update.marker) if repeated or update.sequence > 1 else None


def _options(update: PublishStatus) -> dict[str, Any]:
    """Return what creating and updating share. `update_key`: the incident's marker and the update's number."""
    return {
        "key": update.marker,
        "update_key": f"{update.marker}/{update.sequence}",
        "impact": update.impact,
        "components": update.components or None,
        "deliver_notifications": update.notify,
    }


def _sequence(incident: StatusIncident) -> int:
    """Return the number of the newest update that the page shows; 0 if it is not ours."""
    number = incident.update_key.rpartition("/")[2]
    return int(number) if number.isdigit() else 0


def _done(incident: StatusIncident, detail: str = "") -> ResourcesChanged:
    resources = Resources(status_page_id=incident.id, status_page_url=incident.url or None)
    return ResourcesChanged(detail=detail, resources=resources)
