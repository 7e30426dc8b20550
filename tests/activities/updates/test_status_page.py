"""Statuspage: subscribers get each update once, and the page never goes backwards."""

from typing import Any

import pytest

from activities.registry import ActivitySet
from incidents.domain.activity_requests import PublishStatus
from incidents.domain.core.text.public_text import PublicText
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform

UPDATE = PublishStatus(
    key="run-7/update/1/status_page",
    page_id=None,
    marker="run-7",
    sequence=1,
    title=PublicText.trusted("Flag evaluation disruption"),
    status="investigating",
    body=PublicText.trusted("We look into it."),
    impact="critical",
)
NEWEST = UPDATE.replace(key="run-7/update/3/status_page", sequence=3, body=PublicText.trusted("Newest."))


def shown(sandbox: RunningSandbox) -> dict[str, Any]:
    """The one incident on the page."""
    [incident] = sandbox.state()["statuspage"]["incidents"]
    return dict(incident)


def publish(activities: ActivitySet, update: PublishStatus, attempt: int = 1) -> Any:
    return perform(activities.status_page.publish_status, update, attempt)


def test_what_the_page_then_shows(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    outcome = publish(activities, UPDATE.replace(components={"evaluationeu": "major_outage"}, notify=False))
    incident = shown(sandbox)
    assert outcome.resources.status_page_id == incident["id"]
    assert outcome.resources.status_page_url == incident["shortlink"]
    assert (incident["name"], incident["status"], incident["impact"]) == (UPDATE.title, UPDATE.status, UPDATE.impact)
    assert [row["body"] for row in incident["incident_updates"]] == ["We look into it."]
    assert not incident["incident_updates"][0]["deliver_notifications"]
    components = {row["id"]: row["status"] for row in sandbox.state()["statuspage"]["components"]}
    assert components["evaluationeu"] == "major_outage"
    assert components["evaluationus"] == "operational"


@pytest.mark.parametrize("status", [None, 502])
def test_a_status_update_goes_out_once(activities: ActivitySet, sandbox: RunningSandbox, status: int | None) -> None:
    sandbox.fault("statuspage", "lost_reply", "incidents", status=status)
    failed(activities.status_page.publish_status, UPDATE)
    page = publish(activities, UPDATE, attempt=2).resources.status_page_id
    assert operations(sandbox, "statuspage") == ["incident.create"]

    second = UPDATE.replace(
        key="run-7/update/2/status_page",
        page_id=page,
        sequence=2,
        status="monitoring",
        body=PublicText.trusted("Fixed?"),
    )
    second = second.replace(title=PublicText.trusted("Flags fail"))
    sandbox.fault("statuspage", "lost_reply", "PATCH", status=status)
    failed(activities.status_page.publish_status, second)
    assert publish(activities, second, attempt=2).resources.status_page_id == page
    assert operations(sandbox, "statuspage") == ["incident.create", "incident.update"]
    assert [row["body"] for row in shown(sandbox)["incident_updates"]] == ["Fixed?", "We look into it."]
    assert shown(sandbox)["name"] == "Flags fail", "behaviour 101: it follows a better title"


def test_a_worker_that_died_after_creating_creates_no_second_one(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    publish(activities, UPDATE)
    publish(activities, UPDATE.replace(again=True))
    assert operations(sandbox, "statuspage") == ["incident.create"]


def test_35_the_newest_update_finds_the_incident_whose_creation_was_lost(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sandbox.fault("statuspage", "lost_reply", "incidents")
    failed(activities.status_page.publish_status, UPDATE)
    publish(
        activities, UPDATE.replace(key="run-7/update/4/status_page", sequence=4, body=PublicText.trusted("Newest."))
    )
    assert operations(sandbox, "statuspage") == ["incident.create", "incident.update"]
    assert [row["body"] for row in shown(sandbox)["incident_updates"]] == ["Newest.", "We look into it."]


def test_35_after_an_outage_the_newest_is_created(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("statuspage", "status", status=503, times=2)
    down = failed(activities.status_page.publish_status, UPDATE)
    assert (down.type, down.non_retryable) == ("VendorUnavailable", False)
    failed(activities.status_page.publish_status, UPDATE, attempt=2)
    publish(activities, NEWEST)
    assert operations(sandbox, "statuspage") == ["incident.create"]
    assert [row["body"] for row in shown(sandbox)["incident_updates"]] == ["Newest."]


def test_35_an_older_update_does_not_follow_the_newest_that_made_the_page(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    publish(activities, NEWEST)
    publish(activities, UPDATE, attempt=3)
    assert [row["body"] for row in shown(sandbox)["incident_updates"]] == ["Newest."]


def test_36_the_page_never_goes_backwards(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    page = publish(activities, UPDATE).resources.status_page_id
    publish(
        activities, UPDATE.replace(page_id=page, sequence=5, status="resolved", body=PublicText.trusted("All is well."))
    )
    late = publish(activities, UPDATE.replace(page_id=page, sequence=3, body=PublicText.trusted("Still bad.")))
    assert late.detail == "dropped (the page already shows update 5)"
    assert operations(sandbox, "statuspage") == ["incident.create", "incident.update"]
    assert shown(sandbox)["status"] == "resolved"


def test_the_pages_of_two_incidents_are_not_mixed_up(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    first = publish(activities, UPDATE).resources.status_page_id
    second = publish(activities, UPDATE.replace(marker="run-77"), attempt=2).resources.status_page_id
    assert first != second
    assert operations(sandbox, "statuspage") == ["incident.create", "incident.create"]


def test_what_is_off_says_so(idle: ActivitySet) -> None:
    off = "status page not configured (STATUSPAGE_API_KEY and STATUSPAGE_PAGE_ID are not set)"
    assert publish(idle, UPDATE).skipped == off
