"""docs/communication.md and docs/mail show what the sandbox got: they equal what these stories send."""

import os
import re

from sandbox.server import RunningSandbox
from tests.support.communication.document import (
    DOCUMENT,
    MAIL,
    between,
    replaced,
    table,
)
from tests.support.communication.environment import Stage
from tests.support.communication.scenarios import four_hours, six_hours, two_hours, vendors_down

WRITE = os.environ.get("WRITE_DOCS") == "1"
"""`make communication` sets it: the documents are written then, and compared otherwise."""


def compared(name: str, part: str) -> None:
    """Hold, or write, one part of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if WRITE:
        DOCUMENT.write_text(replaced(text, name, part), encoding="utf-8")
        return
    assert between(text, name) == part, "say `make communication`, and look at what has changed"


async def test_six_hours_of_a_p0_that_is_lowered_and_raised(stage: Stage) -> None:
    await six_hours(stage)
    compared("six hours", table(stage))
    kept("update", stage, "A configuration error is being reverted.")
    kept("resolved", stage, "Status: RESOLVED")


def kept(name: str, stage: Stage, holding: str) -> None:
    """Hold, or write, one mail as customers get it."""
    mail = next(mail for mail in stage.sandbox.state()["sendgrid"] if holding in mail["text"])
    for kind in ("html", "text"):
        path = MAIL / f"{name}.{'html' if kind == 'html' else 'txt'}"
        text = re.sub(r"(https://stspg\.invalid/)\w+", r"\1incident", mail[kind])
        if WRITE:
            MAIL.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, "say `make communication`"


async def test_statuspage_down_for_90_minutes_and_slack_for_ten(stage: Stage, sandbox: RunningSandbox) -> None:
    await vendors_down(stage)
    operations = ("mail.send", "incident.create", "incident.update", "chat.postMessage", "event.trigger")
    compared("vendors down", table(stage, operations))
    texts = [update.text for update in stage.page_updates()]
    assert len(texts) == len(set(texts))
    refused = [call for call in sandbox.calls("slack") if call["status"] == 429]
    assert refused, "Slack did say 429"


async def test_a_p1_from_its_alert_to_its_resolution(stage: Stage) -> None:
    await two_hours(stage)
    compared("p1", table(stage))
    assert not stage.mails(), "customers of a P1 are not mailed"


async def test_a_p2_from_its_alert_to_its_end(stage: Stage) -> None:
    await four_hours(stage)
    compared("p2", table(stage))
