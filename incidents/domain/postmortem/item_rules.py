"""When an action item is overdue, and what its owner still owes."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.postmortem.document.sections import ActionItem, ItemState
from incidents.domain.postmortem.postmortem import Postmortem


def day_over(item: ActionItem, runbook: RunbookConfig) -> datetime:
    """Return when an item becomes overdue: the end of its due date, in the organization's time zone.

    Raises:
        ValueError: it has no due date.
    """
    if item.due is None:
        raise ValueError(f"action item {item.id} has no due date")
    zone = ZoneInfo(runbook.calendar.time_zone)
    return datetime.combine(item.due + timedelta(days=1), time(), zone)


def overdue(item: ActionItem, runbook: RunbookConfig, at: datetime) -> bool:
    """Tell whether an item is unsettled after its due date."""
    return not item.settled and item.due is not None and at >= day_over(item, runbook)


def needs_reason(item: ActionItem) -> bool:
    """Tell whether an item was closed as not planned without a reason (behaviour 74)."""
    return item.state is ItemState.WONT_DO and not item.reason


def close_key(item: ActionItem) -> Key:
    """Return the key of closing an item's issue after it was settled by hand."""
    return Key("close", item.id, item.since.isoformat() if item.since else "")


def closing(postmortem: Postmortem, item: ActionItem) -> bool:
    """Tell whether an item was settled by hand and its issue is still open."""
    return item.settled and item.issue is not None and not item.flag and not postmortem.ledger.settled(close_key(item))
