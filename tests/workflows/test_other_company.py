"""Another company's runbook: a whole incident with its own severities, and none of FeatureSignals' words."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio import activity

from activities.rollback.health import Health
from activities.rollback.probes import RegionProbes
from incidents.app.settings import read_variable
from incidents.domain.config.loading import parse_runbook
from incidents.domain.incident.commands import Acknowledge, DeclareSeverity, Monitor, Reopen, Resolve
from incidents.domain.recipients import ListedCustomers
from incidents.domain.rollback.activity_requests import MeasureBaseline
from incidents.domain.rollback.commands import ApproveRollback
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.rollback.verification import Baseline, BaselineFinding
from incidents.vendors.product.probe import ProbeClient
from tests.support.environment import World
from tests.support.fake_activities import an_offer
from tests.support.servers.product_server import product_server

ACME = parse_runbook(Path("tests/support/acme.yaml").read_text(encoding="utf-8"), "acme.yaml")
OURS = re.compile("feature ?signals|feature ?flag|flag evaluation|evaluation", re.IGNORECASE)
"""What no customer of another company may read (behaviour 107)."""
SECRET = "s3cret-of-acme"


async def test_107_a_whole_incident_says_no_word_of_featuresignals(world: World) -> None:
    world.runbook = ACME
    await world.open(severity="page", labels={"name": "HighErrorRatio", "service": "checkout"})
    assert (await world.incident()).severity == "SEV1"
    await world.at(11)  # the escalation is due at 10
    await world.tell(Acknowledge(by="ann"))
    await world.at(31)  # a scheduled update without news
    await world.tell(DeclareSeverity(by="ann", severity="sev2"))
    await world.tell(DeclareSeverity(by="ann", severity="SEV1"))
    await world.tell(Monitor(by="ann"))
    await world.tell(Resolve(by="ann", force=True, reason="quiet"))
    await world.tell(Reopen(by="ann", reason="it is back"))
    await world.tell(Resolve(by="ann", force=True, reason="quiet again"))
    await world.ended()
    await world.env.sleep(timedelta(hours=50))  # the post-mortem is overdue

    page = world.sent("send_page")[0][1]
    assert (page.severity, page.to) == ("critical", "primary")
    assert any(call.to == "director" for _, call in world.sent("send_page", "escalate/SEV1"))
    published, posted = world.sent("publish_status"), world.sent("post_message", "update/")
    mailed, tickets = world.sent("send_mail", "update/"), world.sent("comment_ticket", "update/")
    assert published
    assert posted
    assert tickets
    assert any(ListedCustomers() in mail.to for _, mail in mailed)
    assert published[0][1].title == "Acme Store: Checkout disruption (SEV1)"
    assert world.sent("send_mail", "postmortem/mail")
    others = world.sent("send_mail")  # escalations, the post-mortem's reminders: none of ours either
    for _, request in (*published, *posted, *tickets, *others):
        said = request.model_dump_json(exclude={"key"}).replace(world.handle.id, "")  # an id of this test, in buttons
        assert not OURS.search(said), said


async def test_an_incident_goes_down_to_the_last_of_five_severities_and_ends(world: World) -> None:
    world.runbook = ACME
    await world.open(severity="ticket", labels={"name": "Typo", "service": "checkout"})
    await world.tell(DeclareSeverity(by="ann", severity="SEV5"))
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    ended = await world.ended()
    assert (ended.severity, ended.highest_severity, ended.operators.faults) == ("SEV5", "SEV4", ())


@activity.defn
def measure_baseline(request: MeasureBaseline) -> BaselineFinding:
    at = datetime.now(UTC)
    normal = Baseline(p50_ms=5, p95_ms=9, samples=60, source="Prometheus", since=at, until=at)
    return BaselineFinding(region=request.region.name, baseline=normal)


async def test_54_a_rollback_is_verified_by_the_configured_probe_and_no_secret_enters_history(
    empty_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_STORE_TOKEN", SECRET)
    world, moment = empty_world, timedelta(milliseconds=100)
    health = Health(RegionProbes(ProbeClient(5), read_variable), lambda *_: None)
    world.activities.real = {"verify_region": health.verify_region, "measure_baseline": measure_baseline}
    rules = ACME.rollback.replace(
        healthy_probes=3, probe_interval=moment / 10, window=moment, min_samples=3, latency_slack_ms=4000
    )
    with product_server() as product:
        product.answer = {"checks": [{"state": "ready"}]}
        regions = (ACME.regions[0].replace(url=product.url),)
        world.runbook = ACME.replace(rollback=rules, regions=regions, chat=ACME.chat.replace(setup_per_minute=0))
        world.activities.offers = (an_offer(await world.now(), cluster="store-west"),)
        async with world.worker():
            await world.open(severity="page", labels={"name": "HighErrorRatio", "service": "checkout"})
            await world.tell(ApproveRollback(by="ann"))
            [state] = (await world.incident()).rollback.clusters
            assert state.status is RollbackStatus.HEALTHY, state.detail
    assert "consecutive good probes" in state.detail
    assert {(path, sent) for _, path, sent in product.asked} == {("/internal/ready?region=west", f"Bearer {SECRET}")}
    for workflow_id in (world.handle.id, "rollback-store-west-checkout"):
        events = (await world.env.client.get_workflow_handle(workflow_id).fetch_history()).events
        recorded = b"".join(event.SerializeToString() for event in events)
        assert b"ACME_STORE_TOKEN" in recorded, "its name is recorded"
        assert SECRET.encode() not in recorded
