"""105: whatever anybody sends, the gateway answers 2xx or 4xx, and Temporal gets nothing that it cannot take.

The server is real and has no worker, so each payload that is accepted was also taken by Temporal.
"""

import asyncio
import gc
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from incidents.app.settings import Settings, load_settings
from incidents.contracts import AlertBatch
from incidents.gateway.app import Gateway
from tests.support.environment import QUEUE, World
from tests.support.hostile import (
    TEXTS,
    VALUES,
    broken,
    encoded,
)

SECRET = "secret"
SAMPLES = Path(__file__).parent / "samples"
EXAMPLES = settings(
    max_examples=120,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""Not shrunk: a payload that is one sample with three changes is small enough, and shrinking outlasts the time-out."""


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
async def http(empty_world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway; work that it does after its answer must not fail either."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SLACK_SIGNING_SECRET", "PAGERDUTY_WEBHOOK_SECRET", "GITHUB_WEBHOOK_SECRET", "GATEWAY_TOKEN"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("TEMPORAL_TASK_QUEUE", QUEUE)
    monkeypatch.setattr("incidents.client.lookup.SEARCH", 0.05)
    monkeypatch.setattr("incidents.gateway.app._QUICK", timedelta(milliseconds=500))
    monkeypatch.setattr("incidents.gateway.app._SLACK_HOSTS", ())  # nothing leaves this machine
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    gateway = Gateway(empty_world.env.client, load_settings(), empty_world.runbook)
    transport = httpx.ASGITransport(gateway.app())  # raises what the application raises
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client
    await asyncio.gather(*gateway._answers, return_exceptions=True)
    gc.collect()
    await asyncio.sleep(0)
    assert failures == []


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
    }
    answer = await http.post(path, content=body, headers=headers)
    assert answer.status_code in (200, 202, 400, 413), answer.text
    if answer.status_code >= 400:
        assert "\n" not in answer.json()["error"]
        assert len(answer.json()["error"]) < 500
    return answer


SIMPLE = {
    "title": "Evaluations fail",
    "service": "flag-evaluation",
    "environment": "production",
    "severity": "critical",
    "description": "5xx",
    "started_at": "2026-11-23T14:00:00Z",
    "status": "firing",
    "labels": {"team": "core"},
    "link": "https://example.com",
    "source": "cron",
}
ALERTS = st.one_of(
    *(broken(sample(name)) for name in ("alertmanager_firing", "signoz_firing", "grafana_firing")),
    broken(SIMPLE),
    VALUES,
)


@EXAMPLES
@given(body=encoded(ALERTS))
async def test_105_alerts(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/alerts", body)


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


CLICK = sample("slack_block_actions")
BUTTON = {"incident": "incident-x", "revision": 7}


@st.composite
def clicks(draw: st.DrawFn) -> bytes:
    value = draw(encoded(broken(BUTTON))).decode("utf-8", "replace")
    action = CLICK["actions"][0] | {
        "action_id": draw(st.sampled_from(["acknowledge", "escalate", "a"])),
        "value": value,
    }
    payload = draw(encoded(broken(CLICK | {"actions": [action]}, most=2)))
    return urlencode({"payload": payload}).encode()


@EXAMPLES
@given(body=clicks() | st.binary(max_size=60))
async def test_105_slacks_interactions(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/slack/interactions", body)


SLASH = {
    name: values[0] for name, values in parse_qs((SAMPLES / "slack_slash_command.form").read_text("utf-8")).items()
}
VERBS = ["ack", "note", "severity", "update", "hold", "role", "escalate", "status", "resolve", "dance", ""]


@st.composite
def slashes(draw: st.DrawFn) -> bytes:
    number = draw(st.sampled_from(["42", "INC-7", "9" * 5000, "٤٢", "-1", ""]))
    text = f"{draw(st.sampled_from(VERBS))} {number} {draw(TEXTS)}"
    channel = draw(st.sampled_from(["random", "incident-42", f"incident-{'9' * 5000}", "incident-٤٢"]))
    form = draw(broken(SLASH | {"text": text, "channel_name": channel}, TEXTS, most=2))
    return urlencode(form, errors="surrogatepass").encode()


@settings(EXAMPLES, max_examples=60)  # each looks for its incident for a moment
@given(body=slashes() | st.binary(max_size=60))
async def test_105_slacks_commands(http: httpx.AsyncClient, body: bytes) -> None:
    await send(http, "/slack/commands", body)


async def test_105_signatures_are_read_before_anything_else(http: httpx.AsyncClient) -> None:
    for stamp in (b"9" * 5000, b"\xb2", b"-1", b""):
        answer = await http.post("/slack/commands", content=b"", headers={b"x-slack-request-timestamp": stamp})
        assert answer.status_code == 401


async def test_26_gos_zero_time_is_accepted_as_the_arrival(http: httpx.AsyncClient, empty_world: World) -> None:
    document = sample("signoz_firing")
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
