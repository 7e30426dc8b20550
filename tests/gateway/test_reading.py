"""What comes in by HTTP, proven and understood."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from incidents.domain.incident import commands as c
from incidents.gateway import read_pagerduty as pagerduty
from incidents.gateway import read_slack as slack
from incidents.gateway import signatures

NOW = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
"""The example that Slack's documentation signs."""
HEADERS = {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}


def test_slacks_own_example_is_accepted_and_nothing_near_it() -> None:
    assert signatures.from_slack(SECRET, HEADERS, BODY, 1531420618.0)
    assert not signatures.from_slack(SECRET, HEADERS, BODY + b"x", 1531420618.0)
    assert not signatures.from_slack("other", HEADERS, BODY, 1531420618.0)
    assert not signatures.from_slack("", HEADERS, BODY, 1531420618.0), "without a secret nobody is Slack"
    assert not signatures.from_slack(SECRET, HEADERS, BODY, 1531420618.0 + 301), "it may be a recording"
    assert not signatures.from_slack(SECRET, {}, BODY, 0)
    odd = HEADERS | {"x-slack-request-timestamp": "²"}
    assert not signatures.from_slack(SECRET, odd, BODY, 1531420618.0)


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


def typed(text: str, channel: str = "general") -> slack.SlashCommand:
    form = {"user_name": "ann", "text": text, "channel_name": channel}
    return slack.read_command(urlencode(form).encode(), "incident")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("ack 42", c.Acknowledge(by="ann")),
        ("ACK inc-42", c.Acknowledge(by="ann")),
        ("note 42 It is the cache.", c.AddNote(by="ann", text="It is the cache.")),
        ("severity 42 p1 only one region", c.DeclareSeverity(by="ann", severity="P1", reason="only one region")),
        ("update 42 We are on it.", c.PostUpdate(by="ann", text="We are on it.")),
        ("next 42 Soon.", c.PostUpdate(by="ann", text="Soon.", when=c.Publication.NEXT)),
        ("hold 42 10 numbers are coming", c.HoldUpdate(by="ann", minutes=10, reason="numbers are coming")),
        ("role 42 commander @bob", c.AssignRole(by="ann", role=c.Role.COMMANDER, person="bob")),
        ("escalate 42", c.Escalate(by="ann")),
        ("monitor 42", c.Monitor(by="ann")),
        ("resolve 42 All is well.", c.Resolve(by="ann", text="All is well.")),
        ("assess 42 Half of Europe.", c.Assess(by="ann", impact="Half of Europe.")),
        ("status 42", None),
    ],
)
def test_what_is_typed_becomes_a_command(text: str, command: c.Command | None) -> None:
    assert typed(text) == slack.SlashCommand(incident="42", command=command)


def test_in_the_incidents_channel_the_number_need_not_be_said() -> None:
    assert typed("ack", "incident-42") == slack.SlashCommand("42", c.Acknowledge(by="ann"))
    assert typed("hold 10 soon", "incident-42") == slack.SlashCommand(
        "42", c.HoldUpdate(by="ann", minutes=10, reason="soon")
    )
    assert typed("note 42 x", "incident-42").command == c.AddNote(by="ann", text="x")
    assert typed("ack INC-7", "incident-42").incident == "7", "another incident is named in full there"
    assert typed("ack", "incident-42-private").incident == "42"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "`ack` ·"),
        ("dance 42", "`ack` ·"),
        ("ack", "Which incident?"),
        ("note 42", "text: "),
        ("severity 42", "severity: "),
        ("hold 42 soon", "minutes: "),
    ],
)
def test_what_is_not_understood_is_answered_with_how_it_is_said(text: str, said: str) -> None:
    with pytest.raises(slack.Usage) as caught:
        typed(text)
    assert said in str(caught.value)


def clicked(action: str, value: object = None, kind: str = "block_actions") -> bytes:
    payload = {
        "type": kind,
        "user": {"id": "W1", "username": "ann", "name": "ann"},
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [{"action_id": action, "value": json.dumps(value or {"incident": "incident-x", "revision": 7})}],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def test_a_click_carries_the_revision_that_was_looked_at() -> None:
    click = slack.read_click(clicked("escalate"))
    assert click is not None
    assert (click.incident, click.command) == ("incident-x", c.Escalate(by="ann", revision=7))
    assert slack.read_click(clicked("something else")) is None
    assert slack.read_click(clicked("escalate", kind="view_submission")) is None
    with pytest.raises(ValueError, match="Expecting value"):
        slack.read_click(b"nonsense")


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
    event = pagerduty.read(hook(), NOW)
    assert event is not None
    assert pagerduty.workflow_of(event.key) == "incident-flag-evaluation:production"
    assert event.command.by == "Ona Call"
    assert event.command.id == "pagerduty-01BZ"
    assert event.command.at is not None
    assert event.command.at.isoformat() == "2026-11-23T14:02:00.394000+00:00"


def test_what_does_not_concern_us_is_no_error() -> None:
    assert pagerduty.read(hook("incident.resolved"), NOW) is None
    assert pagerduty.read(hook("incident.annotated", data={"incident": {}}), NOW) is None
    assert pagerduty.read(hook(agent=None), NOW) is None, "we did it ourselves"
    assert pagerduty.read(hook(agent={"type": "service_reference", "summary": "x"}), NOW) is None
    for nonsense in (b"[]", b"{}", b'{"event": {}}'):
        with pytest.raises(ValueError, match="not a PagerDuty webhook"):
            pagerduty.read(nonsense, NOW)


@pytest.mark.parametrize("claimed", ["0001-01-01T00:00:00Z", "2026-11-23T15:03:01Z", "0001-01-01T00:00:00+14:00"])
def test_26_a_time_of_pagerdutys_out_of_bounds_becomes_the_arrival_and_is_kept(claimed: str) -> None:
    event = pagerduty.read(hook(occurred_at=claimed), NOW)
    assert event is not None
    assert event.command.at == NOW
    assert event.command.claimed_at == datetime.fromisoformat(claimed)


@pytest.mark.parametrize(
    "key", ["", "somebody-elses/1", "incident-\ud800/1", "incident-" + "x" * 400, "incident-a b/1"]
)
def test_a_dedup_key_that_is_none_of_ours_names_no_workflow(key: str) -> None:
    assert pagerduty.workflow_of(key) == ""


def test_a_stamp_of_thousands_of_digits_is_no_stamp() -> None:
    assert not signatures.from_slack(SECRET, HEADERS | {"x-slack-request-timestamp": "9" * 5000}, BODY, 1531420618.0)


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
        slack.read_click(urlencode({"payload": json.dumps(body)}).encode())
    assert not isinstance(caught.value, UnicodeError)
