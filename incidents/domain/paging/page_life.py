"""How long a page lives: what a link in it may still acknowledge."""

import re
from datetime import datetime, timedelta

from incidents.domain.config.communication import Reach
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind
from incidents.domain.paging.keys import dedup_key, own_key

LINK_LIFE = timedelta(hours=24)
"""A link is worth nothing after that; it ends before with its page (`is_page_open`)."""
_TOLERANCE = timedelta(minutes=1)
"""By how much the clock that a link was made by may be behind the workflow's."""


def takes_acknowledgement(key: str) -> bool:
    """Tell whether a page asks for a responder: to on-call, or an escalation. Others ask for a decision or a repair.

    `key`: the pager's key of the page, which begins with the workflow id.
    """
    rest = key.partition("/")[2]
    return re.fullmatch(r"\d*", rest) is not None or rest.startswith(f"{ObligationKind.ESCALATE}/")


def is_page_open(incident: Incident, key: str, sent_at: datetime) -> bool:
    """Tell whether a page still asks for a responder: not once the incident is attended, over, or paged anew.

    Args:
        incident: as it stands.
        key: the pager's key of the page.
        sent_at: when it was sent, aware UTC.
    """
    if incident.over or incident.paging.attended:
        return False
    if key == dedup_key(incident, incident.paging.repage_count):
        return True
    since = incident.paging.last_paged_at or incident.opened_at
    pages = (call.key for call in incident.paging.calls if call.reach is Reach.PAGE)
    escalated = any(key == own_key(incident, page) for page in pages)
    return escalated and sent_at + _TOLERANCE >= since
