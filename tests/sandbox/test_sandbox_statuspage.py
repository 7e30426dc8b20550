from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.server import RunningSandbox

DOWN = {"name": "Flag evaluation down", "body": "We look into it.", "components": {"evaluationeu": "major_outage"}}


@pytest.fixture
def page(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    env = sandbox.environment()
    base = f"{env['STATUSPAGE_API_URL']}/pages/{env['STATUSPAGE_PAGE_ID']}"
    headers = {"Authorization": f"OAuth {env['STATUSPAGE_API_KEY']}"}
    with httpx.Client(base_url=base, headers=headers, trust_env=False, verify=False) as client:
        yield client


def create(page: httpx.Client, **incident: Any) -> httpx.Response:
    return page.post("/incidents", json={"incident": incident})


def test_an_incident_is_published_updated_and_found_again(sandbox: RunningSandbox, page: httpx.Client) -> None:
    created = create(page, **DOWN, metadata={"runbook": {"key": "INC-1"}})
    assert created.status_code == 201
    incident = created.json()
    assert (incident["status"], incident["impact"]) == ("investigating", "critical")
    assert incident["incident_updates"][0]["deliver_notifications"] is True
    assert page.get("/components/evaluationeu").json()["status"] == "major_outage"

    found = page.get("/incidents/unresolved.json").json()
    assert [row["metadata"] for row in found] == [{"runbook": {"key": "INC-1"}}]
    change = {"status": "resolved", "body": "Fixed.", "components": {"evaluationeu": "operational"}}
    updated = page.patch(f"/incidents/{incident['id']}", json={"incident": change}).json()
    assert [row["status"] for row in updated["incident_updates"]] == ["resolved", "investigating"]
    assert page.get("/incidents/unresolved").json() == []
    assert [row["id"] for row in page.get("/incidents", params={"q": "fixed"}).json()] == [incident["id"]]
    assert page.get("/incidents", params={"q": "elsewhere"}).json() == []
    assert [row["operation"] for row in sandbox.ledger("statuspage")] == ["incident.create", "incident.update"]


def test_repeating_an_update_publishes_it_twice(page: httpx.Client) -> None:
    incident = create(page, **DOWN).json()
    for _ in range(2):
        page.patch(f"/incidents/{incident['id']}", json={"incident": {"body": "Still looking."}})
    assert len(page.get(f"/incidents/{incident['id']}").json()["incident_updates"]) == 3
    page.patch(f"/incidents/{incident['id']}", json={"incident": {"name": "Renamed"}})
    assert len(page.get(f"/incidents/{incident['id']}").json()["incident_updates"]) == 3


def test_a_form_is_read_as_well(page: httpx.Client) -> None:
    form = {"incident[name]": "By form", "incident[components][evaluationus]": "partial_outage"}
    created = page.post("/incidents.json", data=form | {"incident[component_ids][]": "dashboardapp"})
    assert (created.status_code, created.json()["name"], created.json()["impact"]) == (201, "By form", "major")
    assert {row["id"] for row in created.json()["components"]} == {"evaluationus", "dashboardapp"}


def test_a_component_changes_quietly(page: httpx.Client) -> None:
    changed = page.patch("/components/webhooksout1", json={"component": {"status": "degraded_performance"}})
    assert changed.json()["status"] == "degraded_performance"
    statuses = {row["id"]: row["status"] for row in page.get("/components").json()}
    assert statuses["webhooksout1"] == "degraded_performance"


@pytest.mark.parametrize(
    ("incident", "words"),
    [
        ({"body": "no name"}, "Name can't be blank"),
        ({"name": "x" * 256}, "Name is too long"),
        ({"name": "x", "body": "b" * 25_001}, "Body is too long"),
        ({"name": "x", "status": "broken"}, "Status is not included"),
        ({"name": "x", "impact_override": "terrible"}, "Impact override"),
        ({"name": "x", "metadata": {"key": "no object"}}, "Metadata top level values"),
        ({"name": "x", "components": {"nosuch": "operational"}}, "does not exist"),
        ({"name": "x", "component_ids": ["nosuch"]}, "does not exist"),
        ({"name": "x", "components": {"evaluationeu": "down"}}, "Component status"),
    ],
)
def test_a_wrong_incident_is_unprocessable(page: httpx.Client, incident: dict[str, Any], words: str) -> None:
    refused = create(page, **incident)
    assert refused.status_code == 422
    assert words in refused.json()["error"][0]
    assert page.get("/incidents").json() == []


def test_wrong_key_scheme_page_or_incident_are_refused(sandbox: RunningSandbox, page: httpx.Client) -> None:
    key = sandbox.environment()["STATUSPAGE_API_KEY"]
    for header in ("OAuth wrong", f"Bearer {key}"):
        refused = page.get("/incidents", headers={"Authorization": header})
        assert (refused.status_code, refused.json()) == (401, {"error": "Could not authenticate"})
    elsewhere = page.get(f"{sandbox.url}/statuspage/v1/pages/other/incidents")
    assert elsewhere.status_code == 404
    assert page.patch("/incidents/nosuch", json={"incident": {"body": "x"}}).status_code == 404
    assert page.post("/incidents", json={"name": "not wrapped"}).status_code == 400
