"""Paging: PagerDuty's events. Its dedup key makes every call safe to repeat."""

from collections.abc import Mapping
from typing import Literal, cast

from temporalio import activity

from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import ActivityResult, SendPage, SettlePage
from incidents.vendors.pagerduty import Link, PagerDutyEvents


class Paging:
    """Pages people, and stops paging them. Without a client it is off, and says why.

    `own`: the pagers of contacts who have one; everybody else's page goes to `client`, and says whom to call.
    """

    def __init__(
        self, client: PagerDutyEvents | None, off: str = "", own: Mapping[str, PagerDutyEvents] | None = None
    ) -> None:
        self._client, self._off, self._own = client, off, own or {}

    @activity.defn
    def send_page(self, page: SendPage) -> ActivityResult:
        """Page somebody. A repetition while the page is open is the same page."""
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
        return ActivityResult(detail=f"paged {page.details.get('to', 'on call')}")

    @activity.defn
    def settle_page(self, page: SettlePage) -> ActivityResult:
        """Acknowledge or resolve a page. Without an open one, PagerDuty does nothing and says so to nobody."""
        client = self._own.get(page.to, self._client)
        if client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            client.enqueue(cast(Literal["acknowledge", "resolve"], page.action), page.dedup_key)
        return ActivityResult()
