"""PagerDuty at the gateway: an acknowledgement there is one here."""

import asyncio

import httpx
import pytest

from incidents.client.delivery.spool import Spool, SpoolUnusable
from incidents.vendors.paging.pagerduty import PagerDutyEvents
from sandbox.server import RunningSandbox
from tests.gateway.calls import opened, pagerdutys
from tests.gateway.test_reading import hook
from tests.support.environment import World


async def test_an_acknowledgement_at_pagerduty_is_one_here(live_world: World, http: httpx.AsyncClient) -> None:
    workflow_id = await opened(live_world, http)
    body = hook(data={"id": "PQ1", "type": "incident", "incident_key": workflow_id})
    for _ in range(2):  # delivered twice
        answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
        assert (answer.status_code, answer.json()) == (202, {"action": "acknowledged"})
    await live_world.settled()
    incident = await live_world.incident()
    assert incident.acknowledged_by == "Ona Call"
    assert [entry.text for entry in incident.timeline].count("Acknowledged by Ona Call") == 1


async def test_a_webhook_without_our_key_is_asked_for_at_pagerduty(
    live_world: World, http: httpx.AsyncClient, sandbox: RunningSandbox
) -> None:
    workflow_id = await opened(live_world, http)
    env = sandbox.environment()
    events = PagerDutyEvents(env["PAGERDUTY_ROUTING_KEY"], env["PAGERDUTY_EVENTS_URL"])
    await asyncio.to_thread(events.send_event, "trigger", workflow_id, summary="x")
    page = sandbox.state()["pagerduty"][0]["id"]
    for given, action in ((page, "acknowledged"), ("PNOSUCH", "ignored")):
        body = hook(data={"id": given, "type": "incident"})
        answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
        assert (answer.status_code, answer.json()) == (202, {"action": action})


async def test_while_pagerduty_does_not_answer_it_is_asked_to_repeat(
    http: httpx.AsyncClient, sandbox: RunningSandbox
) -> None:
    sandbox.fault("pagerduty", "status", "/incidents/", status=503)
    body = hook(data={"id": "PQ1", "type": "incident"})
    answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
    assert answer.status_code == 503, "an acknowledgement is not to be lost"


async def test_pagerduty_events_that_do_not_concern_us_are_accepted(http: httpx.AsyncClient) -> None:
    unknown = hook(data={"id": "P", "type": "incident", "incident_key": "somebody-elses"})
    for body in (hook("incident.resolved"), unknown):
        answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
        assert (answer.status_code, answer.json()) == (202, {"action": "ignored"}), "a 4xx would disable the webhook"


@pytest.mark.parametrize("part", ["operators/slack", "alarm/rollback/eu-001/1/unhealthy"])
async def test_a_page_that_asks_for_no_responder_acknowledges_no_incident(
    live_world: World, http: httpx.AsyncClient, part: str
) -> None:
    workflow_id = await opened(live_world, http)
    body = hook(data={"id": "PQ1", "type": "incident", "incident_key": f"{workflow_id}/{part}"})
    answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
    assert (answer.status_code, answer.json()) == (202, {"action": "ignored"})
    await live_world.settled()
    assert not (await live_world.incident()).paging.attended


async def test_13_an_acknowledgement_is_asked_for_again_while_the_spool_cannot_be_read(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(spool: Spool, workflow_id: str) -> bool:
        raise SpoolUnusable(f"{spool.folder}: Permission denied")

    monkeypatch.setattr(Spool, "holds", unreadable)
    body = hook(data={"id": "PQ1", "type": "incident", "incident_key": "incident-not-open"})
    answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
    assert answer.status_code == 503
    assert answer.json()["error"].endswith("Send it again")
