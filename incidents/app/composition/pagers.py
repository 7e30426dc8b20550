"""The pagers that the settings name: for the worker's pages, and for direct pages while Temporal is unreachable."""

from activities import ports
from activities.paging.ntfy import NtfyPager
from activities.paging.paging import Paging
from incidents.app.settings import Settings
from incidents.client.paging.acknowledge_links import AcknowledgeLinks
from incidents.vendors.paging.ntfy import NtfyClient
from incidents.vendors.paging.pagerduty import PagerDutyEvents

PAGER_SETTINGS = "PAGERDUTY_ROUTING_KEY or NTFY_URL"
"""The settings of which each is a pager for everyone."""
_OFF = "pager not configured (PAGERDUTY_ROUTING_KEY and NTFY_URL are not set)"


def build_paging(settings: Settings) -> Paging:
    """Build the paging activities: off with the reason if there is no pager."""
    return Paging(build_pager(settings), _OFF, build_own_pagers(settings), build_acknowledge_links(settings))


def build_acknowledge_links(settings: Settings) -> AcknowledgeLinks | None:
    """Return what makes and reads the links of pages; None without the gateway's public address and its secret."""
    secret = settings.gateway_secret.get_secret_value()
    return AcknowledgeLinks(settings.gateway_url, secret) if settings.gateway_url and secret else None


def build_pager(settings: Settings) -> ports.Pager | None:
    """Return the pager of everyone who has none of their own: PagerDuty if it is on, else ntfy; None without both."""
    ntfy = build_ntfy(settings)
    return build_pagerduty(settings) or (NtfyPager(ntfy) if ntfy else None)


def build_own_pagers(settings: Settings) -> dict[str, ports.Pager]:
    """Return the pager of each contact who has one of their own; of one who has two, PagerDuty."""
    topics = {contact: NtfyPager(client) for contact, client in build_own_ntfy(settings).items()}
    return {**topics, **build_own_pagerduty(settings)}


def contacts_with_pager(settings: Settings) -> frozenset[str]:
    """Return the contacts who have a pager of their own."""
    return frozenset((*settings.pagerduty_routing_keys, *settings.ntfy_topics))


def build_pagerduty(settings: Settings) -> PagerDutyEvents | None:
    """Return PagerDuty's events, if a routing key is set."""
    if not settings.is_on("pagerduty"):
        return None
    return _events(settings.pagerduty_routing_key.get_secret_value(), settings)


def build_own_pagerduty(settings: Settings) -> dict[str, PagerDutyEvents]:
    """Return PagerDuty's events for each contact with a routing key of their own."""
    keys = settings.pagerduty_routing_keys
    return {contact: _events(key.get_secret_value(), settings) for contact, key in keys.items()}


def build_ntfy(settings: Settings) -> NtfyClient | None:
    """Return the topic of ntfy, if it is on."""
    return _topic("", settings) if settings.is_on("ntfy") else None


def build_own_ntfy(settings: Settings) -> dict[str, NtfyClient]:
    """Return the topic of each contact who has one of their own."""
    topics = settings.ntfy_topics
    return {contact: _topic(topic.get_secret_value(), settings) for contact, topic in topics.items()}


def _events(routing_key: str, settings: Settings) -> PagerDutyEvents:
    return PagerDutyEvents(routing_key, settings.pagerduty_events_url, settings.http_timeout_seconds)


def _topic(topic: str, settings: Settings) -> NtfyClient:
    url, token = settings.ntfy_url.get_secret_value(), settings.ntfy_token.get_secret_value()
    return NtfyClient(url, token, topic, settings.http_timeout_seconds)
