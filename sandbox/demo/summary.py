"""The demo's last lines: how long it took, what customers read, and how many were told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from incidents.domain.core.time.elapsed import in_words
from incidents.domain.incident.incident import Incident
from sandbox.demo.files import HOME, shown

if TYPE_CHECKING:
    from sandbox.demo.stage import Demo


_SHOWN = 3
"""Updates of which the text is shown."""


def summary(demo: Demo) -> RenderableType:
    """Return the last lines."""
    assert demo.incident is not None
    state = demo.sandbox.state()
    read = customer_texts(state)
    few = read if len(read) <= _SHOWN else [*read[: _SHOWN - 1], read[-1]]
    return Group(
        "",
        Text(times(demo.incident), style="bold"),
        Text(told(state)),
        Text(f"Customers read {len(read)} updates{':' if few == read else ', the first and the last of them:'}"),
        *(Text(f"  {text}", overflow="ellipsis", no_wrap=True) for text in few),
        Text("Your turn: `make demo KEEP=1` at the command line, `make play` in the browser"),
    )


def draft_path(number: int) -> str:
    """Return where the draft of the post-mortem is."""
    return shown(HOME / "evidence" / f"INC-{number}" / f"postmortem-{number}.md")


def times(incident: Incident) -> str:
    """Return after how many seconds from its start it was detected, acknowledged, mitigated and resolved."""
    steps = {
        "detected": incident.opened_at,
        "acknowledged": incident.first_acknowledged_at,
        "mitigated": incident.mitigated_at,
        "resolved": incident.resolved_at,
    }
    said = [f"{name} {in_words(at - incident.started_at)}" for name, at in steps.items() if at is not None]
    return " · ".join(said).capitalize() + ", from its start"


def customer_texts(state: dict[str, Any]) -> list[str]:
    """Return what the status page says of each update, oldest first, each as one line."""
    updates = [update for incident in state["statuspage"]["incidents"] for update in incident["incident_updates"]]
    updates.sort(key=lambda update: str(update["created_at"]))
    return [_essence(str(update["body"])) for update in updates]


def _essence(body: str) -> str:
    """Return the sentences that are new in an update, without the form around them."""
    found = re.search(r"Current Status:\s*(.+)", body)
    return " ".join((found[1] if found else body).split())


def told(state: dict[str, Any]) -> str:
    """Return how many people were told, and by how many pages, mails and messages."""
    pages, mails = state["pagerduty"], state["sendgrid"]
    readers = {address for mail in mails for address in (*mail["to"], *mail["cc"], *mail["bcc"])}
    posts = sum(len(channel["messages"]) for channel in state["slack"]["channels"])
    return f"Notified: {len(pages)} people by pager, {len(readers)} by {len(mails)} mails; {posts} messages in Slack"
