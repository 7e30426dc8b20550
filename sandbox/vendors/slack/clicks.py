"""What a person does on the sandbox's page, sent to the app as Slack sends it: signed by HTTP, or by Socket Mode."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from sandbox.state import Credentials, Options
from sandbox.vendors.slack.socket_mode import SECONDS, SocketMode
from sandbox.vendors.slack.views import Views
from sandbox.vendors.slack.workspace import APP_ID, TEAM, SlackError, Workspace

NOBODY_LISTENS = "no app takes clicks: `make play` runs the gateway"
_TEAM = {"id": TEAM, "domain": "sandbox"}


class Clicks:
    """Buttons and forms. `options.slack_request_url` is where an app listens that has no Socket Mode."""

    def __init__(
        self, workspace: Workspace, views: Views, socket_mode: SocketMode, credentials: Credentials, options: Options
    ) -> None:
        self._workspace, self._views, self._socket_mode, self._options = workspace, views, socket_mode, options
        self._verifier = SignatureVerifier(credentials.slack_signing_secret)
        self._ids = itertools.count(1)

    async def click(self, base: str, order: Mapping[str, Any]) -> None:
        """A person clicks a button: {email, channel, ts, block_id, action_id}. `base`: the sandbox's own address."""
        channel = self._workspace.channel(str(order["channel"]))
        message = channel.message(str(order["ts"]))
        number = next(self._ids)
        payload = {
            "type": "block_actions",
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel.id},
            "channel": {"id": channel.id, "name": channel.name},
            "message": message,
            "trigger_id": f"trigger-{number}",
            "response_url": f"{base}/slack/response/click-{number}",
            "actions": [_button(message, str(order["block_id"]), str(order["action_id"]))],
        }
        await self._send(str(order["email"]), payload)

    async def submit(self, order: Mapping[str, Any]) -> dict[str, str]:
        """A person submits the open form: {email, view, values}; the faults by field, none if it was taken."""
        view = self._views.by_id(str(order["view"]))
        blocks = (block for block in view["blocks"] if block["type"] == "input")
        state = {block["block_id"]: _filled(block, order["values"]) for block in blocks}
        payload = {"type": "view_submission", "view": view | {"state": {"values": state}}}
        answer = await self._send(str(order["email"]), payload)
        if answer.get("response_action") == "errors":
            return dict(answer["errors"])
        if answer.get("response_action") == "update":
            view.update({"submit": None} | answer["view"])
        else:
            self._views.close()
        return {}

    async def _send(self, email: str, payload: dict[str, Any]) -> dict[str, Any]:
        person = self._workspace.by_email(email)
        user = {"id": person["id"], "name": person["name"], "username": person["name"], "team_id": TEAM}
        payload = {"user": user, "api_app_id": APP_ID, "team": _TEAM, **payload}
        if self._options.slack_request_url:
            return await self._post(payload)
        if not self._socket_mode.connections:
            raise SlackError(NOBODY_LISTENS)
        return await self._socket_mode.deliver("interactive", payload)

    async def _post(self, payload: dict[str, Any]) -> dict[str, Any]:
        body = urlencode({"payload": json.dumps(payload)})
        stamp = str(int(self._verifier.clock.now()))
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": str(self._verifier.generate_signature(timestamp=stamp, body=body)),
        }
        url = f"{self._options.slack_request_url}/interactions"
        try:
            async with httpx.AsyncClient(timeout=SECONDS, trust_env=False, verify=False) as http:
                answer = await http.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise SlackError(f"the app did not answer within 3 s ({type(error).__name__})") from None
        if answer.status_code != 200:
            raise SlackError(f"the app answered {answer.status_code}")
        return dict(json.loads(answer.text or "{}"))


def _button(message: dict[str, Any], block_id: str, action_id: str) -> dict[str, Any]:
    """The button of a message as a click names it."""
    for block in message.get("blocks") or []:
        for element in (*block.get("elements", ()), block.get("accessory") or {}):
            if (block.get("block_id", ""), element.get("action_id")) == (block_id, action_id):
                return {**element, "block_id": block_id, "action_ts": message["ts"]}
    raise SlackError("the message has no such button any more")


def _filled(block: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The state of one input as Slack sends it."""
    element, name = block["element"], block["block_id"]
    given = values.get(name) or None
    if element["type"] == "plain_text_input":
        state: dict[str, Any] = {"value": given}
    else:
        chosen = [option for option in element["options"] if option["value"] == given]
        is_boxes = element["type"] == "checkboxes"
        state = {"selected_options": chosen} if is_boxes else {"selected_option": chosen[0] if chosen else None}
    return {element["action_id"]: {"type": element["type"], **state}}
