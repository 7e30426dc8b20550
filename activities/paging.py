"""Paging: PagerDuty's events. Its dedup key makes every call safe to repeat."""

from typing import Literal, cast

from temporalio import activity

from activities.errors import translated
from clients.pagerduty import PagerDutyEvents
from runbook.effects import Outcome, SendPage, SettlePage


class Paging:
    """Pages people, and stops paging them. Without a client it is off, and says why."""

    def __init__(self, client: PagerDutyEvents | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def send_page(self, page: SendPage) -> Outcome:
        """Page somebody. A repetition while the page is open is the same page."""
        if self._client is None:
            return Outcome(skipped=self._off)
        severity = cast(Literal["critical", "error", "warning", "info"], page.severity)
        with translated():
            self._client.enqueue(
                "trigger",
                page.dedup_key,
                summary=page.summary,
                source=page.source,
                severity=severity,
                custom_details=page.details,
            )
        return Outcome(detail=f"paged {page.details.get('to', 'on call')}")

    @activity.defn
    def settle_page(self, page: SettlePage) -> Outcome:
        """Acknowledge or resolve a page. Without an open one, PagerDuty does nothing and says so to nobody."""
        if self._client is None:
            return Outcome(skipped=self._off)
        with translated():
            self._client.enqueue(cast(Literal["acknowledge", "resolve"], page.action), page.dedup_key)
        return Outcome()
