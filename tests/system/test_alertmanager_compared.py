"""What `make chaos-alertmanager` counts."""

from collections import Counter
from typing import Any

from tests.chaos.alertmanager import Told, told


def row(text: str, operation: str = "chat.postMessage") -> dict[str, Any]:
    """Return a row of the ledger."""
    return {"vendor": "slack", "operation": operation, "payload": {"text": text}}


def test_what_is_counted_is_the_message_that_names_the_alert() -> None:
    rows = [
        row("*INC-1 · P2 · investigating · Deliveries001Fail*"),
        row("Look at logs: none"),
        row("Deliveries002Fail"),
    ]
    rows += [row("Deliveries002Fail"), row("Deliveries003Fail", "chat.update")]
    result = told(rows, 3)
    assert result.times == Counter(Deliveries001Fail=1, Deliveries002Fail=2, Deliveries003Fail=0)
    assert result.cells == ["3", "2", "1", "1"]
    assert not result.each_once


def test_alertmanagers_title_stands_in_an_attachment() -> None:
    rows = [{"operation": "chat.postMessage", "payload": {"attachments": '[{"title": "Deliveries001Fail"}]'}}]
    assert told(rows, 1).each_once


def test_an_alert_that_nobody_told_is_not_once() -> None:
    assert not Told(Counter(Deliveries001Fail=1), 2).each_once
