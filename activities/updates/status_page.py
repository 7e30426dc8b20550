"""The public status page. Subscribers are notified, so an update goes out once."""

from temporalio import activity

from activities import ports
from activities.errors import may_be_repeat, translate_vendor_errors
from incidents.domain.activity_requests import PublishStatus
from incidents.domain.activity_results import ResourcesChanged


class StatusPage:
    """Publishes updates. Without a page, requests are skipped with the reason."""

    def __init__(self, page: ports.StatusPage | None, off: str = "") -> None:
        self._page, self._off = page, off

    @property
    def page(self) -> ports.StatusPage | None:
        """The page to which it publishes, if there is one."""
        return self._page

    @activity.defn
    def publish_status(self, update: PublishStatus) -> ResourcesChanged:
        """Publish an update, once. An update older than the page's newest is dropped."""
        if self._page is None:
            return ResourcesChanged(skipped=self._off)
        with translate_vendor_errors():
            return self._page.publish(update, repeated=may_be_repeat(update))
