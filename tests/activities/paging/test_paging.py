"""PagerDuty: one alert from trigger to resolution, whatever happens to the replies."""

from typing import Any

import pytest

from activities.paging.paging import Paging
from activities.registry import ActivitySet
from incidents.client.paging.acknowledge_links import AcknowledgeLinks
from incidents.domain.activity_requests import SendPage, SettlePage
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform

PAGE = SendPage(
    key="k/page", dedup_key="incident-x", summary="P0", source="api", severity="critical", details={"to": "on_call"}
)


def test_a_page_has_one_alert_from_trigger_to_resolution(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    for attempt in (1, 2):
        assert perform(activities.paging.send_page, PAGE, attempt).detail == "paged on_call"
    for action in ("acknowledge", "resolve"):
        perform(activities.paging.settle_page, SettlePage(key=f"k/{action}", dedup_key="incident-x", action=action))
    assert operations(sandbox, "pagerduty") == ["event.trigger", "event.acknowledge", "event.resolve"]
    [alert] = sandbox.state()["pagerduty"]
    assert (alert["incident_key"], alert["status"], alert["severity"]) == ("incident-x", "resolved", "critical")
    assert alert["custom_details"] == {"to": "on_call"}


@pytest.mark.parametrize("status", [None, 500, 502])
def test_a_page_whose_reply_is_lost_pages_once(
    activities: ActivitySet, sandbox: RunningSandbox, status: int | None
) -> None:
    sandbox.fault("pagerduty", "lost_reply", "enqueue", status=status)
    lost = failed(activities.paging.send_page, PAGE)
    assert (lost.type, lost.non_retryable) == ("VendorUnavailable", False)
    perform(activities.paging.send_page, PAGE, attempt=2)
    assert operations(sandbox, "pagerduty") == ["event.trigger"]


def test_settling_a_page_that_is_not_open_succeeds_and_leaves_other_pages_open(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    perform(activities.paging.send_page, PAGE)
    for action in ("acknowledge", "resolve"):
        perform(activities.paging.settle_page, SettlePage(key="k", dedup_key="nobody", action=action))
    assert [call["status"] for call in sandbox.calls("pagerduty")] == [202, 202, 202], "each event was sent"
    assert operations(sandbox, "pagerduty") == ["event.trigger"]
    [alert] = sandbox.state()["pagerduty"]
    assert (alert["incident_key"], alert["status"]) == (PAGE.dedup_key, "triggered")


def test_what_is_off_says_so(idle: ActivitySet) -> None:
    off = "pager not configured (PAGERDUTY_ROUTING_KEY and NTFY_URL are not set)"
    assert perform(idle.paging.send_page, PAGE).skipped == off
    settle = SettlePage(key="k", dedup_key="incident-x", action="resolve")
    assert perform(idle.paging.settle_page, settle).skipped == off


def test_a_page_carries_a_link_to_acknowledge_it_if_the_gateway_is_public() -> None:
    links, sent = AcknowledgeLinks("https://incidents.example.com", "s" * 32), FakePager()
    page = PAGE.replace(links={"War room": "https://meet.example"}, to="on_call")
    perform(Paging(sent, links=links).send_page, page)
    assert [*sent.links] == ["Acknowledge", "Incident", "War room"]
    assert sent.links["Incident"] == "https://incidents.example.com/incidents/incident-x"
    read = links.read(sent.links["Acknowledge"].rpartition("/")[2])
    assert (read.key, read.to) == ("incident-x", "on_call")


def test_a_page_that_asks_for_a_decision_has_no_link_to_acknowledge() -> None:
    links, sent = AcknowledgeLinks("https://incidents.example.com", "s" * 32), FakePager()
    page = PAGE.replace(dedup_key="incident-x/alarm/rollback/eu-001/1/undecided")
    perform(Paging(sent, links=links).send_page, page)
    assert [*sent.links] == ["Incident"]


def test_a_direct_page_has_no_link_since_its_incident_does_not_exist_yet() -> None:
    sent = FakePager()
    Paging(sent, links=AcknowledgeLinks("https://incidents.example.com", "s" * 32)).send_page(PAGE)
    assert sent.links == {}


class FakePager:
    """A pager that keeps the links of the last page."""

    def __init__(self) -> None:
        self.links: dict[str, str] = {}

    def send_event(self, action: str, dedup_key: str, **details: Any) -> str:
        self.links = dict(details["links"])
        return dedup_key
