"""Buttons and forms on the sandbox's page reach the app as Slack sends them: signed, with what a person would send."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from sandbox.server import RunningSandbox
from sandbox.vendors.slack.clicks import NOBODY_LISTENS

BUTTON = {"type": "button", "action_id": "acknowledge", "value": "v7", "text": {"type": "plain_text", "text": "Ack"}}
INPUT = {
    "type": "input",
    "block_id": "text",
    "label": {"type": "plain_text", "text": "What we know"},
    "element": {"type": "plain_text_input", "action_id": "text"},
}
FORM = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Update"},
    "submit": {"type": "plain_text", "text": "Save"},
    "blocks": [INPUT],
}


class App(BaseHTTPRequestHandler):
    """An app that takes signed requests."""

    taken: ClassVar[list[dict[str, Any]]] = []
    answer: ClassVar[dict[str, Any]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        verifier = SignatureVerifier("sandbox-slack-signing-secret")
        assert verifier.is_valid_request(body, {name.lower(): value for name, value in self.headers.items()})
        self.taken.append({"path": self.path, **json.loads(parse_qs(body)["payload"][0])})
        said = json.dumps(self.answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def app(sandbox: RunningSandbox) -> Iterator[type[App]]:
    App.taken.clear()
    App.answer = {}
    server = HTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sandbox.options(slack_request_url=f"http://127.0.0.1:{server.server_port}/slack")
    yield App
    server.shutdown()
    server.server_close()


@pytest.fixture
def message(sandbox: RunningSandbox) -> dict[str, str]:
    slack = WebClient(sandbox.credentials.slack_bot_token, base_url=f"{sandbox.url}/slack/api/")
    channel = str(slack.conversations_create(name="incident-1")["channel"]["id"])
    blocks = [{"type": "actions", "block_id": "b", "elements": [BUTTON]}]
    ts = str(slack.chat_postMessage(channel=channel, text="INC-1", blocks=blocks)["ts"])
    return {"email": "oncall@featuresignals.com", "channel": channel, "ts": ts}


CLICK = {"block_id": "b", "action_id": "acknowledge"}


def test_a_click_is_signed_and_names_button_message_and_person(
    http: httpx.Client, app: type[App], message: dict[str, str]
) -> None:
    assert http.post("/_control/click", json=message | CLICK).status_code == 204
    (sent,) = app.taken
    assert sent["path"] == "/slack/interactions"
    assert (sent["type"], sent["user"]["name"]) == ("block_actions", "oncall")
    assert (sent["channel"]["id"], sent["message"]["ts"]) == (message["channel"], message["ts"])
    assert [(action["action_id"], action["value"]) for action in sent["actions"]] == [("acknowledge", "v7")]
    assert sent["response_url"].startswith(str(http.base_url).rstrip("/"))


def test_without_an_app_a_click_says_so(http: httpx.Client, message: dict[str, str]) -> None:
    answer = http.post("/_control/click", json=message | CLICK)
    assert (answer.status_code, answer.json()) == (400, {"error": NOBODY_LISTENS})


@pytest.mark.usefixtures("app")
def test_a_button_that_is_gone_says_so(http: httpx.Client, message: dict[str, str]) -> None:
    answer = http.post("/_control/click", json=message | CLICK | {"action_id": "resolve"})
    assert "no such button" in answer.json()["error"]


def test_a_form_is_on_the_page_until_the_app_takes_it(
    http: httpx.Client, sandbox: RunningSandbox, app: type[App], message: dict[str, str]
) -> None:
    http.post("/_control/click", json=message | CLICK)
    slack = WebClient(sandbox.credentials.slack_bot_token, base_url=f"{sandbox.url}/slack/api/")
    view = slack.views_open(trigger_id=app.taken[-1]["trigger_id"], view=FORM)["view"]["id"]
    assert f'data-view="{view}"' in http.get("/").text
    filled = {"email": message["email"], "view": view, "values": {"text": "We roll back."}}
    app.answer = {"response_action": "errors", "errors": {"text": "too short"}}
    assert http.post("/_control/submit", json=filled).json() == {"text": "too short"}
    assert f'data-view="{view}"' in http.get("/").text
    app.answer = {}
    assert http.post("/_control/submit", json=filled).json() == {}
    assert app.taken[-1]["view"]["state"]["values"] == {
        "text": {"text": {"type": "plain_text_input", "value": "We roll back."}}
    }
    assert "data-view=" not in http.get("/").text.partition("<script>")[0]


def test_the_newest_message_and_the_newest_reply_stand_first(http: httpx.Client, message: dict[str, str]) -> None:
    said = {"channel": message["channel"], "email": message["email"]}
    for text, parent in (("reply-one", message["ts"]), ("later", ""), ("reply-two", message["ts"])):
        http.post("/_control/say", json=said | {"text": text, "thread_ts": parent})
    page = http.get("/").text
    places = [page.index(text) for text in ("later", ">Ack<", "reply-two", "reply-one")]
    assert places == sorted(places)
