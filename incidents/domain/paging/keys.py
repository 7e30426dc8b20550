"""The keys of pages: those of their obligations, and those by which the pager knows them."""

from incidents.domain.core.keys import Key
from incidents.domain.incident.incident import Incident

_PAGE_UPDATE = "page-update"


def page_key(incident: Incident) -> Key:
    """Return the key of the page to on-call: one for each re-page and each new highest severity."""
    return Key("page", incident.paging.repage_count, incident.highest_severity)


def own_key(incident: Incident, key: str) -> str:
    """Return the pager's key of the page of any obligation but those that page on-call."""
    return f"{incident.workflow_id}/{key}"


def dedup_key(incident: Incident, calling: int) -> str:
    """Return the pager's key of a page to on-call, by the number of its re-page.

    At first it is the workflow id, which the starter knows too (behaviour 13).
    """
    return f"{incident.workflow_id}/{calling}" if calling else incident.workflow_id


def on_call_key(*parts: object) -> Key:
    """Return the key of a lookup of who is on call: by the number of the re-page, or by the parts of a rung."""
    return Key("on-call", *parts)


def acknowledgement_key(calling: int) -> Key:
    """Return the key of the acknowledgement of a page to on-call, by the number of its re-page."""
    return Key("page-ack", calling)


def page_update_key(page: Key) -> Key:
    """Return the key of the update of a page to on-call."""
    return Key(_PAGE_UPDATE, *page.parts)


def is_page_update(key: Key) -> bool:
    """Tell whether it is the key of the update of a page."""
    return key.kind == _PAGE_UPDATE


def resolve_key(page: int | Key) -> Key:
    """Return the key of the resolution of a page: of on-call by the number of its re-page, else by its own key."""
    return Key("page-resolve", *((page.kind, *page.parts) if isinstance(page, Key) else (page,)))
