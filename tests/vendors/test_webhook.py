"""An incoming webhook, whose URL is its credential."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from incidents.vendors.errors import VendorError, VendorNotFound, VendorRateLimited, VendorRejected, VendorUnavailable
from incidents.vendors.webhook import WebhookClient

SECRET = "s3cret"
URL = f"https://chat.example/hook/{SECRET}?sig={SECRET}"


@pytest.fixture
def webhook(script: Any) -> WebhookClient:
    return WebhookClient(URL, transport=script.transport)


def test_the_document_is_posted_as_it_is(webhook: WebhookClient, script: Any) -> None:
    script.answer(202)
    webhook.post({"blocks": [{"text": "Down"}]})
    assert (script.last.method, script.last.path) == ("POST", f"/hook/{SECRET}")
    assert script.last.query == {"sig": [SECRET]}
    assert script.last.json == {"blocks": [{"text": "Down"}]}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, VendorRejected), (404, VendorNotFound), (429, VendorRateLimited), (500, VendorUnavailable)],
)
def test_errors_by_status_without_the_url(
    webhook: WebhookClient, script: Any, status: int, kind: type[VendorError]
) -> None:
    script.answer(status, f"failed: {URL}, /hook/{SECRET}, {SECRET}")
    with pytest.raises(kind) as failed:
        webhook.post({})
    assert SECRET not in str(failed.value)
    assert failed.value.vendor_name == "the updates webhook"


def test_a_broken_connection_may_have_posted_it_and_does_not_tell_the_url(webhook: WebhookClient, script: Any) -> None:
    script.fail(httpx.ReadError(f"lost {URL}"))
    with pytest.raises(VendorUnavailable) as failed:
        webhook.post({})
    assert failed.value.maybe_done
    assert SECRET not in str(failed.value)


def test_the_url_is_not_logged(webhook: WebhookClient, script: Any, caplog: pytest.LogCaptureFixture) -> None:
    script.answer(202)
    with caplog.at_level(logging.DEBUG):
        webhook.post({})
    assert SECRET not in caplog.text
