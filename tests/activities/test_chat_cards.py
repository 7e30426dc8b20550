"""Cards and forms within Block Kit's limits, whatever they hold: 50 blocks, 3,000 characters, 150 in a header."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.chat_cards import blocks_of
from incidents.domain.chat import cards, forms
from incidents.domain.chat.buttons import Target, summary_buttons
from incidents.domain.chat.card import Button, Card, Fact
from incidents.domain.chat.form import Form
from incidents.domain.chat.promised import promised
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.incident.incident import Incident
from incidents.gateway.slack.actions import WITH_FORM
from incidents.gateway.slack.modals import render
from sandbox.vendors.slack.messages import complaints
from tests.domain.rollback.attempts import offered
from tests.domain.test_properties import PAUSE, STEP, Step
from tests.support.hostile import TEXTS
from tests.support.incidents import RUNBOOK, T0, opened
from tests.support.thoroughness import by_thoroughness

LONG = st.one_of(
    TEXTS,
    st.builds(lambda text, times: text * times, TEXTS, st.sampled_from([10, 200, 5000])),
    st.builds(lambda text, times: "\n".join([text] * times), TEXTS, st.sampled_from([10, 500])),
)
MRKDWN = LONG.map(as_mrkdwn)
BUTTONS = st.builds(Button, label=LONG, action=st.just("a"), value=st.just("{}"), confirm=LONG, danger=st.booleans())
CARDS = st.builds(
    Card,
    title=LONG,
    facts=st.lists(st.builds(Fact, label=TEXTS, value=MRKDWN), max_size=12).map(tuple),
    paragraphs=st.lists(MRKDWN, max_size=60).map(tuple),
    note=MRKDWN,
    buttons=st.lists(BUTTONS, max_size=30).map(tuple),
)


def within_limits(blocks: list[dict[str, Any]]) -> None:
    assert 0 < len(blocks) <= 50
    assert [text for block in blocks for text in complaints(block)] == []
    for block in blocks:
        for text in texts_of(block):
            assert len(text) <= (150 if block["type"] == "header" else 3000)
            assert text, "Slack refuses an empty text"


def texts_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        mine = [value["text"]] if isinstance(value.get("text"), str) else []
        return mine + [text for each in value.values() for text in texts_of(each)]
    return [text for each in value for text in texts_of(each)] if isinstance(value, list) else []


@settings(max_examples=by_thoroughness(50, 150), deadline=None)
@given(CARDS, MRKDWN)
def test_any_card_is_a_message_that_slack_takes(card: Card, mentions: str) -> None:
    blocks = blocks_of(card, mentions=mentions)
    within_limits(blocks)
    if card.buttons:
        assert blocks[-1]["type"] == "actions", "however long the text is, the buttons are there"


@pytest.mark.parametrize("length", [2_999, 3_000, 3_001, 9_001])
def test_a_long_text_is_divided_between_lines_and_loses_nothing(length: int) -> None:
    text = "\n".join(f"line {number}" for number in range(length))[:length].rstrip()
    sections = [block["text"]["text"] for block in blocks_of(Card(title="x", paragraphs=(as_mrkdwn(text),)))[1:]]
    assert "\n".join(sections) == text
    assert len(sections) <= length // 2_900 + 1, "each as long as may be"


def test_a_long_line_is_cut_without_cutting_an_entity() -> None:
    [_, section] = blocks_of(Card(title="x", paragraphs=(as_mrkdwn("x" * 2997 + "<y"),)))
    assert section["text"]["text"] == "x" * 2997 + "…"


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(RUNBOOK.severity_names), st.lists(st.tuples(PAUSE, STEP), max_size=20))
def test_an_incidents_cards_fit_in_whatever_state_it_is(
    severity: Severity, steps: list[tuple[timedelta, Step]]
) -> None:
    now, incident = T0, opened(severity)
    for pause, step in steps:
        now += pause
        incident = step(incident, now)
    shown: list[Card | None] = [cards.summary_card(incident, RUNBOOK, promised(incident, RUNBOOK))]
    shown += [cards.decision_card(incident, entry) for entry in incident.timeline]
    for card in filter(None, shown):
        within_limits(blocks_of(card))
        actions = [button.action for button in card.buttons]
        assert len(set(actions)) == len(actions), "Slack refuses two of one name"
        assert all(len(button.value) <= 2000 for button in card.buttons)


def test_a_summary_is_not_cut_for_the_longest_workflow_id() -> None:
    incident = opened().replace(workflow_id="x" * 300)
    values = [button.value for button in summary_buttons(incident, RUNBOOK)]
    assert all(json.loads(value)["incident"] == "x" * 300 for value in values)


def every_form(incident: Incident | None) -> list[Form]:
    target = Target(incident="incident-x", cluster="eu-001", version="v" * 300)
    return [forms.open_form(RUNBOOK, "x" * 500), *(each.form(RUNBOOK, incident, target) for each in WITH_FORM.values())]


@pytest.mark.parametrize("incident", [None, offered()], ids=["unknown", "known"])
def test_every_form_is_a_modal_that_slack_takes(incident: Incident | None) -> None:
    for form in every_form(incident):
        view = render(form, "x" * 255, "y" * 3000).to_dict()
        assert len(view["blocks"]) <= 100
        assert [text for block in view["blocks"] for text in complaints(block)] == []
        assert len(view["title"]["text"]) <= 24
        assert len(view["submit"]["text"]) <= 24
        assert all(re.fullmatch("[a-z]+", field.name) for field in form.fields)
