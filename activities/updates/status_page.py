"""The public status page. Subscribers are notified, so an update goes out once."""

from temporalio import activity

from activities import ports
from activities.errors import may_be_repeat, translate_vendor_errors
from incidents.domain.activity_requests import PublishStatus
from incidents.domain.activity_results import ResourcesChanged


class StatusPage:
    """Publishes updates to `page`. Without one, requests are skipped with the reason."""

    def __init__(self, page: ports.StatusPage | None, off: str = "") -> None:
        self.page, self._off = page, off

    @activity.defn
    def publish_status(self, update: PublishStatus) -> ResourcesChanged:
        """Publish an update, once. An update older than the page's newest is dropped."""
        if self.page is None:
            return ResourcesChanged(skipped=self._off)
        with translate_vendor_errors():
            return self.page.publish(update, repeated=may_be_repeat(update))
