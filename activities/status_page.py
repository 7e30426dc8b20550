"""The public status page: Statuspage, or a static site. Subscribers are mailed, so an update goes out once."""

from temporalio import activity

from activities.errors import may_be_repeat, translate_vendor_errors
from activities.updates.status_pages.static_site import StatusSite
from incidents.domain.activity_requests import ActivityResult, PublishStatus
from incidents.domain.incident.parts import Resources
from incidents.vendors.statuspage import StatusIncident, StatuspageClient


class StatusPage:
    """Publishes updates to Statuspage, or else to the static site. Without either, requests are skipped."""

    def __init__(self, client: StatuspageClient | None, off: str = "", site: StatusSite | None = None) -> None:
        self._client, self._off, self._site = client, off, site

    @activity.defn
    def publish_status(self, update: PublishStatus) -> ActivityResult:
        """Publish an update, once. An update older than the page's newest is dropped."""
        if self._client is None and self._site is not None:
            with translate_vendor_errors():
                return self._site.publish(update)
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            found = self._standing(self._client, update)
            if found is None:
                return _done(self._create(self._client, update))
            shown = _sequence(found)
            if shown > update.sequence:
                return _done(found, f"dropped (the page already shows update {shown})")
            if shown == update.sequence:
                return _done(found)
            return _done(self._append(self._client, found.id, update))

    @staticmethod
    def _standing(client: StatuspageClient, update: PublishStatus) -> StatusIncident | None:
        """Return this incident on the page; None if it is not there."""
        if update.page_id is not None:
            return client.get_incident(update.page_id)
        return client.find_incident(update.marker) if may_be_repeat(update) or update.sequence > 1 else None

    @staticmethod
    def _create(client: StatuspageClient, update: PublishStatus) -> StatusIncident:
        return client.create_incident(
            update.title,
            update.status,
            update.body,
            key=update.marker,
            update_key=_mark(update),
            impact=update.impact,
            components=update.components or None,
            deliver_notifications=update.notify,
        )

    @staticmethod
    def _append(client: StatuspageClient, incident_id: str, update: PublishStatus) -> StatusIncident:
        return client.update_incident(
            incident_id,
            update.status,
            update.body,
            key=update.marker,
            update_key=_mark(update),
            impact=update.impact,
            components=update.components or None,
            deliver_notifications=update.notify,
        )


def _mark(update: PublishStatus) -> str:
    """Return the hidden key of an update on the page: incident marker and number."""
    return f"{update.marker}/{update.sequence}"


def _sequence(incident: StatusIncident) -> int:
    """Return the number of the newest update that the page shows; 0 if it is not ours."""
    number = incident.update_key.rpartition("/")[2]
    return int(number) if number.isdigit() else 0


def _done(incident: StatusIncident, detail: str = "") -> ActivityResult:
    resources = Resources(status_page_id=incident.id, status_page_url=incident.url or None)
    return ActivityResult(detail=detail, resources=resources)
