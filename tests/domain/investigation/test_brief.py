"""The investigation brief: log lines alike together, dashboards of the service and period, the service's deploys."""

from incidents.domain.build_request import request
from incidents.domain.investigation.activity_requests import QueryMetrics
from incidents.domain.investigation.log_groups import group_lines
from incidents.domain.rollback.activity_requests import FindRollback
from incidents.domain.rollback.known_good import Deployment, Offer, describe_recent
from tests.support.incidents import RUNBOOK, T0, at, obligation, opened


def test_lines_that_differ_in_numbers_and_ids_are_one_group_with_first_last_and_count() -> None:
    lines = [
        (at(3), "request 0f8fad5b-d9cb-469f-a165-70867728950e  timed out after 5003 ms"),
        (at(1), "request 7c9e6679-7425-40de-944b-e07fc1f90ae7 timed out after 5001 ms"),
        (at(2), "cache unreadable"),
    ]
    timeouts, cache = group_lines(lines)
    assert (timeouts.count, timeouts.first, timeouts.last) == (2, at(1), at(3))
    assert timeouts.said == (
        "2x (14:01:00 to 14:03:00 UTC) request 0f8fad5b-d9cb-469f-a165-70867728950e timed out after 5003 ms"
    )
    assert cache.said == "1x (14:02:00 UTC) cache unreadable"
    assert group_lines([]) == []
    assert len(group_lines([(T0, "x" * 500)])[0].text) == 160


def test_dashboards_are_filled_with_service_and_period() -> None:
    url = "https://signoz.example/dashboard/1?service={SERVICE}&startTime={FROM_MS}&endTime={UNTIL_MS}"
    config = RUNBOOK.replace(investigation=RUNBOOK.investigation.replace(dashboards={"SigNoz": url}))
    incident = opened()
    asked = request(obligation(incident, "investigate/metrics"), incident, config, at(1))
    assert isinstance(asked, QueryMetrics)
    since, until = int(at(-30).timestamp()) * 1000, int(at(1).timestamp()) * 1000
    assert asked.links == {
        "SigNoz": f"https://signoz.example/dashboard/1?service=flag-evaluation&startTime={since}&endTime={until}"
    }


def test_49_the_search_leaves_out_this_incident_and_not_an_earlier_one_of_its_workflow_id() -> None:
    incident = opened().replace(number=7)
    asked = request(obligation(incident, "investigate/deployments"), incident, RUNBOOK, at(1))
    assert isinstance(asked, FindRollback)
    assert (asked.workflow_id, asked.number) == (incident.workflow_id, 7)


def test_the_newest_deploys_of_the_service_are_named() -> None:
    rows = tuple(
        Deployment(id=v, cluster="eu-001", version=v, status="success", started_at=at(minutes))
        for v, minutes in (("v3", 2), ("v2", -90))
    )
    offer = Offer(cluster="eu-001", reason="", recent=rows)
    assert describe_recent(offer, T0) == "newest deploys to eu-001: v3 2m after the alert, v2 1h 30m before the alert"
    assert describe_recent(offer.replace(recent=()), T0) == ""
