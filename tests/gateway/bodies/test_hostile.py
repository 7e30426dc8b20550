"""105: whatever anybody sends, the gateway answers 2xx or 4xx, and Temporal gets nothing that it cannot take.

The server is real and has no worker, so each payload that is accepted was also taken by Temporal.
"""

import asyncio
import gc
import hashlib
import hmac
import json
import logging
import time
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from incidents.app.settings import Settings, load_settings
from incidents.client.alert_sources.names import SourceName
from incidents.contracts import AlertBatch
from incidents.domain.chat.buttons import FORMS, Action
from incidents.gateway.app import Gateway
from incidents.gateway.slack.slash import verbs as slack_verbs
from tests.gateway.calls import EVENT_KEY, sendgrids
from tests.support.environment import QUEUE, World
from tests.support.hostile import (
    TEXTS,
    VALUES,
    broken,
    encoded,
)
from tests.support.thoroughness import by_thoroughness

SECRET = "secret"
FORM = "application/x-www-form-urlencoded"
SAMPLES = Path(__file__).parents[1] / "samples"
EXAMPLES = settings(
    max_examples=by_thoroughness(40, 400),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""Not shrunk: a payload that is one sample with three changes is small enough, and shrinking outlasts the time-out."""


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
async def http(
    empty_world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway; work that it does after its answer must not fail either."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SLACK_SIGNING_SECRET", "PAGERDUTY_WEBHOOK_SECRET", "GITHUB_WEBHOOK_SECRET", "GATEWAY_TOKEN"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("SENDGRID_WEBHOOK_PUBLIC_KEY", EVENT_KEY)
    monkeypatch.setenv("TEMPORAL_TASK_QUEUE", QUEUE)
    monkeypatch.setenv("ALERT_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setattr("incidents.client.lookup.SEARCH", 0.05)
    monkeypatch.setattr("incidents.gateway.slack.calls.QUICK", timedelta(milliseconds=500))
    monkeypatch.setattr("incidents.gateway.slack.opening.NUMBER_WITHIN", timedelta())
    monkeypatch.setattr("incidents.gateway.slack.replies.SLACK_HOSTS", ())  # nothing leaves this machine
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:1")
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    gateway = Gateway(empty_world.env.client, load_settings(), empty_world.runbook)
    transport = httpx.ASGITransport(gateway.app())  # raises what the application raises
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client
    while listening := [task for task in asyncio.all_tasks() if "run_ack_function" in repr(task)]:
        await asyncio.wait(listening)
    gc.collect()
    await asyncio.sleep(0)
    assert failures == []
    logged = [record for record in caplog.get_records("call") if record.name == "gateway.slack"]
    assert [record.getMessage() for record in logged if not is_bolts_own(record)] == []


def is_bolts_own(record: logging.LogRecord) -> bool:
    """Tell whether Bolt itself failed to read a request: one of a form that Slack never sends."""
    if record.exc_info is None:
        return False
    [*_, innermost] = traceback.extract_tb(record.exc_info[2])
    return "slack_bolt" in Path(innermost.filename).parts


def digest(message: bytes) -> str:
    return hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()


async def send(http: httpx.AsyncClient, path: str, body: bytes) -> httpx.Response:
    """Send it as its vendor would, and hold what always holds."""
    stamp = str(int(time.time()))
    headers = {
        "authorization": f"Bearer {SECRET}",
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={digest(f'v0:{stamp}:'.encode() + body)}",
        "x-pagerduty-signature": f"v1={digest(body)}",
        "x-hub-signature-256": f"sha256={digest(body)}",
        "x-github-event": "issues",
        **sendgrids(body),
        "content-type": FORM if path in ("/slack/commands", "/slack/interactions") else "application/json",
    }
    answer = await http.post(path, content=body, headers=headers)
    if path.startswith("/slack/") and not is_utf8(body):
        assert answer.status_code == 401, "Slack signs nothing but UTF-8"
        return answer
    assert answer.status_code in (200, 202, 400, 413), answer.text
    if answer.status_code >= 400:
        assert "\n" not in answer.json()["error"]
        assert len(answer.json()["error"]) < 500
    return answer


def is_utf8(body: bytes) -> bool:
    return body.decode("utf-8", "ignore").encode() == body


FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "alerts"
ALERTS = {
    source: st.one_of(
        *(broken(json.loads(path.read_text(encoding="utf-8"))) for path in sorted((FIXTURES / source).glob("*.json")))
    )
    for source in SourceName
}
ALARM = json.loads(json.loads((FIXTURES / "cloudwatch" / "built_sns_alarm.json").read_text("utf-8"))["Message"])


@EXAMPLES
@given(body=encoded(st.one_of(*ALERTS.values(), VALUES)))
async def test_105_alerts(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/alerts", body)


@pytest.mark.parametrize("source", SourceName)
@settings(EXAMPLES, max_examples=by_thoroughness(15, 300))
@given(data=st.data())
async def test_105_alerts_of_each_source(http: httpx.AsyncClient, source: SourceName, data: st.DataObject) -> None:
    await send(http, f"/alerts/{source}", data.draw(encoded(ALERTS[source])))


@settings(EXAMPLES, max_examples=by_thoroughness(15, 300))
@given(message=encoded(broken(ALARM)))
async def test_105_an_alarm_within_the_envelope_of_sns(http: httpx.AsyncClient, message: bytes) -> None:
    envelope = {"Type": "Notification", "TopicArn": "arn", "Message": message.decode("utf-8", "replace")}
    await send(http, "/alerts/cloudwatch", json.dumps(envelope).encode())


@settings(EXAMPLES, max_examples=by_thoroughness(15, 300))
@given(attributes=st.dictionaries(st.sampled_from(["id", "source", "type", "time", "subject", "data"]), TEXTS))
async def test_105_attributes_of_an_event_in_headers(http: httpx.AsyncClient, attributes: dict[str, str]) -> None:
    headers = {f"ce-{name}".encode(): value.encode("utf-8", "replace") for name, value in attributes.items()}
    fitting = {name: value for name, value in headers.items() if not {10, 13, 0} & set(value)}
    own = {b"authorization": f"Bearer {SECRET}".encode(), b"ce-specversion": b"1.0"}
    answer = await http.post("/alerts/cloudevents", content=b"{}", headers=fitting | own)
    assert answer.status_code in (202, 400), answer.text


@EXAMPLES
@given(body=encoded(broken(sample("pagerduty_acknowledged"))))
async def test_105_pagerdutys_webhook(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/pagerduty", body)


ISSUE = sample("github_issues_opened")
OURS = ISSUE | {"action": "closed", "issue": ISSUE["issue"] | {"body": "<!-- incident-runbook postmortem-1 item-1 -->"}}


@EXAMPLES
@given(body=encoded(broken(ISSUE) | broken(OURS)))
async def test_105_githubs_webhook(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/github", body)


@EXAMPLES
@given(body=encoded(broken(sample("sendgrid_events"))))
async def test_105_sendgrids_webhook(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/sendgrid", body)


CLICK = sample("slack_block_actions")
BUTTON = {"incident": "incident-x", "revision": 7}


@st.composite
def clicks(draw: st.DrawFn) -> bytes:
    value = draw(encoded(broken(BUTTON))).decode("utf-8", "replace")
    action = CLICK["actions"][0] | {
        "action_id": draw(st.sampled_from([*Action, "a"])),
        "value": value,
    }
    payload = draw(encoded(broken(CLICK | {"actions": [action]}, most=2)))
    return urlencode({"payload": payload}).encode()


@EXAMPLES
@given(body=clicks() | st.binary(max_size=60))
async def test_105_slacks_interactions(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/slack/interactions", body)


SUBMITTED: dict[str, Any] = {
    "type": "view_submission",
    "user": {"id": "W1", "name": "ann"},
    "view": {
        "id": "V1",
        "type": "modal",
        "callback_id": "open_incident",
        "private_metadata": "",
        "state": {
            "values": {
                "title": {"title": {"type": "plain_text_input", "value": "It is slow"}},
                "service": {"service": {"type": "static_select", "selected_option": {"value": "dashboard"}}},
                "severity": {"severity": {"type": "static_select", "selected_option": {"value": "P2"}}},
                "drill": {"drill": {"type": "checkboxes", "selected_options": []}},
                "text": {"text": {"type": "plain_text_input", "value": "It is being fixed."}},
                "reason": {"reason": {"type": "plain_text_input", "value": None}},
            }
        },
    },
}


@st.composite
def submissions(draw: st.DrawFn) -> bytes:
    named = draw(st.sampled_from(["open_incident", *FORMS]))
    view = SUBMITTED["view"] | {"callback_id": named, "private_metadata": json.dumps(BUTTON)}
    return urlencode({"payload": draw(encoded(broken(SUBMITTED | {"view": view})))}).encode()


SHORTCUT: dict[str, Any] = {
    "type": "message_action",
    "callback_id": "add_to_timeline",
    "trigger_id": "1.2.x",
    "user": {"id": "W1", "name": "ann"},
    "channel": {"id": "C1", "name": "incident-42"},
    "message": {"ts": "1700000000.000100", "text": "<@U1> it is slow", "user": "U1"},
}
REACTION: dict[str, Any] = {
    "type": "event_callback",
    "event_id": "Ev1",
    "event": {
        "type": "reaction_added",
        "user": "U1",
        "reaction": "pushpin",
        "item": {"type": "message", "channel": "C1", "ts": "1700000000.000100"},
    },
}
HOME = REACTION | {"event": {"type": "app_home_opened", "user": "U1", "tab": "home"}}


@st.composite
def shortcuts(draw: st.DrawFn) -> bytes:
    named = SHORTCUT | {"callback_id": draw(st.sampled_from(["add_to_timeline", "start_incident"]))}
    return urlencode({"payload": draw(encoded(broken(named)))}).encode()


def by_nobody(sample: dict[str, Any]) -> bytes:
    return urlencode({"payload": json.dumps(sample | {"user": {}})}).encode()


@settings(EXAMPLES, max_examples=by_thoroughness(20, 60))
@given(body=shortcuts())
@example(body=by_nobody(SHORTCUT))
async def test_105_slacks_shortcuts(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/slack/interactions", body)


@settings(EXAMPLES, max_examples=by_thoroughness(20, 60))
@given(body=encoded(broken(REACTION) | broken(HOME)))
async def test_105_slacks_events(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/slack/events", body)


@EXAMPLES
@given(body=submissions())
@example(body=by_nobody(SUBMITTED))
async def test_105_slacks_modals(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/slack/interactions", body)


SLASH = {
    name: values[0] for name, values in parse_qs((SAMPLES / "slack_slash_command.form").read_text("utf-8")).items()
}
VERBS = [*slack_verbs.VERBS, "show", "timeline", "candidates", "list", "oncall", "help", "open", "dance", ""]


@st.composite
def slashes(draw: st.DrawFn) -> bytes:
    number = draw(st.sampled_from(["42", "INC-7", "9" * 5000, "٤٢", "-1", ""]))
    text = f"{draw(st.sampled_from(VERBS))} {number} {draw(TEXTS)}"
    channel = draw(st.sampled_from(["random", "incident-42", f"incident-{'9' * 5000}", "incident-٤٢"]))
    form = draw(broken(SLASH | {"text": text, "channel_name": channel}, TEXTS, most=2))
    return urlencode(form, errors="surrogatepass").encode()


@settings(EXAMPLES, max_examples=by_thoroughness(20, 60))  # each looks for its incident for a moment
@given(body=slashes() | st.binary(max_size=60))
async def test_105_slacks_commands(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/slack/commands", body)


async def test_105_signatures_are_read_before_anything_else(http: httpx.AsyncClient) -> None:
    for stamp in (b"9" * 5000, b"\xb2", b"-1", b""):
        answer = await http.post("/slack/commands", content=b"", headers={b"x-slack-request-timestamp": stamp})
        assert answer.status_code == 401


async def test_26_gos_zero_time_is_accepted_as_the_arrival(http: httpx.AsyncClient, empty_world: World) -> None:
    document = json.loads((FIXTURES / "signoz" / "docs_firing.json").read_text(encoding="utf-8"))
    document["alerts"][0]["startsAt"] = "0001-01-01T00:00:00Z"
    before = datetime.now(UTC)
    answer = await send(http, "/alerts", json.dumps(document).encode())
    [started] = answer.json()
    assert (answer.status_code, started["created"]) == (202, True)
    history = await empty_world.env.client.get_workflow_handle(started["workflow_id"]).fetch_history()
    [told] = [e for e in history.events if e.HasField("workflow_execution_signaled_event_attributes")]
    payload = told.workflow_execution_signaled_event_attributes.input.payloads[0]
    [alert] = AlertBatch.model_validate_json(payload.data).alerts
    assert before <= alert.started_at <= datetime.now(UTC)
    assert alert.claimed_start == datetime(1, 1, 1, tzinfo=UTC)
