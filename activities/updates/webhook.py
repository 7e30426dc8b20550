"""Status updates by an incoming webhook. What was posted cannot be looked up, so it is posted at least once."""

from temporalio import activity

from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import PostWebhook
from incidents.domain.activity_results import ActivityResult
from incidents.vendors.webhook import WebhookClient


class Webhook:
    """Posts updates. Without a client, requests are skipped with the reason."""

    def __init__(self, client: WebhookClient | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def post_webhook(self, request: PostWebhook) -> ActivityResult:
        """Post an update."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            self._client.post(request.payload)
        return ActivityResult()
