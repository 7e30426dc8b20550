"""Paging. The dedup key identifies a page: its pager recognizes it, or the adapter finds it."""

from collections.abc import Mapping
from typing import Literal, cast

from temporalio import activity

from activities import ports
from activities.errors import translate_vendor_errors
from incidents.client.paging.acknowledge_links import AcknowledgeLinks, PageRef
from incidents.domain.activity_requests import SendPage, SettlePage
from incidents.domain.activity_results import ActivityResult
from incidents.domain.core.severity import PagerSeverity
from incidents.domain.paging.page_life import takes_acknowledgement

ACKNOWLEDGE_LINK, INCIDENT_LINK = "Acknowledge", "Incident"
"""The labels of the links to the gateway."""


class Paging:
    """Triggers, acknowledges and resolves pages. Without a pager, requests are skipped with the reason.

    `own`: pagers of contacts who have one of their own; other pages go to `pager` and name the contact.
    `links`: makes the links to the gateway's pages; None if it has no public address.
    """

    def __init__(
        self,
        pager: ports.Pager | None,
        off: str = "",
        own: Mapping[str, ports.Pager] | None = None,
        links: AcknowledgeLinks | None = None,
    ) -> None:
        self._pager, self._off, self._own, self._links = pager, off, own or {}, links

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
                links=self._links_of(page),
            )
        return ActivityResult(detail=f"paged {page.details.get('to', 'on-call')}")

    def _links_of(self, page: SendPage) -> dict[str, str]:
        """Return the page's links, with those to the gateway.

        The one to acknowledge is signed here, so that no history holds it. A direct page, sent outside of an activity,
        has neither: its incident does not exist yet.
        """
        if self._links is None or not activity.in_activity():
            return page.links
        ref = PageRef(key=page.dedup_key, run_id=activity.info().workflow_run_id or "", to=page.to)
        signed = {ACKNOWLEDGE_LINK: self._links.link(ref)} if takes_acknowledgement(ref.key) else {}
        return signed | {INCIDENT_LINK: self._links.incident(ref)} | page.links

    @activity.defn
    def settle_page(self, page: SettlePage) -> ActivityResult:
        """Acknowledge or resolve a page. Without an open page, nothing happens."""
        pager = self._own.get(page.to, self._pager)
        if pager is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            pager.send_event(cast(Literal["acknowledge", "resolve"], page.action), page.dedup_key)
        return ActivityResult()
