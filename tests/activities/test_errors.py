"""A vendor's failure in Temporal's terms, for every activity: when to try again, whether at all, and no secret."""

import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.registry import ActivitySet
from incidents.domain.activity_requests import OpenBridge, OpenTicket, PublishStatus, SendMail, SendPage
from incidents.domain.chat.activity_requests import PostMessage
from incidents.domain.core.errors import ErrorType
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.recipients import staff
from incidents.domain.rollback.activity_requests import FindRollback
from incidents.domain.rollback.config import Rollback
from incidents.vendors import errors
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed

Call = Callable[[ActivitySet], tuple[Callable[..., Any], Any]]

NOW = datetime.now(UTC)
CALLS: dict[str, Call] = {
    "slack": lambda activities: (
        activities.chat.post_message,
        PostMessage(key="k", channel_id="C1", text=as_mrkdwn("x")),
    ),
    "sendgrid": lambda activities: (
        activities.email.send_mail,
        SendMail(key="k", to=staff(("a@example.com",)), subject="s", text="t", thread="r", sequence=1),
    ),
    "statuspage": lambda activities: (
        activities.status_page.publish_status,
        PublishStatus(
            key="k",
            page_id=None,
            marker="r",
            sequence=1,
            title=PublicText("t"),
            status="resolved",
            body=PublicText("b"),
            impact="none",
        ),
    ),
    "github": lambda activities: (
        activities.issue_tracker.open_ticket,
        OpenTicket(key="k", title="t", body="b", labels=("incident",), marker="m"),
    ),
    "pagerduty": lambda activities: (
        activities.paging.send_page,
        SendPage(key="k", dedup_key="d", summary="s", source="x", severity="info"),
    ),
    "zoom": lambda activities: (activities.war_room.open_bridge, OpenBridge(key="k", topic="t")),
    "ops_portal": lambda activities: (
        activities.deployments.find_rollback,
        FindRollback(
            key="k",
            workflow_id="incident-x",
            service="flag-evaluation",
            clusters=("eu-001",),
            alerted_at=NOW,
            rules=Rollback(),
        ),
    ),
}
SECRETS = {
    "slack": "SLACK_BOT_TOKEN",
    "sendgrid": "SENDGRID_API_KEY",
    "statuspage": "STATUSPAGE_API_KEY",
    "github": "GITHUB_TOKEN",
    "pagerduty": "PAGERDUTY_ROUTING_KEY",
    "zoom": "ZOOM_CLIENT_SECRET",
    "ops_portal": "OPS_PORTAL_PASSWORD",
}
NAMES = {
    "slack": "Slack",
    "sendgrid": "SendGrid",
    "statuspage": "Statuspage",
    "github": "GitHub",
    "zoom": "Zoom",
    "ops_portal": "the Ops Portal",
}
TELLS_HOW_LONG = ("slack", "sendgrid", "github", "pagerduty", "ops_portal")
"""Statuspage and Zoom do not say how long to wait: Temporal's own backoff serves."""


def recorded(error: ApplicationError) -> str:
    """What Temporal's history and a log hold of an error."""
    failure = Failure()
    converter = pydantic_data_converter
    converter.failure_converter.to_failure(error, converter.payload_converter, failure)
    return str(failure) + "".join(traceback.format_exception(error))


@pytest.mark.parametrize("vendor", CALLS)
def test_22_a_rate_limit_becomes_the_next_attempts_delay(
    activities: ActivitySet, sandbox: RunningSandbox, vendor: str
) -> None:
    sandbox.fault(vendor, "rate_limit", retry_after=7)
    limited = failed(*CALLS[vendor](activities))
    assert (limited.type, limited.non_retryable) == ("VendorRateLimited", False)
    assert limited.category is ApplicationErrorCategory.BENIGN
    if vendor in TELLS_HOW_LONG:
        assert limited.next_retry_delay is not None
        assert timedelta(seconds=5) <= limited.next_retry_delay <= timedelta(seconds=7)
    else:
        assert limited.next_retry_delay is None


@pytest.mark.parametrize("vendor", CALLS)
def test_an_outage_is_tried_again_and_is_no_benign_failure(
    activities: ActivitySet, sandbox: RunningSandbox, vendor: str
) -> None:
    sandbox.fault(vendor, "status", status=503)
    down = failed(*CALLS[vendor](activities))
    assert (down.type, down.non_retryable) == ("VendorUnavailable", False)
    assert down.category is ApplicationErrorCategory.UNSPECIFIED
    assert down.message.startswith(f"{vendor} ")
    assert "\n" not in down.message


@pytest.mark.parametrize("vendor", [vendor for vendor in CALLS if vendor != "pagerduty"])
def test_21_wrong_credentials_are_final_and_never_told(
    sandbox: RunningSandbox, wired: Callable[..., ActivitySet], vendor: str
) -> None:
    secret = "wrong-but-secret-all-the-same"
    activities = wired(**sandbox.environment() | {SECRETS[vendor]: secret})
    refused = failed(*CALLS[vendor](activities))
    assert (refused.type, refused.non_retryable) == (ErrorType.VENDOR_UNAUTHORIZED, True)
    [failure] = refused.details
    assert (failure.vendor, failure.sends_mail) == (vendor, vendor == "sendgrid")
    assert failure.name == NAMES[vendor], "what operators read"
    assert secret not in recorded(refused)


def test_21_a_routing_key_that_pagerduty_does_not_know_is_final(
    sandbox: RunningSandbox, wired: Callable[..., ActivitySet]
) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    activities = wired(**sandbox.environment() | {SECRETS["pagerduty"]: secret})
    refused = failed(*CALLS["pagerduty"](activities))
    assert (refused.type, refused.non_retryable) == ("VendorRejected", True), "its answer is a plain 400"
    assert secret not in recorded(refused)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("vendor", CALLS)
def test_a_secret_that_the_vendor_repeats_is_not_told(
    activities: ActivitySet, sandbox: RunningSandbox, vendor: str, status: int
) -> None:
    secret = sandbox.environment()[SECRETS[vendor]]
    sandbox.fault(vendor, "status", status=status, body=f"what is {secret}?\nAuthorization: {secret}")
    error = failed(*CALLS[vendor](activities))
    assert error.non_retryable is (status == 400 and vendor != "slack"), "Slack answers failures with 200"
    assert secret not in recorded(error)
    assert vendor == "slack" or "what is ***? Authorization: ***" in recorded(error), "the rest of the answer is told"


def test_every_error_of_a_vendor_has_its_type() -> None:
    kinds: list[type] = [*errors.VendorError.__subclasses__(), *errors.VendorRejected.__subclasses__()]
    assert {kind.__name__ for kind in kinds} == {kind.value for kind in ErrorType if kind.name.startswith("VENDOR_")}
