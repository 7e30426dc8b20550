"""Paging: PagerDuty's events. Its dedup key makes every call idempotent."""

from collections.abc import Mapping
from typing import Literal, cast

from temporalio import activity

from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import ActivityResult, SendPage, SettlePage
from incidents.vendors.pagerduty import Link, PagerDutyEvents


class Paging:
    """Triggers, acknowledges and resolves pages. Without a client, requests are skipped with the reason.

    `own`: clients of contacts with their own routing key; other pages go to `client` and name the contact.
    """

    def __init__(
        self, client: PagerDutyEvents | None, off: str = "", own: Mapping[str, PagerDutyEvents] | None = None
    ) -> None:
        self._client, self._off, self._own = client, off, own or {}

    @activity.defn
    def send_page(self, page: SendPage) -> ActivityResult:
        """Trigger a page. Repeated while open, it is the same page."""
        client = self._own.get(page.to, self._client)
        if client is None:
            return ActivityResult(skipped=self._off)
        severity = cast(Literal["critical", "error", "warning", "info"], page.severity)
        with translate_vendor_errors():
            client.enqueue(
                "trigger",
                page.dedup_key,
                summary=page.summary,
                source=page.source,
                severity=severity,
                custom_details=page.details,
                links=[Link(href=url, text=label) for label, url in page.links.items()],
            )
        return ActivityResult(detail=f"paged {page.details.get('to', 'on-call')}")

    @activity.defn
    def settle_page(self, page: SettlePage) -> ActivityResult:
        """Acknowledge or resolve a page. Without an open page, PagerDuty silently ignores it."""
        client = self._own.get(page.to, self._client)
        if client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            client.enqueue(cast(Literal["acknowledge", "resolve"], page.action), page.dedup_key)
        return ActivityResult()
