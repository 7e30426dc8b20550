from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator

from sandbox.server import RunningSandbox

BROKEN = (httpx.RemoteProtocolError, httpx.ReadError)
"""How a connection ends that was broken: which, depends on what the kernel has still to send."""
MESSAGE: dict[str, Any] = {"channel": "#general", "text": "hello"}


def post(sandbox: RunningSandbox, http: httpx.Client) -> httpx.Response:
    headers = {"Authorization": f"Bearer {sandbox.environment()['SLACK_BOT_TOKEN']}"}
    return http.post("/slack/api/chat.postMessage", headers=headers, json=MESSAGE)


def test_a_lost_reply_by_broken_connection_happens_once_and_shows_in_the_ledger(
    sandbox: RunningSandbox, http: httpx.Client
) -> None:
    sandbox.fault("slack", "lost_reply", "chat.postMessage")
    with pytest.raises(BROKEN):
        post(sandbox, http)
    assert post(sandbox, http).json()["ok"]
    rows = sandbox.ledger("slack")
    assert [(row["status"], row["fault"]) for row in rows] == [(0, "lost_reply"), (200, None)]
    assert [row["payload"]["text"] for row in rows] == ["hello", "hello"]


def test_the_slack_sdk_doubles_a_message_whose_reply_was_lost(sandbox: RunningSandbox) -> None:
    env = sandbox.environment()
    sandbox.fault("slack", "lost_reply", "chat.postMessage")
    slack = WebClient(token=env["SLACK_BOT_TOKEN"], base_url=env["SLACK_API_URL"])
    assert [type(handler) for handler in slack.retry_handlers] == [ConnectionErrorRetryHandler]
    slack.retry_handlers[0].interval_calculator = FixedValueRetryIntervalCalculator(0)
    slack.chat_postMessage(**MESSAGE)
    assert len(sandbox.ledger("slack")) == 2


def test_a_lost_reply_may_be_a_bad_gateway(sandbox: RunningSandbox, http: httpx.Client) -> None:
    sandbox.fault("slack", "lost_reply", status=502)
    assert post(sandbox, http).status_code == 502
    assert [row["status"] for row in sandbox.ledger("slack")] == [502]


def test_a_reset_and_a_status_have_no_effect(sandbox: RunningSandbox, http: httpx.Client) -> None:
    sandbox.fault("slack", "reset")
    sandbox.fault("slack", "status", status=503, retry_after=7)
    with pytest.raises(BROKEN):
        post(sandbox, http)
    refused = post(sandbox, http)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "7")
    assert sandbox.ledger() == []
    assert [(row["status"], row["fault"]) for row in sandbox.calls("slack")] == [(0, "reset"), (503, "status")]


def test_a_fault_may_carry_the_vendors_own_refusal(sandbox: RunningSandbox) -> None:
    env = sandbox.environment()
    sandbox.fault("slack", "status", "conversations.create", status=200, body={"ok": False, "error": "missing_scope"})
    slack = WebClient(token=env["SLACK_BOT_TOKEN"], base_url=env["SLACK_API_URL"])
    with pytest.raises(SlackApiError) as caught:
        slack.conversations_create(name="incident-1")
    assert caught.value.response["error"] == "missing_scope"


def test_a_timeout_keeps_the_caller_waiting_until_he_gives_up_or_the_faults_end(
    sandbox: RunningSandbox, http: httpx.Client
) -> None:
    sandbox.fault("slack", "timeout", times=2, retry_after=0.2)
    started = time.monotonic()
    with pytest.raises(BROKEN):
        post(sandbox, http)
    assert time.monotonic() - started >= 0.2
    with pytest.raises(httpx.ReadTimeout):
        http.post("/slack/api/auth.test", timeout=0.05)
    assert sandbox.ledger() == []


def test_a_fault_strikes_what_it_matches_as_often_as_ordered(sandbox: RunningSandbox, http: httpx.Client) -> None:
    sandbox.fault("product", "status", "GET /product/eu", status=418, times=None)
    assert [http.get("/product/eu/health").status_code for _ in range(3)] == [418, 418, 418]
    assert http.get("/product/us/health").status_code == 200
    sandbox.clear_faults()
    assert http.get("/product/eu/health").status_code == 200


def test_slacks_rate_limit_is_what_its_sdk_understands(sandbox: RunningSandbox) -> None:
    env = sandbox.environment()
    sandbox.fault("slack", "rate_limit", retry_after=30)
    slack = WebClient(token=env["SLACK_BOT_TOKEN"], base_url=env["SLACK_API_URL"])
    with pytest.raises(SlackApiError) as caught:
        slack.chat_postMessage(**MESSAGE)
    reply = caught.value.response
    assert (reply.status_code, reply["error"], reply.headers["Retry-After"]) == (429, "ratelimited", "30")
    assert slack.chat_postMessage(**MESSAGE)["ok"]


def test_each_vendor_limits_in_its_own_words(sandbox: RunningSandbox, http: httpx.Client) -> None:
    for vendor in ("sendgrid", "statuspage", "github", "pagerduty", "zoom", "ops_portal", "ntfy"):
        sandbox.fault(vendor, "rate_limit", retry_after=9)
    mail = http.post("/sendgrid/v3/mail/send")
    wait = int(mail.headers["X-RateLimit-Reset"]) - datetime.now(UTC).timestamp()
    assert (mail.status_code, "Retry-After" in mail.headers, 7 < wait < 10) == (429, False, True)
    page = http.post("/statuspage/v1/pages/x/incidents")
    assert (page.status_code, "Retry-After" in page.headers) == (429, False)
    github = http.post("/github/repos/x/y/issues")
    assert (github.status_code, github.headers["Retry-After"]) == (403, "9")
    assert "secondary rate limit" in github.json()["message"]
    pager = http.put("/pagerduty/incidents")
    assert (pager.headers["ratelimit-reset"], pager.json()["error"]["code"]) == ("9", 2020)
    assert http.get("/zoom/v2/users/me/meetings").status_code == 429
    ntfy = http.post("/ntfy/")
    assert (ntfy.status_code, ntfy.json()["code"], "Retry-After" in ntfy.headers) == (429, 42901, False)
    assert http.get("/ops/api/v1/deployments").headers["Retry-After"] == "9"


@pytest.mark.parametrize(
    "order",
    [
        {"vendor": "nobody", "kind": "reset"},
        {"vendor": "slack", "kind": "explode"},
        {"vendor": "slack", "kind": "status"},
        {"vendor": "slack", "kind": "reset", "typo": 1},
    ],
)
def test_a_wrong_order_is_refused(sandbox: RunningSandbox, http: httpx.Client, order: dict[str, object]) -> None:
    refused = http.post("/_control/faults", json=order)
    assert refused.status_code == 400
    assert refused.json()["error"]
    assert http.get("/_control/faults").json() == []
