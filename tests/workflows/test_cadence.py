"""Status updates: when each goes out, where, and what it says."""

from datetime import UTC, datetime, timedelta

from incidents.domain.incident.commands import Acknowledge, DeclareSeverity, PostUpdate, Publication, Resolve
from incidents.search_attributes import LAST_UPDATE_AT, UPDATE_OVERDUE_AT
from tests.support.environment import World


def minutes(world: World, name: str) -> list[int]:
    return [minute for minute, _ in world.sent(name, "update/")]


async def test_a_p0_is_updated_every_30_minutes_on_its_three_channels(world: World) -> None:
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.at(121)
    for name in ("publish_status", "send_mail"):
        assert minutes(world, name) == [0, 30, 60, 90, 120]
    delivered = [m for m, e in world.sent("post_message", "update/") if e.key.endswith("/slack")]
    assert delivered == [0, 30, 60, 90, 120]
    reminded = [m for m, e in world.sent("post_message", "/reminder")]
    assert reminded == [25, 55, 85, 115]


async def test_27_lowering_tells_everybody_who_was_promised_an_update(world: World) -> None:
    await world.open()
    await world.at(40)
    await world.tell(DeclareSeverity(by="ann", severity="P2"))
    incident = await world.incident()
    last_regular = world.t0 + timedelta(minutes=30)

    assert minutes(world, "publish_status") == [0, 30, 40]
    assert minutes(world, "send_mail") == [0, 30, 40], "all P0 channels hear it, though a P2 has but one"
    announced = world.sent("send_mail", "update/")[-1][1]
    due = last_regular + timedelta(hours=4)
    assert incident.updates.published[-1].next_at is not None
    assert abs(incident.updates.published[-1].next_at - due) < timedelta(seconds=5)
    assert "lowered from P0 to P2" in announced.text
    assert f"Next Update: {due:%Y-%m-%d %H:%M} UTC" in announced.text
    assert any(text.startswith("Severity P0 → P2") for text in await world.said())

    await world.at(300)
    assert minutes(world, "publish_status") == [0, 30, 40, 270]
    assert minutes(world, "send_mail") == [0, 30, 40], "a P2 sends no mail"


async def test_28_raising_publishes_at_once_and_calls_from_that_moment(world: World) -> None:
    await world.open(severity="warning")
    await world.at(120)
    assert not world.sent("send_page", "cto")
    await world.tell(DeclareSeverity(by="ann", severity="P0"))

    assert [m for m, _ in world.sent("send_page", "cto")] == [120]
    assert minutes(world, "send_mail") == [120]
    assert world.sent("open_bridge"), "a P2 that becomes a P0 gets its war room then (behaviour 23)"
    await world.at(155)
    assert [m for m, _ in world.sent("send_page", "ceo")] == [150]
    assert minutes(world, "send_mail") == [120, 150]


async def test_31_a_due_time_that_is_long_past_is_made_up_for_once(world: World) -> None:
    await world.open(severity="low")
    await world.at(300)
    assert minutes(world, "publish_status") == []
    await world.tell(DeclareSeverity(by="ann", severity="P0"))
    assert minutes(world, "publish_status") == [300]
    await world.at(329)
    assert minutes(world, "publish_status") == [300]
    await world.at(331)
    assert minutes(world, "publish_status") == [300, 330]


async def test_32_an_update_by_hand_counts(world: World) -> None:
    await world.open()
    await world.at(25)
    await world.tell(PostUpdate(by="ann", text="We found the cause."))
    await world.at(54)
    assert minutes(world, "publish_status") == [0, 25]
    await world.at(56)
    assert minutes(world, "publish_status") == [0, 25, 55]


async def test_33_no_news_is_said_honestly_and_never_twice_alike(world: World) -> None:
    await world.open()
    await world.at(125)
    texts = [update.text for update in (await world.incident()).updates.published]
    assert len(set(texts)) == len(texts) == 5
    assert all("No change since" in text and "Next update" not in text for text in texts[1:])
    nudges = world.sent("post_message", "/nudge")
    assert [minute for minute, _ in nudges] == [90, 120]
    assert "Please write the next one" in nudges[0][1].text


async def test_words_for_the_next_update_are_used_once(world: World) -> None:
    await world.open()
    await world.at(10)
    await world.tell(PostUpdate(by="ann", text="A fix is being tested.", when=Publication.NEXT))
    await world.at(61)
    texts = [update.text for update in (await world.incident()).updates.published]
    assert texts[1] == "A fix is being tested."
    assert "No change since" in texts[2]


async def test_34_a_draft_holds_the_update_for_a_grace_and_is_kept(world: World) -> None:
    await world.open()
    await world.at(28)
    await world.tell(PostUpdate(by="ann", text="We are about to", when=Publication.DRAFT))
    await world.at(31)
    assert minutes(world, "publish_status") == [0]
    await world.at(33)
    assert minutes(world, "publish_status") == [0, 32]
    incident = await world.incident()
    assert incident.updates.draft == "We are about to"
    assert "No change since" in incident.updates.published[1].text
    await world.at(62)
    assert minutes(world, "publish_status") == [0, 32, 60], "the grid is kept, and the old draft holds nothing any more"


async def test_39_a_p3_has_no_cadence_and_is_commented_on_when_resolved(world: World) -> None:
    await world.open(severity="low")
    await world.at(2000)
    assert not world.sent("publish_status")
    assert not world.sent("send_page"), "nobody is woken for a P3"
    assert len(world.sent("open_ticket")) == 1
    await world.tell(Resolve(by="ann", text="Fixed the label."))
    [(_, comment)] = world.sent("comment_ticket")
    assert comment.close
    assert "Fixed the label." in comment.body
    assert comment.opening.title.startswith("[INCIDENT] FeatureSignals P3 — ")


async def test_40_texts_are_utc_with_the_organisations_zone_in_brackets(world: World) -> None:
    await world.open()
    [(_, mail)] = world.sent("send_mail", "update/1")
    started = (await world.incident()).started_at.astimezone(UTC)
    local = started + timedelta(hours=5, minutes=30)
    day = "" if local.date() == started.date() else f"{local:%Y-%m-%d} "
    assert f"Start Time: {started:%Y-%m-%d %H:%M} UTC ({day}{local:%H:%M} IST)" in mail.text


async def test_a_channel_that_is_down_delays_no_other_and_gets_only_the_newest_text(world: World) -> None:
    world.activities.faults["publish_status"] = 45
    await world.open(settle=False)
    await world.settled(but="update/1/status_page")
    await world.at(31, but="update/2/status_page")
    assert minutes(world, "send_mail") == [0, 30]
    await world.at(59)

    tried = [call.effect.sequence for call in world.activities.calls if call.name == "publish_status"]
    assert tried[:45] == sorted(tried[:45])
    assert tried[45:] == [2], "the page recovers, and the one text that reaches it is the newest"
    assert any("supersedes" in text for text in await world.said())


async def test_the_list_knows_when_the_last_update_was_published(world: World) -> None:
    await world.open()
    assert await last_update_at(world) == (await world.incident()).updates.published[-1].at
    await world.at(31)
    published = (await world.incident()).updates.published
    assert len(published) == 2
    assert await last_update_at(world) == published[-1].at


async def last_update_at(world: World) -> datetime | None:
    return (await world.handle.describe()).typed_search_attributes.get(LAST_UPDATE_AT)


async def test_35_an_update_that_hangs_is_overdue_in_the_list_and_in_the_channel(world: World) -> None:
    world.activities.faults["publish_status"] = 1000
    await world.open(settle=False)
    await world.at(6, but="update/1/status_page")
    found = (await world.handle.describe()).typed_search_attributes.get(UPDATE_OVERDUE_AT)
    assert found == (await world.incident()).updates.published[0].at + timedelta(minutes=5)
    line = "Status update 1 is overdue: not on status_page"
    assert [e.text for _, e in world.sent("post_message", "notice/") if "overdue" in e.text] == [line]
    del world.activities.faults["publish_status"]
    await world.at(9)
    again = (await world.handle.describe()).typed_search_attributes.get(UPDATE_OVERDUE_AT)
    assert again is not None
    assert again > await world.now()
