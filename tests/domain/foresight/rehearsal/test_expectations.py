"""Expectations of scenarios: how they are read, and when they are met."""

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from incidents.domain.foresight.rehearsal.effects import Effect, EffectKind, Rehearsed, ToldFact
from incidents.domain.foresight.rehearsal.expectations import check
from incidents.domain.foresight.rehearsal.junit import junit
from incidents.domain.foresight.rehearsal.page import rehearsal_page
from incidents.domain.foresight.scenario import ScenarioError, parse_scenario

HOSTILE = "</script><script>alert(1)</script>"


def at(minutes: float, kind: EffectKind = EffectKind.PAGE, to: str = "CEO", text: str = "P0") -> Effect:
    return Effect(at=timedelta(minutes=minutes), kind=kind, to=(to,), text=text)


def rehearsed(*effects: Effect, facts: tuple[ToldFact, ...] = ()) -> Rehearsed:
    return Rehearsed(
        name="x.yaml",
        title=HOSTILE,
        heading="P0",
        start=datetime(2030, 1, 7, tzinfo=UTC),
        until=timedelta(hours=1),
        facts=facts,
        effects=effects,
        agendas=(),
    )


def why(condition: str, *effects: Effect, facts: tuple[ToldFact, ...] = ()) -> str:
    scenario = parse_scenario(f"expect: [{{what: page, {condition}}}]", "x.yaml")
    [verdict] = check(rehearsed(*effects, facts=facts), scenario.expect)
    return verdict.why


ACK = ToldFact(at=timedelta(minutes=4), name="acknowledge", summary="ann: acknowledge", by="ann")
REFUSED = ACK.replace(at=timedelta(minutes=1), rejected="no")


@pytest.mark.parametrize(
    ("condition", "minutes", "expected"),
    [
        ("to: CEO, by: 30m", [30.9], ""),
        ("to: ceo, by: 30m", [31.1], "first at T+0:31"),
        ("to: CTO, by: 30m", [3], "found none"),
        ("text: p1, by: 30m", [3], "found none"),
        ("not_before: 5m", [4.5], "1 before (T+0:04)"),
        ("not_before: 5m", [5, 9], ""),
        ("at_most: 1", [1, 2], "found 2 (T+0:01, T+0:02)"),
        ("at_least: 2", [1], "found 1 (T+0:01)"),
        ("exactly: 2", [1, 2], ""),
        ("exactly: 1", [], "found none"),
        ("by: 10m, at_least: 2", [1, 11], "first at T+0:01, T+0:11"),
        ("none: true", [1], "found 1 (T+0:01)"),
        ("after: 5m, none: true", [1], ""),
        ("until: 5m, none: true", [6], ""),
    ],
)
def test_each_condition(condition: str, minutes: list[float], expected: str) -> None:
    assert why(condition, *map(at, minutes)) == expected


def test_not_before_a_fact_counts_from_the_first_one_that_was_not_rejected() -> None:
    assert why("not_before: ack", at(5), facts=(REFUSED, ACK)) == ""
    assert why("not_before: ack", at(3), facts=(REFUSED, ACK)) == "1 before (T+0:03)"
    assert why("not_before: ack", at(5), facts=(REFUSED,)) == "ack never happened, and found 1 (T+0:05)"
    assert why("not_before: ack", facts=()) == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("expect:\n  - {what: page}", "x.yaml:2: expect.0: needs by, not_before"),
        ("expect:\n  - {what: pager, none: true}", "x.yaml:2: expect.0: what: Input should be 'page'"),
        ("expect:\n  - {what: page, by: 3m, whom: x}", "x.yaml:2: expect.0: whom: "),
        ("expect:\n  - {what: page, none: true, by: 3m}", "x.yaml:2: expect.0: none stands alone"),
        ("expect: 3", "x.yaml:1: expect: a list of expectations, such as `{what: page, to: CEO, by: 30m}`"),
        ("facts:\n- {at: 1m, do: outage, of: moon}", "x.yaml:2: facts.0: of: Input should be 'pager'"),
        ("facts:\n- {at: -1m, do: ack}", "x.yaml:2: facts.0: '-1m' is not a duration"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_field(text: str, fault: str) -> None:
    with pytest.raises(ScenarioError) as said:
        parse_scenario(text, "x.yaml")
    assert str(said.value).startswith(fault)
    assert "\n" not in str(said.value)


def results() -> tuple[Rehearsed, Any]:
    scenario = parse_scenario("expect:\n- {what: page, by: 3m}\n- {what: page, to: '<b>', by: 3m}", "x.yaml")
    found = rehearsed(at(1, to=HOSTILE, text=HOSTILE), facts=(ACK,))
    return found, check(found, scenario.expect)


def test_junit_has_a_case_for_each_expectation() -> None:
    suite = ElementTree.fromstring(junit([results()])).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    [_, failed] = suite.findall("testcase")
    assert [each.text for each in failed] == ["x.yaml:3: page to <b> - by T+0:03: found none"]


def test_the_page_loads_nothing_and_escapes_every_text() -> None:
    page = rehearsal_page(*results())
    assert HOSTILE not in page
    assert page.count("<script") == 2, "its data, and its own script"
    assert "http" not in page.replace("http-equiv", "")
    assert "page to &lt;b&gt; - by T+0:03" in page
