"""One incident by the pages alone, from the link in its page to its resolution."""

import httpx

from incidents.domain.core.status import Status
from incidents.domain.core.timeline import SYSTEM
from incidents.domain.rollback.state import RollbackStatus
from tests.gateway.web.browsing import front_page, words
from tests.gateway.web.test_acknowledge import path_of
from tests.gateway.web.test_commands import give
from tests.gateway.web.test_sign_in import phone, provider, signed_in, signing
from tests.support.environment import World
from tests.support.fake_activities import an_offer

__all__ = ["phone", "provider", "signing"]


async def test_one_incident_by_the_pages_alone(live_world: World, phone: httpx.AsyncClient) -> None:
    live_world.activities.offers = (an_offer(await live_world.now()),)
    await live_world.open()
    link = path_of(live_world)
    await signed_in(phone)
    assert "Acknowledged by ann" in words(await phone.post(link))
    await give(phone, "assess", impact="Half of all evaluations fail.", customers="Acme")
    await give(phone, "severity", severity="P1", reason="one region")
    await give(phone, "update", text="We found the cause and deploy the previous release.", when="now")
    await give(phone, "decline", reason="we clear the cache", cluster="eu-001")
    await give(phone, "monitor", text="Evaluations have recovered.")
    await live_world.settled()
    last = words(await give(phone, "resolve", text="It is over.", force="true", reason="quiet"))
    incident = await live_world.incident()
    assert (incident.status, incident.severity, incident.roles.commander) == (Status.RESOLVED, "P1", "ann")
    assert incident.rollback.clusters[0].status is RollbackStatus.DECLINED
    assert {entry.actor for entry in incident.timeline} - {SYSTEM, "Alertmanager"} == {"ann"}
    assert "INC-1" in last
    assert "resolved" in last
    texts = [str(update.text) for update in incident.updates.published]
    assert texts[-3:] == [
        "We found the cause and deploy the previous release.",
        "Evaluations have recovered.",
        "It is over.",
    ]
    assert "resolved" in (await front_page(phone, "resolved")).partition("Recent")[2]
