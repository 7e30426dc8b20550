"""The incident's channel, its digest, the war room and the roles: what people saw there, and when."""

from datetime import timedelta

import pytest

from incidents.contracts import AlertBatch
from incidents.domain.incident.commands import (
    Acknowledge,
    AddNote,
    Assess,
    AssignRole,
    Cancel,
    DeclareSeverity,
    MakePrivate,
    PostUpdate,
    Resolve,
    Role,
    SettleStep,
)
from tests.support.communication.environment import Stage, minutes
from tests.support.environment import an_alert

NO_SCOPE = {"ok": False, "error": "missing_scope"}


async def test_the_channel_is_a_place_to_work(stage: Stage) -> None:
    await stage.begin()
    await stage.at(1)
    await stage.tell(Acknowledge(by="ann"))
    await stage.tell(AssignRole(by="ann", role=Role.SCRIBE, person="sue"))
    await stage.at(2)
    channel = stage.channel("incident-1")
    bridge = (await stage.incident()).resources.bridge_url
    assert channel["topic"]["value"] == f"INC-1 · P0 · investigating · commander ann · {bridge}"
    [pinned] = channel["pins"]
    summary = next(message["text"] for message in channel["messages"] if message["ts"] == pinned)
    for line in (
        "*INC-1 · P0 · investigating · EvaluationErrors is high*",
        "Service: flag-evaluation (production) · since 2030-01-07 14:00 UTC (19:30 IST)",
        "Commander: ann · scribe sue · acknowledged by ann at 14:01 UTC",
        "Escalated to: CTO",
        "• 2030-01-07 14:30 UTC (20:00 IST) — Publish status update 2",
        "• 2030-01-07 14:30 UTC (20:00 IST) — Escalate to CEO by page",
        f"War room: {bridge}",
        "Status page: ",
    ):
        assert line in summary
    assert {mark["title"] for mark in channel["bookmarks"]} == {"War room", "Status page"}
    blocks = next(message["blocks"] for message in channel["messages"] if message["ts"] == pinned)
    assert blocks[0]["text"]["text"] == "INC-1 · P0 · investigating · EvaluationErrors is high"
    buttons = [button["text"]["text"] for button in blocks[-1]["elements"]]
    assert buttons == ["Take command", "Update…", "Severity…", "Roll back…", "Escalate", "Resolve…"], (
        "acknowledged: that button is gone"
    )


async def test_the_digest_has_a_line_for_each_incident_and_the_updates_below_it(stage: Stage) -> None:
    await stage.begin()
    await stage.at(31)
    channel = stage.channel("incidents")
    [line] = [message for message in channel["messages"] if "thread_ts" not in message or message.get("reply_count")]
    assert line["text"].startswith(
        "*INC-1 · P0 · investigating · EvaluationErrors is high* · commander unassigned · <#C"
    )
    below = [message for message in channel["messages"] if message["ts"] != line["ts"]]
    assert len(below) == 2
    assert all(message["thread_ts"] == line["ts"] for message in below)
    assert "No change since" in below[1]["text"]


async def test_20_a_channel_whose_reply_was_lost_is_found(stage: Stage) -> None:
    stage.sandbox.fault("slack", "lost_reply", "conversations.create")
    await stage.begin()
    created = stage.ledger("slack", "conversations.create")
    assert [one.payload["name"] for one in created] == ["incident-1"], "the lost one is found, and no `-2` is made"
    assert (await stage.incident()).resources.channel_name == "incident-1"


async def test_17_a_step_that_failed_for_good_is_tried_again_by_hand(stage: Stage) -> None:
    stage.sandbox.fault("zoom", "status", status=400, times=1)
    await stage.begin()
    [said] = stage.posts("incident-1", "Failed: Open the war room")
    assert said.minute == 0
    assert "(1 attempt). Next: `incident step 1 war-room` with --retry, --skip or --done" in said.text
    await stage.at(7)
    await stage.tell(SettleStep(by="ann", step="war-room", how="retry"))
    assert minutes(stage.ledger("zoom", "meeting.create")) == [7]


@pytest.mark.parametrize("vendor", ["slack", "sendgrid"])
async def test_21_refused_credentials_alarm_the_operators_in_a_second_channel(stage: Stage, vendor: str) -> None:
    body = NO_SCOPE if vendor == "slack" else {"errors": [{"message": "expired"}]}
    match = "conversations.create" if vendor == "slack" else ""
    stage.sandbox.fault(vendor, "status", match, status=200 if vendor == "slack" else 401, body=body, times=None)
    await stage.begin()
    if vendor == "slack":
        [mail] = stage.mails("operators")
        assert (mail.minute, mail.where) == (0, "em@featuresignals.com")
        assert mail.payload["subject"] == "Operators: Slack rejected our credentials"
        assert "missing_scope" in mail.text
        assert "all other channels keep working" in mail.text
    else:
        [page] = [page for page in stage.pages() if "Operators" in page.text]
        assert page.text == "Operators: SendGrid rejected our credentials", "not by the mail that is broken"
    assert minutes(stage.page_updates()) == [0]


async def test_22_a_rate_limit_is_waited_for_as_it_says(stage: Stage) -> None:
    stage.sandbox.fault("slack", "rate_limit", "conversations.create", retry_after=95)
    await stage.begin(but="channel")
    await stage.at(3)
    [created] = stage.ledger("slack", "conversations.create")
    assert 95 <= (created.at - stage.t0).total_seconds() < 100
    attempts = [call for call in stage.sandbox.calls("slack") if call["path"].endswith("conversations.create")]
    assert len(attempts) == 2, "no attempt before the vendor said"


async def test_23_the_war_room_comes_with_a_raise_and_stays_after_a_lowering(stage: Stage) -> None:
    await stage.begin("warning")
    await stage.at(30)
    assert stage.ledger("zoom", "meeting") == []
    await stage.tell(DeclareSeverity(by="ann", severity="P1"))
    assert minutes(stage.ledger("zoom", "meeting.create")) == [30]
    bridge = (await stage.incident()).resources.bridge_url
    assert bridge is not None
    await stage.at(42)
    await stage.tell(DeclareSeverity(by="ann", severity="P2"))
    [said] = stage.posts("incident-1", "War room stays open")
    assert said.minute == 42
    assert bridge in stage.channel("incident-1")["topic"]["value"]
    await stage.tell(DeclareSeverity(by="ann", severity="P0"))
    assert len(stage.ledger("zoom", "meeting.create")) == 1
    page = next(page for page in stage.pages() if page.text.startswith("Escalated to CTO"))
    [raised] = [row for row in stage.sandbox.state()["pagerduty"] if row["incident_key"] == page.payload["dedup_key"]]
    assert [link["href"] for link in raised["links"] if link["text"] == "War room"] == [bridge]


async def test_24_a_private_incident_stands_in_no_public_place(stage: Stage) -> None:
    await stage.begin("critical", private="true")
    await stage.tell(Assess(by="ann", impact="Keys of one customer may be known.", title="Leaked keys"))
    await stage.tell(PostUpdate(by="ann", text="The keys are being replaced."))
    await stage.at(31)
    assert stage.page_updates() == []
    assert stage.channel("incident-1")["is_private"]
    [line] = stage.posts("incidents")
    assert line.text == "private incident INC-1"
    assert {mail.where for mail in stage.mails()} == {"support@featuresignals.com", "em@featuresignals.com"}
    await stage.tell(Resolve(by="ann", force=True, reason="seen"))
    assert stage.page_updates() == []
    assert stage.channel("incidents")["messages"][0]["text"] == "private incident INC-1 · resolved"


async def test_24_becoming_private_later_moves_and_redacts(stage: Stage) -> None:
    await stage.begin()
    await stage.at(10)
    await stage.tell(MakePrivate(by="ann", reason="somebody is inside"))
    former, new = stage.channel("incident-1"), stage.channel("incident-1-private")
    assert former["is_archived"]
    assert new["is_private"]
    assert stage.channel("incidents")["messages"][0]["text"] == "private incident INC-1"
    assert (await stage.incident()).resources.channel_name == "incident-1-private"
    await stage.tell(AddNote(by="ann", text="Only among us."))
    assert minutes(stage.posts("incident-1-private", "Only among us.")) == [10]
    await stage.at(31)
    assert minutes(stage.page_updates()) == [0], "nothing more is published there ..."
    by_hand = "Statuspage keeps what was published: remove the incident there"
    said = [entry.text for entry in (await stage.incident()).timeline]
    assert said.count(f"Skipped: Remove the incident from the status page: {by_hand}") == 1
    assert len(stage.posts("incident-1-private", f"Private, but still on the status page: {by_hand}")) == 1
    await stage.tell(Resolve(by="ann", text="Our words.", force=True, reason="seen"))
    assert [(update.minute, update.text) for update in stage.page_updates()][1:] == [(31, "INC-1 is closed.\n")], (
        "... but its end, bare of all words"
    )


async def test_24_a_channel_that_opens_too_late_is_not_where_a_private_incident_goes(stage: Stage) -> None:
    stage.sandbox.fault("slack", "rate_limit", "conversations.create", retry_after=120)
    await stage.begin(but="channel")
    await stage.tell(MakePrivate(by="ann", reason="somebody is inside"), but="channel")
    await stage.at(4)
    assert stage.channel("incident-1")["is_archived"], "the public one, which came last"
    assert (await stage.incident()).resources.channel_name == "incident-1-private"
    assert stage.channel("incident-1-private")["topic"]["value"].startswith("INC-1")
    assert stage.posts("incident-1") == [], "nothing was said there"


async def test_24_an_alert_that_says_so_makes_a_running_incident_private(stage: Stage) -> None:
    await stage.begin("low")
    assert minutes(stage.ledger("github", "issue.create")) == [0]
    await stage.at(6)
    alert = an_alert(await stage.now(), name="Intrusion", private="true")
    await stage.handle.signal("alert_fired", AlertBatch(alerts=(alert,)))
    await stage.settled()
    assert stage.channel("incident-1-private")["is_private"]
    assert stage.channel("incident-1")["is_archived"]


async def test_24_a_private_p3_has_no_ticket(stage: Stage) -> None:
    await stage.begin("low", private="true")
    await stage.at(3)
    assert stage.ledger("github") == []
    assert stage.channel("incident-1")["is_private"]


async def test_slack_down_for_an_hour_loses_neither_the_channel_nor_what_was_said(stage: Stage) -> None:
    stage.sandbox.fault("slack", "status", status=503, times=None)
    await stage.begin("warning", but=("channel", "digest"))
    await stage.at(7, but=("channel", "digest"))
    await stage.tell(Acknowledge(by="ann"), but=("channel", "digest"))
    await stage.at(62, but=("channel", "digest"))
    stage.sandbox.clear_faults()
    await stage.at(66)
    assert stage.channel("incident-1")["topic"]["value"].startswith("INC-1 · P2 · investigating · commander ann")
    assert [post.minute for post in stage.posts("incident-1", "Acknowledged by ann")] in ([62], [63], [64])


async def test_26_the_clock_starts_with_the_alert(stage: Stage) -> None:
    await stage.begin(earlier=timedelta(minutes=2))
    assert "Start Time: 2030-01-07 13:58 UTC" in stage.page_updates()[0].text
    assert any("opened 2m after the alert" in text for text in await stage.said())
    assert stage.pages()[0].minute == 0


async def test_26_an_alert_of_the_future_is_clamped_and_flagged(stage: Stage) -> None:
    await stage.begin(earlier=-timedelta(minutes=5))
    assert "Start Time: 2030-01-07 14:00 UTC" in stage.page_updates()[0].text
    assert any("(in the future)" in text for text in await stage.said())


async def test_30_the_same_severity_makes_no_noise(stage: Stage) -> None:
    await stage.begin()
    await stage.at(3)
    before = len(stage.sandbox.ledger())
    with pytest.raises(Exception, match="update failed"):
        await stage.tell(DeclareSeverity(by="ann", severity="P0"))
    assert len(stage.sandbox.ledger()) == before


async def test_roles_are_handed_over_on_record_and_a_missing_commander_is_said(stage: Stage) -> None:
    await stage.begin()
    await stage.at(1)
    await stage.tell(Acknowledge(by="ann"))
    assert (await stage.incident()).roles.commander == "ann", "the first to acknowledge is commander"
    await stage.tell(AssignRole(by="ann", role=Role.COMMANDER, person="bob"))
    assert minutes(stage.posts("incident-1", "Commander: bob, handed over by ann")) == [1]
    assert "commander bob" in stage.channel("incident-1")["topic"]["value"]
    await stage.at(5)
    await stage.tell(AssignRole(by="bob", role=Role.COMMANDER, unassign=True))
    await stage.at(14)
    assert stage.posts("incident-1", "has no incident commander") == []
    await stage.at(16)
    [reminder] = stage.posts("incident-1", "has no incident commander")
    assert reminder.minute == 15
    assert "`incident role 1 commander NAME`" in reminder.text


async def test_the_channel_is_archived_after_the_reopen_window(stage: Stage) -> None:
    await stage.begin("warning")
    await stage.at(5)
    await stage.tell(Resolve(by="ann", text="Fine."))
    await stage.at(34)
    assert not stage.channel("incident-1")["is_archived"]
    await stage.env.sleep(120)
    await stage.ended()
    assert minutes(stage.ledger("slack", "conversations.archive")) == [35]


async def test_a_false_alarm_is_corrected_in_the_digest_too(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Cancel(by="ann", reason="the probe"))
    await stage.ended()
    line = stage.channel("incidents")["messages"][0]["text"]
    assert "· cancelled ·" in line
