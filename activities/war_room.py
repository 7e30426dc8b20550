"""The war room: a Zoom meeting, or a static bridge."""

from temporalio import activity

from activities.errors import may_be_repeat, translate_vendor_errors
from incidents.domain.activity_requests import ActivityResult, OpenBridge
from incidents.domain.incident.parts import Resources
from incidents.vendors.zoom import ZoomClient


class WarRoom:
    """Opens the incident's video call: Zoom, or the static bridge. Without either, requests are skipped."""

    def __init__(self, client: ZoomClient | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def open_bridge(self, request: OpenBridge) -> ActivityResult:
        """Open a meeting, once: a retry finds the earlier one by its topic."""
        if self._client is None:
            if not request.static_url:
                return ActivityResult(skipped=self._off)
            return ActivityResult(detail=request.static_url, resources=Resources(bridge_url=request.static_url))
        with translate_vendor_errors():
            found = self._client.find_meeting(request.topic) if may_be_repeat(request) else None
            meeting = found or self._client.create_meeting(request.topic)
        return ActivityResult(detail=meeting.join_url, resources=Resources(bridge_url=meeting.join_url))
