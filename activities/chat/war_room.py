"""The war room: a meeting of its own, or the static one that runbook.yaml names."""

from dataclasses import dataclass

from temporalio import activity

from activities import ports
from activities.errors import may_be_repeat, translate_vendor_errors
from activities.port_values import Room
from incidents.domain.activity_requests import OpenBridge
from incidents.domain.activity_results import ResourcesChanged
from incidents.domain.incident.state import Resources


@dataclass(frozen=True)
class StaticMeeting:
    """One meeting that is always open and serves every incident. It is its own `Room`."""

    join_url: str

    def find_meeting(self, topic: str) -> Room:
        """Return the meeting, whatever the topic."""
        return self

    def create_meeting(self, topic: str) -> Room:
        """Return the meeting. Idempotent."""
        return self


class WarRoom:
    """Opens the incident's video call: a new meeting, or else the static one. Without either, requests are skipped."""

    def __init__(self, meetings: ports.Meeting | None, off: str = "") -> None:
        self._meetings, self._off = meetings, off

    @activity.defn
    def open_bridge(self, request: OpenBridge) -> ResourcesChanged:
        """Open a meeting, once: a retry finds the earlier one by its topic."""
        meetings = self._meetings or (StaticMeeting(request.static_url) if request.static_url else None)
        if meetings is None:
            return ResourcesChanged(skipped=self._off)
        with translate_vendor_errors():
            found = meetings.find_meeting(request.topic) if may_be_repeat(request) else None
            room = found or meetings.create_meeting(request.topic)
        return ResourcesChanged(detail=room.join_url, resources=Resources(bridge_url=room.join_url))
