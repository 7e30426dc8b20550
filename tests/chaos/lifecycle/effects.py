"""What the sandbox's ledger says was done: each effect by what it was about, the same in every run."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

IN_PLACE = frozenset(
    {
        ("slack", "chat.update"),
        ("slack", "conversations.setTopic"),
        ("slack", "conversations.setPurpose"),
        ("slack", "conversations.invite"),
        ("slack", "conversations.archive"),
        ("slack", "conversations.open"),
        ("slack", "pins.add"),
        ("pagerduty", "event.acknowledge"),
        ("pagerduty", "event.resolve"),
        ("alertmanager", "silence.expire"),
        ("github", "file.put"),
        ("github", "labels.add"),
    }
)
"""Effects that set what may already be so: how often depends on when one looks (docs/effects.md)."""
AT_LEAST_ONCE = frozenset({"sendgrid", "webhook"})
"""Vendors that cannot be asked what they have sent: a second time does the same once more (docs/effects.md)."""

_RUN = re.compile(r"\[?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\]?/?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
_UPDATE = re.compile(r"^update/\d+")
_NOTICE = re.compile(r"^notice/\d+$")
_SAME = {"No alerts since": "stability window", "The stability window is over": "stability window"}
"""Notices of one event: which of them is posted depends on whether the alert's end or the window's was first."""
_MENTIONED = re.compile(r"^(?:<@[^>]+> |ann: )")
"""A question that is posted once there is a commander mentions the commander."""
_WORDS = 30
"""Letters by which a message is known that has figures in its text."""
Row = dict[str, Any]


@dataclass(frozen=True, order=True)
class Effect:
    """One effect: `about` is its idempotency key, or what else it is known by; without ids and times of its run."""

    vendor: str
    operation: str
    about: str

    @property
    def of_cadence(self) -> bool:
        """Tell whether it is a status update or its reminder: how many there are depends on how long a run takes."""
        return bool(_UPDATE.match(self.about))

    @property
    def in_place(self) -> bool:
        """Tell whether it sets what may already be so."""
        return (self.vendor, self.operation) in IN_PLACE

    def __str__(self) -> str:
        return f"{self.vendor} {self.operation} {self.about}"


def effects(rows: Iterable[Row]) -> Counter[Effect]:
    """Return the ledger's effects, each with how often it was done."""
    return Counter(effect_of(row) for row in rows)


def exact_keys(rows: Iterable[Row]) -> Counter[Effect]:
    """Return the effects that have an idempotency key, by that key as it is, each with how often it was done."""
    return Counter(
        Effect(row["vendor"], row["operation"], f"{key} {_recipient(row)}".strip())
        for row in rows
        if (key := key_of(row))
    )


def effect_of(row: Row) -> Effect:
    """Return what one row of the ledger was about."""
    key = _TIME.sub("<time>", _RUN.sub("", key_of(row)))
    if _NOTICE.match(key):
        key = f"notice: {_notice(str(row['payload'].get('text', '')))}"
    return Effect(row["vendor"], row["operation"], f"{key or _content(row['payload'])} {_recipient(row)}".strip())


def key_of(row: Row) -> str:
    """Return the idempotency key that the vendor was given, or ""."""
    payload = row["payload"]
    match row["vendor"]:
        case "slack":
            metadata = payload.get("metadata") or "{}"
            metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
            return str(metadata.get("event_payload", {}).get("key", ""))
        case "sendgrid":
            return str(payload["custom_args"].get("operation_key", ""))
        case "statuspage":
            key = str((payload.get("metadata") or {}).get("incident_runbook", {}).get("update_key", ""))
            run, _, number = key.rpartition("/")
            return f"{run}/update/{number}/status_page" if number.isdigit() else key
        case "pagerduty":
            return str(payload.get("dedup_key", ""))
        case _:
            return ""


def done_at(row: Row) -> datetime:
    """Return when the vendor did it."""
    return datetime.fromisoformat(row["at"])


def _recipient(row: Row) -> str:
    """Return to whom a mail went, as a digest would be: addresses are the sandbox's own, so they may be shown."""
    return ", ".join(row["payload"].get("to", ())) if row["vendor"] == "sendgrid" else ""


def _content(payload: Row) -> str:
    """Return what an effect without a key was about."""
    if payload.get("version"):
        return f"version={payload['version']}"
    for name in ("title", "path", "topic", "name", "comment", "content", "head", "channel_name"):
        if payload.get(name):
            return f"{name}={_in_words(str(payload[name]))}"
    return _in_words(str(payload.get("text", "")))


def _notice(text: str) -> str:
    asked = _MENTIONED.sub("", text)
    return next((same for words, same in _SAME.items() if asked.startswith(words)), _in_words(asked))


def _in_words(text: str) -> str:
    plain = _RUN.sub("", text.split("\n")[0])
    return "".join(letter for letter in plain if not letter.isdigit())[:_WORDS].strip()
