"""Status updates by an incoming webhook."""

from collections.abc import Callable

from activities.registry import ActivitySet
from incidents.domain.activity_requests import PostWebhook
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform

UPDATE = PostWebhook(key="run-7/update/1/webhook", payload={"text": "Down (update 1)"})


def test_an_update_is_posted(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    assert perform(activities.webhook.post_webhook, UPDATE).skipped is None
    assert [row["payload"] for row in sandbox.ledger("webhook")] == [{"text": "Down (update 1)"}]


def test_after_a_lost_reply_it_is_posted_again(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("webhook", "lost_reply", status=502)
    assert not failed(activities.webhook.post_webhook, UPDATE).non_retryable
    perform(activities.webhook.post_webhook, UPDATE, 2)
    assert operations(sandbox, "webhook") == ["message.post"] * 2


def test_without_a_url_it_is_skipped_with_the_reason(wired: Callable[..., ActivitySet]) -> None:
    said = "updates webhook not configured (UPDATES_WEBHOOK_URL is not set)"
    assert perform(wired().webhook.post_webhook, UPDATE).skipped == said
