"""Another company's runbook: a whole incident with its own severities, and none of FeatureSignals' words."""

import re
from datetime import timedelta
from pathlib import Path

from incidents.domain.config.loading import parse_runbook
from incidents.domain.incident.commands import Acknowledge, DeclareSeverity, Monitor, Reopen, Resolve
from tests.support.environment import World

ACME = parse_runbook(Path("tests/support/acme.yaml").read_text(encoding="utf-8"), "acme.yaml")
OURS = re.compile("feature ?signals|feature ?flag|flag evaluation|evaluation", re.IGNORECASE)
"""What no customer of another company may read (behaviour 107)."""


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
    assert any("shop@customer.example" in mail.to for _, mail in mailed)
    assert published[0][1].title == "Checkout disruption"
    assert world.sent("send_mail", "postmortem/mail")
    others = world.sent("send_mail")  # escalations, the post-mortem's reminders: none of ours either
    for _, request in (*published, *posted, *tickets, *others):
        said = request.model_dump_json(exclude={"key"})
        assert not OURS.search(said), said


async def test_an_incident_goes_down_to_the_last_of_five_severities_and_ends(world: World) -> None:
    world.runbook = ACME
    await world.open(severity="ticket", labels={"name": "Typo", "service": "checkout"})
    await world.tell(DeclareSeverity(by="ann", severity="SEV5"))
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    ended = await world.ended()
    assert (ended.severity, ended.highest_severity, ended.faults) == ("SEV5", "SEV4", ())
