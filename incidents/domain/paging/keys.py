"""The keys of pages."""

from incidents.domain.core.keys import Key
from incidents.domain.incident.incident import Incident


def page_key(incident: Incident) -> Key:
    """Return the key of the page to on-call: one for each re-page and each new highest severity."""
    return Key("page", incident.paging.repage_count, incident.highest_severity)


def resolve_key(page: int | Key) -> Key:
    """Return the key of the resolution of a page: of on-call by the number of its re-page, else by its own key."""
    return Key("page-resolve", *((page.kind, *page.parts) if isinstance(page, Key) else (page,)))
