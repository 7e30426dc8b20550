"""The ladder: who is called when, and who is not called any more."""

import re
from datetime import timedelta

from incidents.domain.incident.commands import Acknowledge, DeclareSeverity, Monitor, Resolve
from tests.support.environment import World


def called(world: World, who: str) -> list[int]:
    return [minute for minute, _ in world.sent("send_page", f"/{who}/")]


async def test_42_the_ceo_is_called_after_30_minutes_though_it_is_acknowledged(world: World) -> None:
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.at(31)
    assert called(world, "cto") == [0]
    assert called(world, "ceo") == [30]
    [(_, page)] = world.sent("send_page", "/ceo/")
    assert "open for 30m" in page.details["state"]
    assert "Acknowledged by ann" in page.details["state"]


async def test_42_mitigated_means_that_the_ceo_sleeps(world: World) -> None:
    await world.open()
    await world.at(20)
    await world.tell(Monitor(by="ann"))
    await world.at(60)
    assert called(world, "ceo") == []


async def test_29_a_bounce_calls_nobody_twice(world: World) -> None:
    await world.open()
    await world.at(10)
    await world.tell(DeclareSeverity(by="ann", severity="P1"))
    await world.at(19)
    await world.tell(DeclareSeverity(by="ann", severity="P0"))
    await world.at(60)
    assert called(world, "cto") == [0]
    assert called(world, "ceo") == [30], "the gap was short: the CEO's time went on"


async def test_29_after_a_longer_gap_the_ladder_starts_again(world: World) -> None:
    await world.open()
    await world.at(10)
    await world.tell(DeclareSeverity(by="ann", severity="P1"))
    await world.at(40)
    await world.tell(DeclareSeverity(by="ann", severity="P0"))
    await world.at(75)
    assert called(world, "cto") == [0, 40]
    assert called(world, "ceo") == [70]


async def test_43_a_resolution_in_the_last_second_keeps_the_ceo_asleep(world: World) -> None:
    await world.open()
    await world.at(29 + 50 / 60)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await world.at(45)
    assert called(world, "ceo") == []
    [lapsed] = [text for text in await world.said() if text.startswith("Cancelled: Escalate")]
    assert re.search(r"Escalate to CEO by page \(was due in [5-7]s\)", lapsed)


async def test_43_at_the_same_instant_the_resolution_wins_if_it_is_in_history_first(world: World) -> None:
    """The signal and the timer are both in the history before the worker looks at either: the signal came first."""
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.at(29)
    await world.handle.signal("resolve", Resolve(by="ann", force=True, reason="fixed"))
    await world.env.sleep(timedelta(minutes=2))
    await world.settled()
    assert called(world, "ceo") == []
    assert (await world.incident()).status == "resolved"
