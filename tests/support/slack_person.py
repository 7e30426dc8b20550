"""A person at the sandbox's Slack, whose requests reach the gateway by Socket Mode or by signed HTTP."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from sandbox.server import RunningSandbox

COMMAND, INTERACTION, EVENT = "slash_commands", "interactive", "events_api"
Transport = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Sends what a person did, by its kind at Socket Mode, and returns what the app acknowledges it with."""
_LOOKS = 500
"""How often a result is looked for, 20 times a second: a machine may be busy."""
_PATHS = {COMMAND: "/slack/commands", INTERACTION: "/slack/interactions", EVENT: "/slack/events"}


def by_socket(sandbox: RunningSandbox) -> Transport:
    """In a thread of its own, since the gateway answers in this one."""

    async def send(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(sandbox.slack_sends, kind, payload)

    return send


def by_http(http: httpx.AsyncClient, secret: str) -> Transport:
    async def send(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        body, headers = encoded(kind, payload)
        answer = await http.post(_PATHS[kind], content=body, headers=headers | signed(body, secret))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = json.loads(answer.text or "{}")
        return found

    return send


def encoded(kind: str, payload: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The body and its type: a command as a form, an interaction as JSON in a form's field, an event as JSON."""
    if kind == EVENT:
        return json.dumps(payload).encode(), {"content-type": "application/json"}
    form = payload if kind == COMMAND else {"payload": json.dumps(payload)}
    return urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded"}


def signed(body: bytes, secret: str, age: int = 0) -> dict[str, str]:
    """Slack's headers of a request that it sent `age` seconds ago."""
    stamp = str(int(time.time()) - age)
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}


class Person:
    """One person: of the sandbox's workspace, if it has one of that name. What only they see is `private_answers`."""

    def __init__(self, sandbox: RunningSandbox, send: Transport, name: str = "ann") -> None:
        self._sandbox, self._send, self.name = sandbox, send, name
        self.id = "U" + hashlib.sha256(f"{name}@featuresignals.com".encode()).hexdigest()[:10].upper()

    async def says(self, text: str, channel: str = "general") -> str:
        """Type a slash command, and return the answer that only this person sees."""
        form = {"command": "/incident", "text": text, "channel_id": self.channel_id(channel), "channel_name": channel}
        return await self._answered(COMMAND, form | self._sender())

    async def opens(self, text: str = "") -> dict[str, Any]:
        """Type a slash command that shows a modal, and return the modal."""
        form = {"command": "/incident", "text": text, "channel_id": "C0X", "channel_name": "general"}
        return await self._shown(COMMAND, form | self._sender())

    async def submits(self, view: Mapping[str, Any], **values: str) -> dict[str, Any]:
        """Fill in a modal's fields, the others as they are at first; return what the app acknowledges it with."""
        submitted = {**view, "state": {"values": dict(_filled(block, values) for block in _inputs(view))}}
        payload = {"type": "view_submission", "view": submitted, "user": self.user, "team": {"id": "T0SANDBOX1"}}
        return await self._send(INTERACTION, payload)

    async def modal(self, view: Mapping[str, Any], containing: str) -> str:
        """Wait until the modal shows some text, and return all of it."""
        for _ in range(_LOOKS):
            now = next(each for each in self._sandbox.state()["slack"]["modals"] if each["id"] == view["id"])
            if containing in (text := json.dumps(now["blocks"], ensure_ascii=False)):
                return text
            await asyncio.sleep(0.05)
        raise AssertionError(f"the modal shows {text}")

    def _sender(self) -> dict[str, str]:
        who = {"user_id": self.id, "user_name": self.name, "team_id": "T0SANDBOX1"}
        return who | {"trigger_id": self._trigger()}

    @staticmethod
    def _trigger() -> str:
        return f"{time.time_ns()}.trigger"

    async def clicks(self, action: str, value: object) -> str:
        """Click a button of a message, and return the answer that only this person sees."""
        return await self._answered(INTERACTION, self._click(action, value))

    async def clicks_open(self, action: str, value: object) -> dict[str, Any]:
        """Click a button that shows a modal, and return the modal."""
        return await self._shown(INTERACTION, self._click(action, value))

    async def decides(self, action: str, value: object) -> dict[str, Any]:
        """Click a button of a decision, and return the message that replaces the one with the buttons."""
        blocks = [{"type": "header"}, {"type": "actions", "elements": []}]
        payload = self._click(action, value) | {"message": {"ts": "1.2", "blocks": blocks}}
        return await self._answer(INTERACTION, payload)

    async def points_at(self, shortcut: str, channel: str, message: Mapping[str, Any]) -> str:
        """Choose a shortcut on a message, and return the answer that only this person sees."""
        return await self._answered(INTERACTION, self._shortcut(shortcut, channel, message))

    async def points_at_and_opens(self, shortcut: str, channel: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """Choose a shortcut on a message, and return the modal that it shows."""
        return await self._shown(INTERACTION, self._shortcut(shortcut, channel, message))

    def _shortcut(self, name: str, channel: str, message: Mapping[str, Any]) -> dict[str, Any]:
        where = {"id": self.channel_id(channel), "name": channel}
        payload = {"type": "message_action", "callback_id": name, "trigger_id": self._trigger(), "channel": where}
        return payload | {"user": self.user, "message": message, "message_ts": message["ts"]}

    async def reacts(self, reaction: str, channel: str, ts: str) -> None:
        """React to a message."""
        item = {"type": "message", "channel": self.channel_id(channel), "ts": ts}
        await self._happens({"type": "reaction_added", "user": self.id, "reaction": reaction, "item": item})

    async def opens_home(self, containing: str) -> str:
        """Open the app's home tab, and return what it shows once that holds some text."""
        await self._happens({"type": "app_home_opened", "user": self.id, "tab": "home", "channel": "D0X"})
        shown = ""
        for _ in range(_LOOKS):
            view = self._sandbox.state()["slack"]["homes"].get(self.id, {})
            if containing in (shown := json.dumps(view, ensure_ascii=False)):
                return shown
            await asyncio.sleep(0.05)
        raise AssertionError(f"the home tab shows {shown}")

    async def _happens(self, event: dict[str, Any]) -> None:
        body = {"type": "event_callback", "team_id": "T0SANDBOX1", "event_id": f"Ev{time.time_ns()}", "event": event}
        assert await self._send(EVENT, body) == {}

    def _click(self, action: str, value: object) -> dict[str, Any]:
        return clicked(action, value) | {"user": self.user, "trigger_id": self._trigger()}

    @property
    def user(self) -> dict[str, str]:
        """This person as Slack names them in an interaction."""
        return {"id": self.id, "name": self.name, "username": self.name, "team_id": "T0SANDBOX1"}

    def channel_id(self, name: str) -> str:
        """The id of a channel; any other for a channel that the sandbox does not have."""
        channels = self._sandbox.state()["slack"]["channels"]
        return next((str(channel["id"]) for channel in channels if channel.get("name") == name), "C0NOTHERE")

    async def _answered(self, kind: str, payload: dict[str, Any]) -> str:
        answer = await self._answer(kind, payload)
        assert (answer["response_type"], answer["replace_original"]) == ("ephemeral", False)
        return str(answer["text"])

    async def _answer(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        before = len(self.private_answers())
        payload = payload | {"response_url": f"{self._sandbox.url}/slack/response/{before}"}
        assert await self._send(kind, payload) == {}, "acknowledged before any work"
        for _ in range(_LOOKS):
            if len(answers := self.private_answers()) > before:
                assert answers[-1]["id"] == str(before)
                return answers[-1]
            await asyncio.sleep(0.05)
        raise AssertionError("no answer")

    async def _shown(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        before = len(self._sandbox.state()["slack"]["modals"])
        assert await self._send(kind, payload) == {}, "acknowledged before any work"
        for _ in range(_LOOKS):
            if len(modals := self._sandbox.state()["slack"]["modals"]) > before:
                found: dict[str, Any] = modals[-1]
                return found
            await asyncio.sleep(0.05)
        raise AssertionError("no modal was shown")

    def private_answers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._sandbox.state()["slack"]["answers"]
        return found


def clicked(action: str, value: object = None) -> dict[str, Any]:
    """The click of a button."""
    button = {"type": "button", "block_id": "b", "action_id": action}
    return {
        "type": "block_actions",
        "user": {"id": "W1", "username": "ann", "name": "ann"},
        "team": {"id": "T0SANDBOX1"},
        "trigger_id": "1.2.x",
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [button | {"value": json.dumps(value or {"incident": "incident-x", "revision": 7})}],
    }


def _inputs(view: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (block for block in view["blocks"] if block["type"] == "input")


def _filled(block: dict[str, Any], values: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The state of an input as Slack sends it. What is filled in must be possible: an option that there is."""
    name, element = block["block_id"], block["element"]
    if element["type"] == "plain_text_input":
        state: dict[str, Any] = {"value": values.get(name, element.get("initial_value"))}
    else:
        chosen = [option for option in element["options"] if option["value"] == values.get(name)]
        assert chosen or name not in values, f"{name} has no option {values[name]}"
        state = {"selected_option": chosen[0] if chosen else element.get("initial_option")}
        if element["type"] == "checkboxes":
            state = {"selected_options": chosen}
    return name, {element["action_id"]: {"type": element["type"], **state}}
