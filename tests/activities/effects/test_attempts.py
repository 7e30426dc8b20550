"""An effect happens once: late attempts, slow vendors and refusals, with the real clients and the sandbox."""

import dataclasses
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.errors import MAY_ARRIVE
from activities.registry import ActivitySet
from incidents.domain.activity_requests import SendPage
from incidents.domain.chat.activity_requests import KeepSummary, OpenChannel, PostMessage
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.vendors.attempt import Attempt, boot_time
from sandbox.server import RunningSandbox
from tests.activities.conftest import operations, perform


class Attempts:
    """The attempts of one activity as Temporal makes them: each has its time, and the last one's heartbeat."""

    def __init__(self, method: Callable[..., Any], request: Any) -> None:
        self._method, self._request = method, request
        self._made, self._said = 0, ()  # type: int, tuple[Any, ...]

    def next(self, seconds: float = 10) -> Any:
        """Make the next one, with so many seconds left. An error is what Temporal sees."""
        self._made += 1
        env = ActivityEnvironment()
        env.info = dataclasses.replace(
            ActivityEnvironment.default_info(), attempt=self._made, heartbeat_details=list(self._said)
        )
        env.on_heartbeat = self._hear
        with Attempt(boot_time() + seconds, self._request.repeat.is_safe_at_once).current():
            return env.run(self._method, self._request)

    def fails(self, seconds: float = 10) -> ApplicationError:
        """Make the next one, which fails."""
        with pytest.raises(ApplicationError) as caught:
            self.next(seconds)
        return caught.value

    def _hear(self, *details: Any) -> None:
        self._said = details


@pytest.fixture
def channel(activities: ActivitySet) -> str:
    """An open channel."""
    opened = perform(activities.chat.open_channel, OpenChannel(key="k/channel", name="incident-7", marker="[run-7]"))
    return str(opened.resources.channel_id)


@pytest.fixture
def posting(activities: ActivitySet, channel: str) -> Attempts:
    """The attempts to post one message."""
    message = PostMessage(key="k/notice/1", channel_id=channel, text=as_mrkdwn("hello"))
    return Attempts(activities.chat.post_message, message)


def asked(sandbox: RunningSandbox, method: str) -> int:
    """How often Slack was asked for that."""
    return sum(1 for call in sandbox.calls("slack") if call["path"].endswith(method))


def test_a_late_attempt_sends_nothing_and_the_next_one_does(posting: Attempts, sandbox: RunningSandbox) -> None:
    late = posting.fails(seconds=-30)
    assert "not sent" in late.message
    assert not late.non_retryable
    assert operations(sandbox, "slack").count("chat.postMessage") == 0
    posting.next()
    assert operations(sandbox, "slack").count("chat.postMessage") == 1


def test_what_a_slow_vendor_does_after_our_time_out_is_found_and_not_doubled(
    posting: Attempts, sandbox: RunningSandbox
) -> None:
    sandbox.fault("slack", "late", "chat.postMessage", retry_after=4)
    error = posting.fails()
    assert error.next_retry_delay == MAY_ARRIVE, "the next attempt waits until it can be seen"
    assert operations(sandbox, "slack").count("chat.postMessage") == 0, "it is still on its way"
    for _ in range(200):
        if operations(sandbox, "slack").count("chat.postMessage"):
            break
        time.sleep(0.1)
    assert operations(sandbox, "slack").count("chat.postMessage") == 1, "it has arrived, and is there to be found"
    posting.next()
    assert operations(sandbox, "slack").count("chat.postMessage") == 1


def test_a_page_is_repeated_at_once_because_it_cannot_be_doubled(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    page = SendPage(key="k/page", dedup_key="d", summary="s", source="x", severity="info")
    sandbox.fault("pagerduty", "late", "/enqueue", retry_after=3)
    error = Attempts(activities.paging.send_page, page).fails()
    assert error.next_retry_delay is None, "by the retry policy: after a second"


def test_22_a_busy_vendor_is_not_looked_through_at_each_refusal(posting: Attempts, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "rate_limit", "chat.postMessage", retry_after=0, times=6)
    for _ in range(6):
        assert posting.fails().next_retry_delay == timedelta()
    posting.next()
    assert asked(sandbox, "conversations.history") == 0
    assert operations(sandbox, "slack").count("chat.postMessage") == 1


def test_a_refusal_after_a_lost_reply_hides_nothing(posting: Attempts, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "lost_reply", "chat.postMessage")
    posting.fails()
    sandbox.fault("slack", "rate_limit", "conversations.history", retry_after=0)
    posting.fails()
    posting.next()
    assert operations(sandbox, "slack").count("chat.postMessage") == 1


def test_what_was_done_before_a_refusal_is_not_done_again(
    activities: ActivitySet, channel: str, sandbox: RunningSandbox
) -> None:
    summary = Attempts(
        activities.chat.keep_summary, KeepSummary(key="k/s", channel_id=channel, ts=None, text=as_mrkdwn("one"))
    )
    sandbox.fault("slack", "rate_limit", "pins.add", retry_after=0)
    summary.fails()
    summary.next()
    assert operations(sandbox, "slack").count("chat.postMessage") == 1, "the pin was refused, not the message"


def test_a_duty_of_an_earlier_run_is_looked_for_until_the_look_succeeds(
    activities: ActivitySet, channel: str, sandbox: RunningSandbox
) -> None:
    message = PostMessage(key="k/notice/2", channel_id=channel, text=as_mrkdwn("hello"))
    perform(activities.chat.post_message, message)
    again = Attempts(activities.chat.post_message, message.replace(again=True))
    sandbox.fault("slack", "rate_limit", "conversations.history", retry_after=0)
    again.fails()
    again.next()
    assert operations(sandbox, "slack").count("chat.postMessage") == 1
