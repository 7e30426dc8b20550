"""Pages, acknowledgement and escalation: when each call went out, to whom and in which words."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from incidents.contracts import MAIL_BOUNCED, MailBounced
from incidents.domain.config.communication import Reach, Rung
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.commands import Acknowledge, AddNote, DeclareSeverity, Escalate, Resolve
from incidents.domain.recipients import AddressBook
from incidents.gateway.mail_events import read
from sandbox.server import RunningSandbox
from tests.communication.conftest import standing
from tests.support.communication.environment import T0, Stage, minutes

NO_SCOPE = {"ok": False, "error": "missing_scope"}
ONCALL, BACKUP, CTO, CEO = "P0 flag-", "Escalated to Second", "Escalated to CTO", "Escalated to CEO"


def pages(stage: Stage, to: str) -> list[int]:
    return [page.minute for page in stage.pages() if page.text.startswith(to)]


async def test_16_the_page_goes_first_and_what_fails_holds_up_nobody(stage: Stage) -> None:
    stage.sandbox.fault("slack", "status", "conversations.create", status=200, body=NO_SCOPE, times=None)
    stage.sandbox.fault("zoom", "status", status=403, times=None)
    await stage.begin()
    order = [row["vendor"] for row in stage.sandbox.ledger()]
    assert order.index("pagerduty") < order.index("statuspage"), "before everything that needs to be set up"
    assert pages(stage, ONCALL) == [0]
    assert stage.page_updates()[0].minute == stage.mails()[0].minute == 0


async def test_a_page_that_does_not_go_out_is_made_up_for_by_slack_and_mail_and_tried_on(stage: Stage) -> None:
    stage.sandbox.fault("pagerduty", "status", status=503, times=None)
    ladder = stage.runbook.policy("P0").escalation
    stage.runbook = laddered(stage.runbook, tuple(rung for rung in ladder if rung.contact == "ceo"))
    await stage.begin(but="page/")
    await stage.at(4, but="page/")
    assert stage.mails("escalation") == []
    await stage.at(6, but="page/")
    assert [(mail.minute, mail.where) for mail in stage.mails("escalation")] == [(5, "oncall@featuresignals.com")]
    assert minutes([post for post in stage.ledger("slack", "chat.postMessage") if "Ona" in post.where]) in ([], [5])
    stage.sandbox.clear_faults()
    await stage.at(8)
    assert len(pages(stage, ONCALL)) == 1, "it was tried on"


async def test_an_acknowledgement_stops_the_paging_and_silences_exactly_the_alert(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    [acknowledged] = stage.ledger("pagerduty", "event.acknowledge")
    assert (acknowledged.minute, acknowledged.payload["dedup_key"]) == (2, "incident-flag-evaluation:production")
    [silence] = stage.ledger("alertmanager", "silence.create")
    assert silence.minute == 2
    matched = {row["name"]: row["value"] for row in silence.payload["matchers"]}
    assert matched == {
        "alertname": "EvaluationErrors",
        "service": "flag-evaluation",
        "environment": "production",
        "severity": "critical",
    }, "nothing but this alert: another one of the service must be heard"
    assert silence.payload["endsAt"].startswith("2030-01-07T16:02"), "it ends by itself, whatever becomes of us"
    assert silence.payload["createdBy"] == "ann"
    [alert] = stage.sandbox.state()["alertmanager"]["alerts"]
    assert alert["status"]["state"] == "suppressed"
    assert minutes(stage.posts("incident-1", "Acknowledged by ann")) == [2]

    await stage.at(15)
    assert not (await stage.incident()).alerting.alerts[0].ended_at, "asked at 13: it still fires"
    stage.fire(ended=True)
    await stage.at(28)
    assert minutes(stage.posts("incident-1", "Alert ended")) == [26], "Alertmanager would never have told us"
    await stage.tell(Resolve(by="ann"))
    assert minutes(stage.ledger("alertmanager", "silence.expire")) == [28]


async def test_a_silence_is_lifted_when_the_incident_ends_with_the_alert_firing(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(4)
    await stage.tell(Resolve(by="ann", force=True, reason="a planned test"))
    [lifted] = stage.ledger("alertmanager", "silence.expire")
    assert lifted.minute == 4
    [alert] = stage.sandbox.state()["alertmanager"]["alerts"]
    assert alert["status"]["state"] == "active", "the next firing is heard"


async def test_overdue_acknowledgement_calls_the_next_level(stage: Stage) -> None:
    await stage.begin()
    await stage.at(4)
    assert pages(stage, BACKUP) == []
    await stage.at(6)
    assert pages(stage, BACKUP) == [5]
    assert minutes(stage.posts("incident-1", "Target missed: acknowledged within 5m")) == [5]


async def test_25_nobody_on_call_calls_the_next_level_at_once(stage: Stage) -> None:
    stage.sandbox.options(nobody_on_call=True)
    stage.runbook = scheduled(stage.runbook, "on_call")
    await stage.begin()
    assert pages(stage, BACKUP) == [0], "not after the five minutes of an acknowledgement"
    [said] = stage.posts("incident-1", "no_one_on_call")
    assert said.minute == 0


async def test_on_call_by_the_schedule_is_invited_and_mailed(stage: Stage) -> None:
    stage.runbook = scheduled(stage.runbook, "on_call", "engineering_manager")
    ladder = (Rung(contact="engineering_manager", after=timedelta(minutes=10), by=(Reach.EMAIL,)),)
    stage.runbook = laddered(stage.runbook, ladder)
    await stage.begin()
    assert any("Look up On-call engineer: Ona Call" in text for text in await stage.said())
    [invited] = stage.ledger("slack", "conversations.invite")
    people = {user["id"]: user["name"] for user in stage.sandbox.state()["slack"]["users"]}
    assert "oncall" in [people[user] for user in invited.payload["users"].split(",")]
    await stage.at(11)
    [mail] = stage.mails("escalation")
    assert (mail.minute, mail.where) == (10, "oncall@featuresignals.com"), "asked when the rung is due"


async def test_a_schedule_that_cannot_be_asked_keeps_nobody_out_of_the_channel(stage: Stage) -> None:
    stage.sandbox.fault("pagerduty", "status", "oncalls", status=401, times=None)
    stage.runbook = scheduled(stage.runbook, "on_call")
    await stage.begin()
    assert len(stage.ledger("slack", "conversations.invite")) == 1
    assert pages(stage, ONCALL) == [0]


async def test_42_the_ceo_is_called_unless_mitigated_with_the_text_of_that_moment(stage: Stage) -> None:
    await stage.begin()
    await stage.at(3)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(31)
    assert pages(stage, CEO) == [30], "acknowledged does not stop it"
    [mail] = [mail for mail in stage.mails("escalation") if mail.where == "ceo@featuresignals.com"]
    assert mail.minute == 30
    assert "INC-1 (P0) has been open for 30m." in mail.text
    assert "Acknowledged by ann. Commander: ann." in mail.text
    assert "War room: https://sandbox.zoom.invalid/j/" in mail.text


async def test_43_a_resolution_just_before_wins(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(29.7)
    await stage.tell(Resolve(by="ann", force=True, reason="seen"))
    await stage.at(40)
    assert pages(stage, CEO) == []
    [lapsed] = [text for text in await stage.said() if text.startswith("Cancelled: Escalate")]
    assert "Escalate to CEO by page (was due in" in lapsed


async def test_44_acknowledged_and_then_silent_pages_again(stage: Stage) -> None:
    await stage.begin()
    await stage.at(1)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(22)
    await stage.tell(AddNote(by="ann", text="Looking at the router."))
    await stage.at(51)
    assert pages(stage, ONCALL) == [0], "a word at minute 22 counts"
    await stage.at(53)
    assert pages(stage, ONCALL) == [0, 52]
    keys = [page.payload["dedup_key"] for page in stage.pages() if page.text.startswith(ONCALL)]
    assert len(set(keys)) == 2, "a page of its own: a pager stays silent about one that was acknowledged"
    [said] = stage.posts("incident-1", "No activity for 30m since the acknowledgement: re-paging on-call")
    assert said.minute == 52
    await stage.at(58)
    assert pages(stage, BACKUP) == [57], "as long again to acknowledge, then the next level"
    await stage.at(59)
    await stage.tell(AddNote(by="ann", text="I was on the phone with the provider."))
    assert [one.minute for one in stage.ledger("pagerduty", "event.acknowledge")] == [1, 59], "a word is enough"
    await stage.tell(Resolve(by="ann", force=True, reason="seen"))
    still_open = [row["incident_key"] for row in stage.sandbox.state()["pagerduty"] if row["status"] != "resolved"]
    assert still_open == [], "every page of every calling and of every escalation"


async def test_44_a_word_in_the_channel_is_heard_too(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(23)
    stage.sandbox.clock(T0 + timedelta(minutes=23))
    stage.sandbox.say("incident-1", "oncall@featuresignals.com", "It is the cache. Restarting.")
    await stage.at(45)
    assert pages(stage, ONCALL) == [0]
    await stage.at(54)
    assert pages(stage, ONCALL) == [0, 53], "thirty minutes after the last word, not after the acknowledgement"


async def test_45_who_cannot_be_reached_is_tried_by_the_next_way_then_the_next_rung(stage: Stage) -> None:
    ladder = (
        Rung(contact="vp_engineering", after=timedelta(minutes=10), by=(Reach.SLACK,)),
        Rung(contact="ceo", after=timedelta(hours=4), by=(Reach.EMAIL,)),
    )
    vp = stage.runbook.contacts["vp_engineering"].replace(email="gone@featuresignals.com")
    stage.runbook = laddered(stage.runbook, ladder)
    stage.runbook = stage.runbook.replace(contacts={**stage.runbook.contacts, "vp_engineering": vp})
    stage.real.chat._book = AddressBook(contacts=stage.runbook.contacts)  # as the worker's own runbook has it
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(11)
    assert [(page.minute, page.payload["custom_details"]["to"]) for page in stage.pages()] == [
        (0, "on_call"),
        (10, "vp_engineering"),
    ], "Slack does not know them, so they are paged"
    said = await stage.said()
    assert any("Skipped: Escalate to VP Engineering by slack: vp_engineering not found in Slack" in s for s in said)
    await stage.at(30)
    assert stage.mails("escalation") == [], "reached: the next rung waits for its own time"


async def test_45_a_mail_that_bounces_is_followed_by_the_next_way_and_then_the_next_rung(stage: Stage) -> None:
    rungs = (Rung(contact="cto", after=timedelta(), by=(Reach.EMAIL,)), Rung(contact="ceo", after=timedelta(hours=3)))
    stage.runbook = laddered(stage.runbook, rungs)
    await stage.begin()
    assert pages(stage, CTO) == []
    [mail] = stage.mails("escalation")
    event = {"event": "bounce", "email": mail.where, "sg_event_id": "b1", "status": "5.1.1"}
    [(workflow_id, bounces)] = read(json.dumps([event | mail.payload["custom_args"]]).encode()).items()
    assert workflow_id == stage.handle.id
    stage.sandbox.fault("pagerduty", "status", status=400, times=None)
    stage.sandbox.fault("slack", "status", "users.lookupByEmail", status=200, body=NO_SCOPE, times=None)
    await stage.at(10)
    for _ in range(2):
        await stage.handle.signal(MAIL_BOUNCED, MailBounced(bounces=bounces))
    await stage.settled()
    said = [entry.text for entry in (await stage.incident()).timeline if "Failed: " in entry.text]
    assert said[0] == "Failed: escalate to CTO by email: the mail was not delivered (5.1.1)"
    assert sum("the mail was not delivered" in text for text in said) == 1
    assert [mail.where for mail in stage.mails("escalation")] == ["cto@featuresignals.com", "ceo@featuresignals.com"]
    assert minutes(stage.mails("escalation")) == [0, 10], "the CEO is not due before three hours"


async def test_45_without_any_way_the_next_rung_is_called_at_once(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with standing(sandbox, monkeypatch, tmp_path, PAGERDUTY_ROUTING_KEY="") as stage:
        ladder = (
            Rung(contact="vp_engineering", after=timedelta(minutes=10), by=(Reach.PAGE,)),
            Rung(contact="ceo", after=timedelta(hours=4), by=(Reach.EMAIL,)),
        )
        nobody = stage.runbook.contacts["vp_engineering"].replace(email=None)
        stage.runbook = laddered(stage.runbook, ladder)
        stage.runbook = stage.runbook.replace(contacts={**stage.runbook.contacts, "vp_engineering": nobody})
        async with stage.worker():
            await stage.begin()
            assert minutes([m for m in stage.mails("escalation") if "oncall@" in m.where]) == [0], "no pager: by mail"
            await stage.at(12)
            assert [m.minute for m in stage.mails("escalation") if "ceo@" in m.where] == [10]


async def test_46_a_stale_escalation_is_refused_with_the_state_of_now(stage: Stage) -> None:
    await stage.begin()
    seen = (await stage.incident()).revision
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    with pytest.raises(Exception, match="update failed") as caught:
        await stage.tell(Escalate(by="bob", revision=seen))
    assert "The incident has changed. Now: P0, investigating, commander ann." in str(caught.value.__cause__)
    await stage.tell(Escalate(by="bob", revision=(await stage.incident()).revision, reason="it spreads"))
    assert pages(stage, BACKUP) == [2], "the next of the ladder, before its time"
    await stage.tell(Escalate(by="bob"))
    assert pages(stage, CEO) == [2]
    with pytest.raises(Exception, match="update failed") as caught:
        await stage.tell(Escalate(by="bob"))
    assert "has no further rung" in str(caught.value.__cause__)
    await stage.at(31)
    assert pages(stage, CEO) == [2], "nobody is called twice in one episode"


async def test_47_two_people_resolve(stage: Stage) -> None:
    await stage.begin()
    await stage.at(3)
    await stage.tell(Resolve(by="ann", force=True, reason="seen"))
    receipt = await stage.tell(Resolve(by="bob", force=True, reason="seen"))
    assert (receipt.changed, receipt.message) == (False, "INC-1 was already resolved by ann at 14:03 UTC.")
    assert len([m for m in stage.page_updates() if "RESOLVED" in m.text]) == 1


async def test_29_bouncing_calls_nobody_twice(stage: Stage) -> None:
    await stage.begin()
    await stage.tell(Acknowledge(by="ann"))
    for minute, severity in ((10, "P1"), (20, "P0")):
        await stage.at(minute)
        await stage.tell(DeclareSeverity(by="ann", severity=severity))
    await stage.at(31)
    assert pages(stage, CTO) == [0]
    assert pages(stage, CEO) == [30], "the gap of ten minutes does not start the CEO's timer again"


async def test_a_contact_with_a_pager_of_their_own_is_paged_there(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = '{"cto": "anotherroutingkey000000000000001"}'
    async with standing(sandbox, monkeypatch, tmp_path, PAGERDUTY_ROUTING_KEYS=own) as stage, stage.worker():
        await stage.begin()
        said = await stage.said()
        assert pages(stage, CTO) == [], "the sandbox knows no such key, so the attempt is seen to go elsewhere"
        assert any("Failed: Escalate to CTO by page" in text and "400" in text for text in said)
        assert pages(stage, ONCALL) == [0]


def scheduled(runbook: RunbookConfig, *names: str) -> RunbookConfig:
    """The runbook, with these contacts named by the sandbox's schedule."""
    changed = {name: runbook.contacts[name].replace(schedule="PSBXSCHED") for name in names}
    return runbook.replace(contacts={**runbook.contacts, **changed})


def laddered(runbook: RunbookConfig, ladder: tuple[Rung, ...]) -> RunbookConfig:
    """The runbook, with another ladder for a P0."""
    policy = runbook.policy("P0").replace(escalation=ladder)
    return runbook.replace(severities={**runbook.severities, "P0": policy})


async def test_92_the_pager_shows_the_number_the_links_and_how_to_acknowledge(stage: Stage) -> None:
    await stage.begin()
    [page] = [page for page in stage.pages() if page.payload["custom_details"]["to"] == "on_call"]
    assert page.minute == 0
    assert page.text.startswith(ONCALL)
    alert = next(row for row in stage.sandbox.state()["pagerduty"] if row["incident_key"] == page.payload["dedup_key"])
    assert alert["triggers"] == 2, "the second event is added to the open alert, and pages nobody"
    details = alert["custom_details"]
    assert details["incident"] == "INC-1"
    assert details["acknowledge"] == "Acknowledge this page, or run `incident ack 1`"
    assert {link["text"] for link in alert["links"]} >= {"Channel", "War room"}
