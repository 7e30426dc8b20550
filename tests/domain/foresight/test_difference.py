"""What a change of policy changes."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.domain.config.loading import parse_runbook
from incidents.domain.foresight.difference import Change, difference
from incidents.domain.foresight.facts import AlertFact, Fact
from incidents.domain.foresight.folding import fold, unfolded
from incidents.domain.foresight.pages import describe_change
from incidents.domain.foresight.plan import PlannedStep, plan
from incidents.domain.foresight.scenario import Scenario
from incidents.domain.incident.commands import Acknowledge, Resolve
from tests.support.incidents import RUNBOOK, T0, TEXT
from tests.support.thoroughness import by_thoroughness


def changed(old: str, new: str, severity: str = "P0", until: float = 6) -> list[Change]:
    """What replacing a text of runbook.yaml changes."""
    assert old in TEXT
    scenario = Scenario(severity=severity, until=timedelta(hours=until))
    edited = parse_runbook(TEXT.replace(old, new, 1))
    return difference(plan(scenario, RUNBOOK, T0), plan(scenario, edited, T0))


def test_a_rung_that_moves_says_by_how_much() -> None:
    [page, mail] = changed("{contact: ceo, after: 30m", "{contact: ceo, after: 45m")
    assert (page.kind, page.obligation, page.recipient) == ("moved", "Escalate to CEO by email", "CEO")
    assert (page.before, page.after, page.by) == ("T+0:30", "T+0:45", timedelta(minutes=15))
    assert (mail.obligation, mail.by) == ("Escalate to CEO by page", timedelta(minutes=15))


def test_a_rung_that_is_taken_out_is_gone_and_one_that_comes_is_added() -> None:
    rung = "      - {contact: on_call_backup, unless: acknowledged, by: [page]}\n"
    [gone] = changed(rung, "")
    assert (gone.kind, gone.before, gone.recipient) == ("gone", "T+0:05", "Second on-call engineer")
    [added] = changed(rung, rung + "      - {contact: vp_engineering, after: 2h, by: [page]}\n")
    assert (added.kind, added.after, added.recipient) == ("added", "T+2:00", "VP Engineering")


def test_a_slower_cadence_moves_every_channel() -> None:
    found = changed("every: 30m # every_while_monitoring", "every: 1h # every_while_monitoring")
    moved = {change.channel: (change.before, change.after) for change in found if "Publish update" in change.obligation}
    both = ("T+0:00 every 30m until T+6:00", "T+0:00 every 1h until T+6:00")
    assert moved == {"status page": both, "email": both, "chat": both}
    assert not [change for change in found if change.kind in ("added", "gone")]


def test_an_earlier_target_is_another_obligation_and_its_rung_moves() -> None:
    found = changed("acknowledge_within: 5m", "acknowledge_within: 2m")
    assert [(c.kind, c.before, c.after) for c in found] == [
        ("moved", "T+0:05", "T+0:02"),
        ("moved", "T+0:05", "T+0:02"),
    ]


def test_a_changed_text_shows_the_lines_that_differ() -> None:
    found = changed("Feature flag evaluation may be unavailable.", "Flags may be unavailable.")
    assert {change.kind for change in found} == {"text"}
    assert found[0].before == "Impact: Feature flag evaluation may be unavailable."
    assert found[0].after == "Impact: Flags may be unavailable."


def test_another_name_of_the_channel_is_no_new_recipient() -> None:
    found = changed("channel_prefix: incident", "channel_prefix: outage", until=1)
    assert {change.kind for change in found} == {"text"}


def test_housekeeping_is_left_out_unless_asked_for() -> None:
    scenario, edited = (
        Scenario(until=timedelta(hours=1)),
        parse_runbook(TEXT.replace("summary_every: 10s", "summary_every: 30s")),
    )
    plans = plan(scenario, RUNBOOK, T0), plan(scenario, edited, T0)
    assert difference(*plans) == []
    assert difference(*plans, housekeeping=True)


MINUTE = st.integers(0, 300).map(lambda minutes: timedelta(minutes=minutes))
WHAT = st.sampled_from([Acknowledge(by="ann"), Resolve(by="bob"), AlertFact.ENDED, AlertFact.FIRED])
FACTS = st.lists(st.builds(Fact, at=MINUTE, what=WHAT), max_size=5)


@settings(max_examples=by_thoroughness(20, 100), deadline=None)
@given(st.sampled_from(RUNBOOK.severity_names), FACTS)
def test_a_runbook_does_not_differ_from_itself(severity: str, facts: list[Fact]) -> None:
    told = tuple(sorted(facts, key=lambda fact: fact.at))
    scenario = Scenario(severity=severity, until=timedelta(hours=8), facts=told)
    found = plan(scenario, RUNBOOK, T0)
    assert difference(found, plan(scenario, parse_runbook(TEXT), T0), housekeeping=True) == []
    assert sum(series.count for series in fold(found.steps)) == len(found.steps), "folding loses nothing"
    assert [step.after for step in found.steps] == sorted(step.after for step in found.steps)


def steps(*minutes: int) -> list[PlannedStep]:
    return [
        PlannedStep(after=timedelta(minutes=minute), key=f"u/{n}", kind="update", obligation=f"Publish update {n}")
        for n, minute in enumerate(minutes, start=1)
    ]


def test_what_is_folded() -> None:
    assert [s.when for s in fold(steps(0, 30, 60, 90, 100, 200, 300, 310))] == [
        "T+0:00 every 30m until T+1:30",
        "T+1:40 every 1h 40m until T+5:00",
        "T+5:10",
    ]
    assert [s.when for s in fold(steps(0, 30))] == ["T+0:00", "T+0:30"]
    assert [s.when for s in fold(steps(5, 5, 5))] == ["T+0:05"] * 3, "at one instant there is no interval"
    assert len(unfolded(steps(0, 30, 60))) == 3


def test_a_command_that_only_one_runbook_rejects_is_a_difference() -> None:
    strict = parse_runbook(TEXT.replace("complete_checklist: false", "complete_checklist: true", 1))
    ended = Fact(at=timedelta(minutes=2), what=AlertFact.ENDED)
    scenario = Scenario(
        severity="P0",
        until=timedelta(minutes=31),
        facts=(ended, Fact(at=timedelta(minutes=30), what=Resolve(by="ann"))),
    )
    found = difference(plan(scenario, RUNBOOK, T0), plan(scenario, strict, T0))
    [change] = [change for change in found if change.obligation == "ann: resolve"]
    assert (change.kind, change.before) == ("text", "")
    assert describe_change(change).startswith("text: none → Rejected: ")
