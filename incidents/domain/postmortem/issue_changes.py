"""Changes of the action items' issues."""

from datetime import datetime

from incidents.domain.activity_results import IssueFact
from incidents.domain.core.timeline import SYSTEM
from incidents.domain.postmortem.document.sections import ActionItem, ItemState
from incidents.domain.postmortem.item_rules import closing
from incidents.domain.postmortem.postmortem import Postmortem


def apply_issue_changes(postmortem: Postmortem, changes: tuple[IssueFact, ...], at: datetime) -> Postmortem:
    """Apply issue changes to the action items (behaviour 74). Idempotent."""
    for change in changes:
        for item in postmortem.document.items:
            if item.issue != change.number or closing(postmortem, item):
                continue
            now = _updated_from_issue(item, change)
            if now != item:
                now = now.replace(since=at)
                said = f"Action item {item.id} ({item.title}): {now.state.replace('_', ' ')}"
                because = f" ({now.flag})" if now.flag else ""
                postmortem = postmortem.edited(postmortem.document.with_item(now), at)
                postmortem = postmortem.logged(at, SYSTEM, said + because).recorded()
    return postmortem


def _updated_from_issue(item: ActionItem, change: IssueFact) -> ActionItem:
    """Return the item updated from its issue. An item settled by hand keeps its reason."""
    match change.state:
        case "open" if item.state is not ItemState.OPEN:
            return item.replace(state=ItemState.OPEN, reason="", flag="")
        case "closed" if change.reason == "not_planned":
            flag = "" if item.reason else "closed as not planned without a reason"
            return item.replace(state=ItemState.WONT_DO, flag=flag)
        case "closed" if item.state is not ItemState.WONT_DO or not item.reason:
            return item.replace(state=ItemState.DONE, flag="")
        case "gone" | "moved" if not item.settled:
            flag = "its issue was deleted" if change.state == "gone" else "its issue was moved elsewhere"
            return item.replace(state=ItemState.GONE, flag=flag)
    return item
