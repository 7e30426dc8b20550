"""Slack: the modal, the messages of the incident's channel with their buttons and forms, and slash commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from sandbox.server import RunningSandbox
from tests.gateway.ways import script
from tests.gateway.ways.script import ANN, CARLA
from tests.support.slack_person import Person, Transport

CHANNEL = "incident-1"
_LOOKS = 500
"""How often the channel is read until it has a button, 20 times a second: a machine may be busy."""


class BySlack:
    """An incident by Slack alone. Its people press only what they find in the channel."""

    def __init__(self, sandbox: RunningSandbox, send: Transport) -> None:
        self._sandbox = sandbox
        self._carla, self._ann = Person(sandbox, send, CARLA), Person(sandbox, send, ANN)

    async def open(self) -> None:
        modal = await self._carla.opens("open")
        asked = {"title": script.TITLE, "service": script.SERVICE, "severity": script.SEVERITY}
        shown = await self._carla.submits(modal, **asked)
        assert shown["response_action"] == "update"
        await self._carla.modal(modal, "*INC-1* is open")

    async def acknowledge(self) -> None:
        assert await self._carla.clicks(*await self._button("Acknowledge")) == f"Acknowledged by {CARLA}"

    async def take_command(self) -> None:
        assert f"Commander: {ANN}" in await self._ann.clicks(*await self._button("Take command"))

    async def assess(self) -> None:
        assert "Assessed" in await self._ann.says(f"assess {script.IMPACT} --customers {script.CUSTOMER}", CHANNEL)

    async def declare_severity(self) -> None:
        await self._fills_in("Severity…", severity=script.LOWER, reason=script.WHY_LOWER)

    async def note(self) -> None:
        assert await self._ann.says(f"note {script.NOTE}", CHANNEL) == script.NOTE

    async def update(self) -> None:
        await self._fills_in("Update…", text=script.UPDATE, when="now")

    async def approve(self) -> None:
        answer = await self._ann.decides(*await self._button("Approve"))
        assert "approved" in answer["text"]

    async def confirm(self) -> None:
        said = await self._ann.says(f"confirm --customer {script.CUSTOMER} --note {script.RESTORED}", CHANNEL)
        assert "service is restored" in said

    async def resolve(self) -> None:
        await self._fills_in("Resolve…", text=script.RESOLVED)

    async def _fills_in(self, label: str, **values: str) -> None:
        form = await self._ann.clicks_open(*await self._button(label))
        assert await self._ann.submits(form, **values) == {}, "the form closes"

    async def _button(self, label: str) -> tuple[str, Any]:
        """The action and the value of a button of the channel, once a message has it."""
        for _ in range(_LOOKS):
            for button in buttons(self._sandbox):
                if button["text"]["text"] == label:
                    return button["action_id"], json.loads(button["value"])
            await asyncio.sleep(0.05)
        raise AssertionError(f"no message has the button {label}: {list(buttons(self._sandbox))}")


def buttons(sandbox: RunningSandbox) -> Iterator[dict[str, Any]]:
    """The buttons of the messages in the incident's channel."""
    for channel in sandbox.state()["slack"]["channels"]:
        for message in channel["messages"] if channel["name"] == CHANNEL else ():
            for block in message.get("blocks") or ():
                yield from block.get("elements", ()) if block["type"] == "actions" else ()
