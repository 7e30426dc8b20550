"""Paging. The pager's dedup key makes every call idempotent."""

from collections.abc import Mapping
from typing import Literal, cast

from temporalio import activity

from activities import ports
from activities.errors import translate_vendor_errors
from incidents.domain.activity_requests import SendPage, SettlePage
from incidents.domain.activity_results import ActivityResult
from incidents.domain.core.severity import PagerSeverity


class Paging:
    """Triggers, acknowledges and resolves pages. Without a pager, requests are skipped with the reason.

    `own`: pagers of contacts who have one of their own; other pages go to `pager` and name the contact.
    """

    def __init__(self, pager: ports.Pager | None, off: str = "", own: Mapping[str, ports.Pager] | None = None) -> None:
        self._pager, self._off, self._own = pager, off, own or {}

    @activity.defn
    def send_page(self, page: SendPage) -> ActivityResult:
        """Trigger a page. Repeated while open, it is the same page."""
        pager = self._own.get(page.to, self._pager)
        if pager is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            pager.send_event(
                "trigger",
                page.dedup_key,
                summary=page.summary,
                source=page.source,
                severity=cast(PagerSeverity, page.severity),
                custom_details=page.details,
                links=page.links,
            )
        return ActivityResult(detail=f"paged {page.details.get('to', 'on-call')}")

    @activity.defn
    def settle_page(self, page: SettlePage) -> ActivityResult:
        """Acknowledge or resolve a page. Without an open page, nothing happens."""
        pager = self._own.get(page.to, self._pager)
        if pager is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            pager.send_event(cast(Literal["acknowledge", "resolve"], page.action), page.dedup_key)
        return ActivityResult()
