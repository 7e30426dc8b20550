"""Settings of the status page: what it shows, where readers find it, and every word that our own site says."""

from typing import Annotated

from pydantic import AfterValidator, Field

from incidents.domain.core.base import Frozen


def _checked_address(url: str) -> str:
    if url and not url.startswith(("https://", "http://")):
        raise ValueError("must start with https:// or http://")
    return url.rstrip("/")


def _checked_subscription(url: str) -> str:
    if url and not url.startswith(("https://", "http://", "mailto:")):
        raise ValueError("must start with https://, http:// or mailto:")
    return url


class SiteTexts(Frozen):
    """Texts of our own status site, besides the updates. A `{NAME}` in capitals is filled in."""

    title: str = "{PRODUCT} status"
    all_operational: str = "All systems operational"
    in_maintenance: str = "Planned maintenance is in progress"
    in_incident: str = "There is an incident"
    as_of: str = "As of {TIME}"
    open_incidents: str = "Open incidents"
    components: str = "Components"
    history: str = "Since {DATE}"
    good_history: str = "no incidents or maintenance"
    bad_days: str = "Days with incidents or maintenance"
    maintenance: str = "Planned maintenance"
    maintenance_of: str = "Maintenance: {COMPONENTS}"
    everything: str = "all components"
    past_incidents: str = "Past incidents"
    no_incidents: str = "None since {DATE}."
    affected: str = "Affected"
    subscribe: str = "Subscribe"
    subscribe_to_updates: str = "Get updates"
    atom: str = "Atom feed"
    rss: str = "RSS feed"
    calendar: str = "Maintenance calendar"
    removed: str = "There is nothing to read here."
    back: str = "Current status"
    investigating: str = "Investigating"
    monitoring: str = "Monitoring"
    resolved: str = "Resolved"
    operational: str = "Operational"
    under_maintenance: str = "Under maintenance"
    degraded_performance: str = "Degraded performance"
    partial_outage: str = "Partial outage"
    major_outage: str = "Major outage"
    no_data: str = "No data"

    def word(self, name: str) -> str:
        """Return the word for a state of a component or a status of an incident; the name itself if there is none."""
        return str(getattr(self, name)) if name in type(self).model_fields else name


class StatusPage(Frozen):
    """What the status page shows.

    `components`: our service name to the component id of a vendor's page. `url`: where readers find the page: mails
    link it, and the feeds of our own site. `subscribe_url`: where readers of our own site subscribe, a web page or a
    `mailto:`. `texts`: of our own site, as the worker's runbook has them; no incident carries them.
    """

    notify_subscribers: bool = True
    components: dict[str, str] = {}
    url: Annotated[str, AfterValidator(_checked_address)] = ""
    subscribe_url: Annotated[str, AfterValidator(_checked_subscription)] = ""
    texts: SiteTexts = Field(default=SiteTexts(), exclude=True)
