"""The pagers that the settings name: for the worker's pages, and for direct pages while Temporal is unreachable."""

from activities.paging.paging import Paging
from incidents.app.composition.integrations import why_off
from incidents.app.settings import Settings
from incidents.client.paging.acknowledge_links import AcknowledgeLinks
from incidents.vendors.paging.pagerduty import PagerDutyEvents


def build_paging(settings: Settings) -> Paging:
    """Build the paging activities: off with the reason if there is no pager."""
    off = why_off(settings).get("pagerduty", "")
    return Paging(build_pager(settings), off, build_own_pagers(settings), build_acknowledge_links(settings))


def build_acknowledge_links(settings: Settings) -> AcknowledgeLinks | None:
    """Return what makes and reads the links of pages; None without the gateway's public address and its secret."""
    secret = settings.gateway_secret.get_secret_value()
    return AcknowledgeLinks(settings.gateway_url, secret) if settings.gateway_url and secret else None


def build_pager(settings: Settings) -> PagerDutyEvents | None:
    """Return the pager of everyone who has none of their own; None if no routing key is set."""
    if not settings.is_on("pagerduty"):
        return None
    return _events(settings.pagerduty_routing_key.get_secret_value(), settings)


def build_own_pagers(settings: Settings) -> dict[str, PagerDutyEvents]:
    """Return the pager of each contact who has one of their own."""
    keys = settings.pagerduty_routing_keys
    return {contact: _events(key.get_secret_value(), settings) for contact, key in keys.items()}


def _events(routing_key: str, settings: Settings) -> PagerDutyEvents:
    return PagerDutyEvents(routing_key, settings.pagerduty_events_url, settings.http_timeout_seconds)
