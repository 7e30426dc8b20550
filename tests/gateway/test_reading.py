"""What comes in by HTTP, proven and understood."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from incidents.client.paging.own_pages import workflow_of
from incidents.domain.chat.buttons import Target
from incidents.domain.incident import commands as c
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway import read_pagerduty as pagerduty
from incidents.gateway import signatures
from incidents.gateway.slack.actions import DIRECT
from incidents.gateway.slack.clicks import read_click
from tests.support.slack_person import clicked

PEOPLE = PeopleDirectory(
    {
        "ann": DirectoryEntry(slack="U0ANN", pagerduty="PANN", aliases=("ann.lee",)),
        "bob": DirectoryEntry(slack="U0BOB", email="bob@example.com"),
    }
)
NOW = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)


def test_pagerduty_may_sign_with_two_secrets_while_they_change() -> None:
    def signed(secret: str) -> str:
        return "v1=" + hmac.new(secret.encode(), b"body", hashlib.sha256).hexdigest()

    both = {"x-pagerduty-signature": f"{signed('old')}, {signed('new')}"}
    assert signatures.from_pagerduty("new", both, b"body")
    assert signatures.from_pagerduty("old", both, b"body")
    assert not signatures.from_pagerduty("third", both, b"body")
    assert not signatures.from_pagerduty("", {"x-pagerduty-signature": signed("")}, b"body")


def test_a_bearer_token() -> None:
    assert signatures.with_token("t", {"authorization": "Bearer t"})
    assert signatures.with_token("t", {"authorization": "bearer t"})
    assert not signatures.with_token("t", {"authorization": "Basic t"})
    assert not signatures.with_token("t", {"authorization": "Bearer ü"})
    assert not signatures.with_token("", {"authorization": "Bearer "})


def test_a_click_carries_the_revision_that_was_looked_at() -> None:
    click = read_click(clicked("escalate"), PeopleDirectory())
    assert click.target == Target(incident="incident-x", revision=7)
    assert DIRECT[click.action](click.by, click.target) == c.Escalate(by="ann", revision=7)
    with pytest.raises(ValueError, match="something else"):
        read_click(clicked("something else"), PeopleDirectory())


def hook(kind: str = "incident.acknowledged", **changes: object) -> bytes:
    event = {
        "id": "01BZ",
        "event_type": kind,
        "occurred_at": "2026-11-23T14:02:00.394Z",
        "agent": {"id": "PJ0", "summary": "Ona Call", "type": "user_reference"},
        "client": None,
        "data": {"id": "PQ1", "type": "incident", "incident_key": "incident-flag-evaluation:production/1"},
    }
    return json.dumps({"event": event | changes}).encode()


def test_an_acknowledgement_at_pagerduty_counts_from_its_own_time() -> None:
    event = pagerduty.read(hook(), NOW, PeopleDirectory())
    assert event is not None
    assert workflow_of(event.key) == "incident-flag-evaluation:production"
    assert event.command.by == "Ona Call"
    assert event.command.id == "pagerduty-01BZ"
    assert event.command.at is not None
    assert event.command.at.isoformat() == "2026-11-23T14:02:00.394000+00:00"


def test_what_does_not_concern_us_is_no_error() -> None:
    assert pagerduty.read(hook("incident.resolved"), NOW, PeopleDirectory()) is None
    assert pagerduty.read(hook("incident.annotated", data={"incident": {}}), NOW, PeopleDirectory()) is None
    assert pagerduty.read(hook(agent=None), NOW, PeopleDirectory()) is None, "we did it ourselves"
    assert pagerduty.read(hook(agent={"type": "service_reference", "summary": "x"}), NOW, PeopleDirectory()) is None
    for nonsense in (b"[]", b"{}", b'{"event": {}}'):
        with pytest.raises(ValueError, match="not a PagerDuty webhook"):
            pagerduty.read(nonsense, NOW, PeopleDirectory())


@pytest.mark.parametrize("claimed", ["0001-01-01T00:00:00Z", "2026-11-23T15:03:01Z", "0001-01-01T00:00:00+14:00"])
def test_26_a_time_of_pagerdutys_out_of_bounds_becomes_the_arrival_and_is_kept(claimed: str) -> None:
    event = pagerduty.read(hook(occurred_at=claimed), NOW, PeopleDirectory())
    assert event is not None
    assert event.command.at == NOW
    assert event.command.claimed_at == datetime.fromisoformat(claimed)


@pytest.mark.parametrize(
    "key", ["", "somebody-elses/1", "incident-\ud800/1", "incident-" + "x" * 400, "incident-a b/1"]
)
def test_a_dedup_key_that_is_none_of_ours_names_no_workflow(key: str) -> None:
    assert workflow_of(key) == ""


@pytest.mark.parametrize(
    "payload",
    [
        {"actions": {"a": 1}},
        {"actions": [7]},
        {"user": "ann"},
        {"actions": [{"action_id": "escalate", "value": '{"incident": "incident-x", "revision": 1e999}'}]},
        {"actions": [{"action_id": "escalate", "value": "[1]"}]},
        {"actions": [{"action_id": "escalate", "value": '{"incident": "\\ud800", "revision": 1}'}]},
        {"actions": [{"action_id": "escalate", "value": "[" * 5000}]},
    ],
)
def test_105_an_interaction_of_the_wrong_shape_is_refused(payload: dict[str, object]) -> None:
    body = {"type": "block_actions", "user": {"name": "ann"}} | payload
    with pytest.raises(ValueError, match=r".") as caught:
        read_click(body, PeopleDirectory())
    assert not isinstance(caught.value, UnicodeError)


def test_95_a_click_and_a_page_are_the_same_persons() -> None:
    known = PeopleDirectory({"ann lee": DirectoryEntry(slack="W0ANN")})
    click = read_click(clicked("acknowledge") | {"user": {"id": "W0ANN", "name": "al99"}}, known)
    assert click.by == "ann lee"
    event = pagerduty.read(hook(agent={"id": "PANN", "type": "user_reference", "summary": "A. Lee"}), NOW, PEOPLE)
    assert event is not None
    assert event.command.by == "ann"
