"""What of docs/ is made from the sandbox's ledger: `make communication` writes it, and a test holds it."""

import re
from pathlib import Path
from typing import Any

from tests.support.communication.environment import Sent, Stage

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "communication.md"
MAIL = ROOT / "docs" / "mail"

_WORDS = {
    "event.trigger": "page",
    "event.acknowledge": "page acknowledged",
    "event.resolve": "page resolved",
    "mail.send": "e-mail",
    "incident.create": "status page",
    "incident.update": "status page",
    "chat.postMessage": "Slack",
    "conversations.create": "Slack: channel",
    "conversations.setTopic": "Slack: topic",
    "conversations.invite": "Slack: invited",
    "bookmarks.add": "Slack: bookmark",
    "pins.add": "Slack: pinned",
    "meeting.create": "Zoom",
    "silence.create": "Alertmanager: silence",
    "silence.expire": "Alertmanager: silence lifted",
}
_EDITS = ("chat.update", "conversations.setPurpose", "conversations.open")
"""Not shown: changes in place, of which there are more or fewer as one looks."""
_POSTMORTEM = "the post-mortem of INC-"
"""Not shown either: what another workflow says, which starts when the incident is resolved, at the end of the table."""
VENDORS = ("pagerduty", "alertmanager", "statuspage", "sendgrid", "zoom", "slack")


def table(stage: Stage, operations: tuple[str, ...] = ()) -> str:
    """Everything that was sent, as a Markdown table in the order of the minutes; or only some operations."""
    found = [
        (vendor, sent)
        for vendor in VENDORS
        for sent in stage.ledger(vendor)
        if sent.operation not in _EDITS and _POSTMORTEM not in sent.text
        if not operations or sent.operation in operations
    ]
    lines = [
        f"| {at} | {what}{' ' + where if where else ''} | {said} |"
        for at, _, _, what, where, said in sorted(_row(vendor, sent) for vendor, sent in _last_topics(found))
    ]
    return "\n".join(["| UTC | where | what |", "|---|---|---|", *lines])


def _last_topics(found: list[tuple[str, Sent]]) -> list[tuple[str, Sent]]:
    """Of the topics within a minute the last: it is chance whether the war room or the channel is open first."""
    topics = {sent.at.strftime("%H:%M"): sent for _, sent in found if sent.operation == "conversations.setTopic"}
    return [(v, s) for v, s in found if s.operation != "conversations.setTopic" or s in topics.values()]


def _row(vendor: str, sent: Sent) -> tuple[str, int, bool, str, str, str]:
    """A row and what it is sorted by: within a minute, what is sent side by side has no order of its own."""
    where, what = _where(sent), _WORDS.get(sent.operation, sent.operation)
    return sent.at.strftime("%H:%M"), VENDORS.index(vendor), where != "to on_call", what, where, _said(sent)


def _where(sent: Sent) -> str:
    to = (sent.payload.get("custom_details") or {}).get("to", "")
    return f"to {sent.where or to}" if sent.operation in ("mail.send", "event.trigger") else sent.where


def _said(sent: Sent) -> str:
    """The words that matter, on one line: of an update its subject, its current status and when the next one comes."""
    payload = sent.payload
    if "Current Status:" in sent.text:
        status = re.search(r"Status: (\w+)", sent.text)
        current = sent.text.partition("Current Status:\n")[2].partition("\n\nNext Update: ")
        coming = current[2].partition("\n")[0]
        words = f"{status[1] if status else ''}: {current[0]} Next update: {coming}."
    elif sent.text.startswith("*INC-"):
        words = sent.text.splitlines()[0] + " …"
    else:
        words = sent.text or _essence(payload)
    words = re.sub(r" \[[0-9a-f-]{36}\]", "", words)
    words = re.sub(r"evaluation in \d+ ms", "evaluation in … ms", words)
    words = re.sub(r"(https://stspg\.invalid/)\w+", r"\1…", words)
    words = re.sub(r"is due in [\ddhm ]+,", "is due in …,", words)
    words = re.sub(r"Timeline head \d+:[0-9a-f]{16}", "Timeline head 57:3f2a9c01b4de99aa", words)
    words = re.sub(r"file://\S*/evidence/", "file:///…/evidence/", words)
    return " ".join(words.split()).replace("|", "\\|")


def _essence(payload: dict[str, Any]) -> str:
    if "matchers" in payload:
        return f"until {payload['endsAt'][11:16]}: " + ", ".join(
            f"{m['name']}={m['value']}" for m in payload["matchers"]
        )
    if "users" in payload:
        return f"{len(payload['users'].split(','))} people"
    return str(payload.get("name") or payload.get("title") or payload.get("dedup_key") or "")


def between(text: str, name: str) -> str:
    """The part of a document between the marks of that name."""
    return text.partition(f"<!-- {name} -->\n")[2].partition(f"\n<!-- /{name} -->")[0]


def replaced(text: str, name: str, part: str) -> str:
    """The document with another part between the marks."""
    before, mark, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"\n<!-- /{name} -->")
    assert mark, f"docs/communication.md has no marks of {name}"
    assert end
    return before + mark + part + end + after
