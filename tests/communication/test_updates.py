"""Status updates: when each went out on which channel, and what it said."""

from datetime import UTC, datetime

import pytest

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.time.calendar import Calendar
from incidents.domain.customers.config import CustomersSection
from incidents.domain.incident.commands import (
    Acknowledge,
    Assess,
    DeclareSeverity,
    HoldUpdate,
    Monitor,
    PostUpdate,
    Publication,
    Resolve,
)
from tests.support.communication.environment import Stage, minutes


def current(text: str) -> str:
    """The paragraph "Current Status" of a message."""
    return text.partition("Current Status:\n")[2].partition("\n\nNext Update:")[0]


async def test_the_first_update_is_the_seeds_template_filled(stage: Stage) -> None:
    await stage.begin()
    [page] = stage.page_updates()
    assert page.payload["name"] == "[INCIDENT] FeatureSignals P0 — Flag evaluation disruption"
    assert page.text == (
        "Status: INVESTIGATING\n"
        "Incident ID: INC-1\n"
        "Start Time: 2030-01-07 14:00 UTC (19:30 IST)\n"
        "Impact: Feature flag evaluation may be unavailable.\n\n"
        "Current Status:\n"
        "We detected a problem at 2030-01-07 14:00 UTC (19:30 IST) and are investigating it.\n\n"
        "Next Update: 2030-01-07 14:30 UTC (20:00 IST)\n\n"
        "FeatureSignals Incident Response Team\n"
    )
    assert {mail.payload["subject"] for mail in stage.mails()} == {
        "[INCIDENT] FeatureSignals P0 — Flag evaluation disruption"
    }


async def test_the_pages_components_change_with_the_region_and_recover(stage: Stage) -> None:
    mapped = {"flag-evaluation/eu": "evaluationeu", "flag-evaluation/us": "evaluationus", "dashboard": "dashboardapp"}
    page = stage.runbook.status_page.replace(components=mapped)
    stage.runbook = stage.runbook.replace(status_page=page)
    await stage.begin(region="eu")
    assert affected(stage) == {"Flag evaluation (EU)": "major_outage"}
    await stage.at(5)
    await stage.tell(Assess(by="ann", impact="Flags and the dashboard fail.", services=("dashboard",)))
    await stage.tell(PostUpdate(by="ann", text="The dashboard fails, too."))
    assert affected(stage) == {"Flag evaluation (EU)": "major_outage", "Dashboard": "major_outage"}
    await stage.tell(Resolve(by="ann", force=True, reason="All is well."))
    assert affected(stage) == {}


def affected(stage: Stage) -> dict[str, str]:
    """The components of the page that are not operational."""
    components = stage.sandbox.state()["statuspage"]["components"]
    return {row["name"]: row["status"] for row in components if row["status"] != "operational"}


async def test_an_update_comes_every_30_minutes_with_a_reminder_before(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(20)
    await stage.tell(PostUpdate(by="ann", text="A fix is being tested.", when=Publication.NEXT))
    await stage.at(61)
    assert minutes(stage.page_updates()) == [0, 30, 60]
    assert current(stage.page_updates()[1].text) == "A fix is being tested."
    assert minutes(stage.posts("incident-1", "[INCIDENT]")) == [0, 30, 60]
    reminders = stage.posts("incident-1", "will be published at")
    assert minutes(reminders) == [25, 55]
    assert (
        "Update 2 will be published at 2030-01-07 14:30 UTC (20:00 IST) with this text:\n> A fix is being tested."
        in (reminders[0].text)
    )
    assert "To replace it: `incident update 1 --next" in reminders[0].text


async def test_27_lowered_in_mid_cadence(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(10)
    await stage.tell(DeclareSeverity(by="ann", severity="P2", reason="one region only"))
    for told in (stage.page_updates()[-1], stage.mails()[-1], stage.posts("incident-1", "[INCIDENT]")[-1]):
        assert told.minute == 10, "nobody waits for 14:30"
        assert "The severity was lowered from P0 to P2." in told.text
        assert "Next Update: 2030-01-07 18:00 UTC" in told.text
    assert any(text.startswith("Cancelled: Escalate to CEO") for text in await stage.said())
    await stage.at(241)
    assert minutes(stage.page_updates()) == [0, 10, 240]
    assert set(minutes(stage.mails())) == {0, 10}


async def test_28_raised_later(stage: Stage) -> None:
    await stage.begin("warning")
    await stage.at(90)
    await stage.tell(DeclareSeverity(by="ann", severity="P0"))
    assert stage.mails()[0].minute == 90
    assert "raised from P2 to P0" in stage.mails()[0].text
    await stage.at(121)
    executives = [(page.minute, page.payload["custom_details"]["to"]) for page in stage.pages()]
    assert (90, "cto") in executives
    assert (120, "ceo") in executives, "thirty minutes from when it became a P0"


async def test_31_a_due_time_long_past_is_made_up_for_once(stage: Stage) -> None:
    await stage.begin("low")
    await stage.at(300)
    await stage.tell(DeclareSeverity(by="ann", severity="P0"))
    await stage.at(325)
    assert minutes(stage.page_updates()) == [300]


async def test_32_by_hand_counts(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(25)
    await stage.tell(PostUpdate(by="ann", text="We found the cause."))
    assert "Next Update: 2030-01-07 14:55 UTC" in stage.page_updates()[-1].text
    await stage.at(56)
    assert minutes(stage.page_updates()) == [0, 25, 55]


async def test_33_no_news_is_said_and_never_repeated(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(92)
    texts = [current(update.text) for update in stage.page_updates()]
    assert len(set(texts)) == 4
    assert texts[1] == (
        "As of 2030-01-07 14:30 UTC (20:00 IST), we are still investigating."
        " No change since 2030-01-07 14:00 UTC (19:30 IST)."
    )
    [nudge] = stage.posts("incident-1", "Please write the next one: `incident update 1 --next")
    assert nudge.minute == 90
    assert nudge.text.startswith("ann: the last 3 updates")


async def test_34_a_draft_holds_for_a_grace_and_is_kept(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(24)
    await stage.tell(PostUpdate(by="ann", text="We are about to", when=Publication.DRAFT))
    await stage.at(33)
    assert minutes(stage.page_updates()) == [0, 32]
    assert current(stage.page_updates()[1].text).startswith("As of 2030-01-07 14:32 UTC (20:02 IST), we are still")
    [reminder] = stage.posts("incident-1", "will be published at")
    assert "Unpublished draft:\n> We are about to" in reminder.text
    assert (await stage.incident()).updates.draft == "We are about to"


async def test_35_a_page_that_was_down_gets_only_the_newest(stage: Stage) -> None:
    stage.sandbox.fault("statuspage", "status", status=503, times=None)
    await stage.begin(but="update/")
    await stage.at(31, but="update/")
    await stage.at(62, but="update/")
    assert stage.page_updates() == []
    assert minutes(stage.posts("incident-1", "[INCIDENT]")) == [0, 30, 60], "the others are on time"
    assert sorted(set(minutes(stage.mails()))) == [0, 30, 60]
    stage.sandbox.clear_faults()
    await stage.at(64)
    [update] = stage.page_updates()
    assert update.minute in (62, 63), "at the next attempt"
    assert "No change since" in current(update.text), "the newest, and nothing older"
    assert any("supersedes undelivered update 1 on status_page" in text for text in await stage.said())


async def test_36_nothing_follows_the_resolution(stage: Stage) -> None:
    await stage.begin()
    await stage.at(29)
    stage.sandbox.fault("statuspage", "status", status=503, times=None)
    await stage.at(31.4, but="update/")  # between two attempts: this server loses time if one is cancelled as it begins
    await stage.tell(Resolve(by="ann", force=True, reason="seen"), but="update/")
    stage.sandbox.clear_faults()
    await stage.at(60)
    assert [update.payload["status"] for update in stage.page_updates()] == ["investigating", "resolved"]


async def test_38_a_hold_counts_once_and_changes_nothing_after(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(26)
    with pytest.raises(Exception, match="update failed") as caught:
        await stage.tell(HoldUpdate(by="ann", minutes=31, reason="waiting for numbers"))
    assert "can be held for at most 30m" in str(caught.value.__cause__)
    await stage.tell(HoldUpdate(by="ann", minutes=12, reason="waiting for numbers"))
    with pytest.raises(Exception, match="update failed") as caught:
        await stage.tell(HoldUpdate(by="bob", minutes=5, reason="more"))
    assert "already held until 14:42 UTC, and can be held only once" in str(caught.value.__cause__)
    await stage.at(61)
    assert minutes(stage.page_updates()) == [0, 42, 60]
    [said] = stage.posts("incident-1", "held until 14:42 UTC: waiting for numbers")
    assert said.minute == 26


async def test_39_a_p3_is_a_ticket(stage: Stage) -> None:
    await stage.begin("low")
    await stage.at(600)
    assert stage.page_updates() == stage.mails() == stage.pages() == []
    await stage.tell(Resolve(by="ann", text="The label is right now.", force=True, reason="seen"))
    kinds = [(one.minute, one.operation) for one in stage.ledger("github")]
    assert kinds[:1] == [(0, "issue.create")]
    assert (600, "comment.create") in kinds
    [comment] = stage.ledger("github", "comment.create")
    assert "The label is right now." in comment.text


async def test_40_a_clock_change_moves_no_instant(stage: Stage) -> None:
    stage.runbook = stage.runbook.replace(calendar=stage.runbook.calendar.replace(time_zone="Europe/Berlin"))
    await stage.begin(at=datetime(2030, 3, 31, 0, 30, tzinfo=UTC))  # at 01:00 UTC Berlin's clocks go from 2 to 3
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(62)
    assert minutes(stage.page_updates()) == [0, 30, 60]
    first, second, _ = (update.text for update in stage.page_updates())
    assert "Start Time: 2030-03-31 00:30 UTC (01:30 CET)" in first
    assert "Next Update: 2030-03-31 01:00 UTC (03:00 CEST)" in first
    assert "Start Time: 2030-03-31 00:30 UTC (01:30 CET)" in second, "what was said stays as it was"
    assert "Next Update: 2030-03-31 01:30 UTC (03:30 CEST)" in second


async def test_41_a_p2_goes_on_round_the_clock_unless_the_runbook_says_office_hours(stage: Stage) -> None:
    await stage.begin("warning")
    await stage.at(12 * 60 + 1)
    assert minutes(stage.page_updates()) == [0, 240, 480, 720]


async def test_41_office_hours_shift_to_the_next_opening_and_say_so(stage: Stage) -> None:
    stage.runbook = office_hours(stage.runbook)
    await stage.begin("warning")  # 14:00, office hours end at 17:00
    assert "Next Update: 2030-01-08 09:00 UTC (start of office hours)" in stage.page_updates()[0].text
    await stage.at(19 * 60 + 1)
    assert minutes(stage.page_updates()) == [0, 19 * 60]
    assert "Next Update: 2030-01-08 10:00 UTC\n" in stage.page_updates()[1].text, "the grid of four hours is kept"


async def test_monitoring_and_resolved_go_wherever_it_was_ever_published(stage: Stage) -> None:
    await stage.begin()
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(5)
    await stage.tell(DeclareSeverity(by="ann", severity="P2"))
    await stage.at(8)
    await stage.tell(Monitor(by="ann", text="Traffic is served by the other region."))
    await stage.at(12)
    await stage.tell(Resolve(by="ann", text="All is well.", force=True, reason="seen"))
    for sent in (stage.page_updates(), stage.mails(), stage.posts("incident-1", "[INCIDENT]")):
        assert sorted(set(minutes(sent))) == [0, 5, 8, 12]
    assert "Next Update: none (resolved)" in stage.mails()[-1].text


MANY = CustomersSection(emails=tuple(f"ops@customer{n}.example" for n in range(1001)))


@pytest.mark.parametrize("customers", [MANY], ids=["many"])
async def test_customers_are_mailed_each_alone_in_one_thread(stage: Stage) -> None:
    await stage.begin()
    mails = stage.mails()
    assert len(mails) == 1003
    assert all(len(mail.payload["to"]) == 1 for mail in mails)
    assert len({mail.payload["message_id"] for mail in mails}) == 2, "two requests of at most a thousand"
    first = mails[0].payload["headers"]
    assert first["Auto-Submitted"] == "auto-generated"
    await stage.at(31)
    second = stage.mails()[-1].payload["headers"]
    assert second["References"] == second["In-Reply-To"] == first["Message-ID"]


async def test_what_customers_must_not_read_is_refused(stage: Stage) -> None:
    await stage.begin()
    for text, leak in (
        ("db-1.eu.internal is down", "a host (db-1.eu.internal)"),
        ("See https://grafana.featuresignals.com/d/1", "a link"),
        ("eu-001 does not answer", "an internal name (eu-001)"),
        ("Traceback (most recent call last): boom", "a stack trace"),
        ("ann@featuresignals.com is on it", "an e-mail address"),
    ):
        for command in (PostUpdate(by="ann", text=text), Assess(by="ann", impact=text), Monitor(by="ann", text=text)):
            with pytest.raises(Exception, match="update failed") as caught:
                await stage.tell(command)
            assert leak in str(caught.value.__cause__)
            assert "nothing was published or changed" in str(caught.value.__cause__)
    assert minutes(stage.page_updates()) == [0]


def office_hours(runbook: RunbookConfig) -> RunbookConfig:
    """The runbook of an office that is open from nine to five, UTC, and sleeps at night."""
    policy = runbook.policy("P2")
    policy = policy.replace(updates=policy.updates.replace(office_hours_only=True))
    calendar = Calendar.model_validate({"opens": "09:00", "closes": "17:00"})
    return runbook.replace(severities={**runbook.severities, "P2": policy}, calendar=calendar)
