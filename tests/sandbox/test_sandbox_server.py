"""The sandbox itself: its process, its control, its page."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from slack_sdk import WebClient
from starlette.applications import Starlette

from sandbox.app import create_app
from sandbox.server import RunningSandbox, running_sandbox

ROOT = Path(__file__).parents[2]
CONTRACT = """PRODUCT_API_URL PRODUCT_API_TOKEN SLACK_BOT_TOKEN SLACK_APP_TOKEN SLACK_SIGNING_SECRET SLACK_API_URL
SENDGRID_API_KEY SENDGRID_API_URL STATUSPAGE_API_KEY STATUSPAGE_PAGE_ID STATUSPAGE_API_URL GITHUB_TOKEN
GITHUB_REPOSITORY GITHUB_API_URL PAGERDUTY_ROUTING_KEY PAGERDUTY_API_KEY PAGERDUTY_FROM PAGERDUTY_API_URL
PAGERDUTY_EVENTS_URL PAGERDUTY_WEBHOOK_SECRET NTFY_TOKEN ZOOM_ACCOUNT_ID ZOOM_CLIENT_ID ZOOM_CLIENT_SECRET ZOOM_API_URL
ZOOM_OAUTH_URL SIGNOZ_URL SIGNOZ_API_KEY PROMETHEUS_URL ALERTMANAGER_URL GRAFANA_URL GRAFANA_TOKEN OPS_PORTAL_URL
OPS_PORTAL_EMAIL OPS_PORTAL_PASSWORD OPS_PORTAL_EDGE_TOKEN PROBE_URLS PROBE_API_KEY UPDATES_WEBHOOK_URL
"""


def test_the_process_prints_its_url_and_ends_well_on_sigterm() -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/product/eu/health", verify=False, trust_env=False).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == ""


def test_the_environment_is_the_contract(sandbox: RunningSandbox, http: httpx.Client) -> None:
    env = sandbox.environment()
    assert set(env) == set(CONTRACT.split())
    assert len(env["PAGERDUTY_ROUTING_KEY"]) == 32
    lines = http.get("/_control/environment").text.splitlines()
    assert dict(line.split("=", 1) for line in lines) == env


def test_reset_forgets_effects_faults_options_and_deployments(sandbox: RunningSandbox, http: httpx.Client) -> None:
    env = sandbox.environment()
    WebClient(token=env["SLACK_BOT_TOKEN"], base_url=env["SLACK_API_URL"]).conversations_create(name="incident-1")
    sandbox.deploy("eu", "bad")
    sandbox.options(bad_latency_ms=1)
    sandbox.fault("slack", "reset", times=None)
    sandbox.reset()
    assert sandbox.ledger() == sandbox.calls() == http.get("/_control/faults").json() == []
    assert sandbox.state()["product"]["eu"]["version"] == "v2.14.0"
    assert sandbox.state()["prometheus"]["up"] == {"eu": 1.0, "us": 1.0}
    names = [row["name"] for row in sandbox.state()["slack"]["channels"]]
    assert "incident-1" not in names
    assert http.patch("/_control/options", json={}).json()["bad_latency_ms"] == 300.0


def test_the_control_says_what_is_wrong_with_an_order(http: httpx.Client) -> None:
    orders: list[tuple[str, object]] = [
        ("/deploy", {"region": "mars", "version": "v1"}),
        ("/deploy", {"region": "eu"}),
        ("/deploy", {"region": "eu", "version": "v1", "status": "rolled_back"}),
        ("/history", {"region": "eu", "rows": []}),
        ("/say", {"channel": "general", "email": "who@example.com", "text": "x"}),
        ("/deploy", ["no object"]),
    ]
    for path, order in orders:
        refused = http.post(f"/_control{path}", json=order)
        assert refused.status_code == 400
        assert refused.json()["error"]
    assert http.patch("/_control/options", json={"nosuch": 1}).status_code == 400


def test_two_sandboxes_share_nothing(sandbox: RunningSandbox) -> None:
    with running_sandbox() as other:
        other.deploy("eu", "bad")
        assert other.url != sandbox.url
        assert sandbox.state()["product"]["eu"]["bad"] is False


def test_the_ledger_is_in_order_and_by_vendor(sandbox: RunningSandbox, http: httpx.Client) -> None:
    env = sandbox.environment()
    slack = WebClient(token=env["SLACK_BOT_TOKEN"], base_url=env["SLACK_API_URL"])
    slack.chat_postMessage(channel="#general", text="one")
    http.post("/alertmanager/api/v2/alerts", json=[])
    slack.chat_postMessage(channel="#general", text="two")
    assert [row["seq"] for row in sandbox.ledger()] == [1, 2]
    assert sandbox.ledger("zoom") == []
    assert [row["path"] for row in sandbox.calls("alertmanager")] == ["/alertmanager/api/v2/alerts"]


def test_the_page_shows_what_people_would_have_seen(sandbox: RunningSandbox, http: httpx.Client) -> None:
    env = sandbox.environment()
    slack = WebClient(token=env["SLACK_BOT_TOKEN"], base_url=env["SLACK_API_URL"])
    channel = slack.conversations_create(name="incident-7")["channel"]["id"]
    user = slack.users_lookupByEmail(email="cto@featuresignals.com")["user"]["id"]
    text = f"*bold* <@{user}> <https://example.com|a link> 1 &lt; 2 <javascript:alert(1)|no>"
    slack.chat_postMessage(channel=channel, text="fallback", blocks=[{"type": "section", "text": {"text": text}}])
    sandbox.deploy("eu", "v9-bad")
    page = http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for shown in (
        "#incident-7",
        "<b>bold</b>",
        "@cto",
        '<a href="https://example.com"',
        "1 &lt; 2",
        "v9-bad",
        "failing",
    ):
        assert shown in page.text
    assert 'href="javascript' not in page.text
    assert "<script src" not in page.text


def test_the_app_is_made_without_a_server() -> None:
    app = create_app()
    assert isinstance(app, Starlette)
    assert app.state.world.ledger.effects == []


def test_the_environment_can_be_sourced_by_a_shell(sandbox: RunningSandbox) -> None:
    lines = httpx.get(f"{sandbox.url}/_control/environment", params={"shell": "1"}, trust_env=False).text
    show = subprocess.run(["/bin/sh", "-ec", f'{lines}\nprintf %s "$PROBE_URLS"'], capture_output=True, check=True)
    assert json.loads(show.stdout) == json.loads(sandbox.environment()["PROBE_URLS"])
