"""Zoom: one bridge for an incident; a static one serves without Zoom."""

from activities.registry import ActivitySet
from incidents.domain.activity_requests import OpenBridge
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform

WANTED = OpenBridge(key="k/war-room", topic="INC-7 war room [run-7]")
STATIC = WANTED.replace(static_url="https://meet.example/always")


def test_what_zoom_then_has(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    outcome = perform(activities.war_room.open_bridge, STATIC)
    [meeting] = sandbox.state()["zoom"]
    assert outcome.resources.bridge_url == outcome.detail == meeting["join_url"]
    assert (meeting["topic"], meeting["settings"]["join_before_host"]) == (WANTED.topic, True)
    assert meeting["start_url"] not in outcome.model_dump_json(), "the host's link is a credential"


def test_a_bridge_whose_reply_is_lost_is_opened_once(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("zoom", "lost_reply", "meetings")
    failed(activities.war_room.open_bridge, WANTED)
    url = perform(activities.war_room.open_bridge, WANTED, attempt=2).resources.bridge_url
    assert url == sandbox.state()["zoom"][0]["join_url"]
    assert perform(activities.war_room.open_bridge, WANTED.replace(again=True)).resources.bridge_url == url
    assert operations(sandbox, "zoom") == ["meeting.create"]


def test_each_incident_has_a_bridge_of_its_own(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    one = perform(activities.war_room.open_bridge, WANTED, attempt=2)
    other = perform(activities.war_room.open_bridge, WANTED.replace(topic="INC-8 war room [run-8]"), attempt=2)
    assert one.resources.bridge_url != other.resources.bridge_url


def test_without_zoom_a_static_bridge_serves(idle: ActivitySet) -> None:
    assert perform(idle.war_room.open_bridge, STATIC).resources.bridge_url == "https://meet.example/always"


def test_what_is_off_says_so(idle: ActivitySet) -> None:
    off = "Zoom not configured (ZOOM_ACCOUNT_ID and ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET are not set)"
    assert perform(idle.war_room.open_bridge, WANTED).skipped == off
