"""What comes from outside: instants in bounds, text that can be stored and shown, JSON of any kind."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from incidents.client.alert_sources.payload import MOST_ALERTS
from incidents.client.alert_sources.registry import parse_alerts
from incidents.cutting import cut, cut_bytes
from incidents.domain import apply_event as facts
from incidents.domain.alerting.alert import Alert, correlation_key
from incidents.domain.alerting.state import AlertState
from incidents.domain.apply_command import apply_command
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.payload import NotJson, read_json
from incidents.domain.core.text.untrusted import (
    all_printable,
    is_text,
    one_line,
    printable,
)
from incidents.domain.core.time.instants import bounded, fault
from incidents.domain.incident import commands as c
from incidents.domain.incident.backfill import Backfill
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident, opening_from
from incidents.domain.postmortem.commands import SetActionItem
from tests.support.incidents import RUNBOOK, T0, at, firing, opened

GO, FAR = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"
YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)


def flags(incident: Incident) -> list[str]:
    return [entry.text for entry in incident.timeline if " ignored: " in entry.text]


def webhook(**alert: Any) -> dict[str, Any]:
    base = {"status": "firing", "labels": {"alertname": "E", "service": "api"}, "startsAt": T0.isoformat()}
    return {"version": "4", "alerts": [base | alert]}


def from_alerts(alerts: tuple[Alert, ...], when: datetime = T0) -> Incident:
    """The incident as the starter and the workflow open it."""
    opening = opening_from(alerts, "k", RUNBOOK)
    incident = open_incident(opening, RUNBOOK, when, workflow_id="incident-k", first_run_id="r")
    return facts.alert_fired(incident, alerts, RUNBOOK, when)


# --- instants -----------------------------------------------------------------------------------------------------


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_a_bounded_instant_is_safe_to_reckon_with(instant: datetime) -> None:
    used = bounded(instant, T0)
    assert used.astimezone(UTC) - timedelta(days=365) < used + timedelta(days=365)
    assert (used == instant) is (fault(instant, T0) == "")
    assert fault(used, T0) == ""


def test_the_bounds_themselves_are_in_bounds() -> None:
    assert fault(datetime(2000, 1, 1, tzinfo=UTC), T0) == fault(T0 + timedelta(hours=1), T0) == ""
    assert fault(datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC), T0) == "before 2000"
    assert fault(T0 + timedelta(hours=1, seconds=1), T0) == "more than 1 h in the future"


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [(GO, "0001-01-01 00:00:00 UTC is before 2000"), (FAR, "9999-12-31 23:59:59-12:00 is more than 1 h in the future")],
)
def test_26_a_start_out_of_bounds_becomes_the_arrival_and_is_flagged_in_one_line(claimed: str, shown: str) -> None:
    for payload in (webhook(startsAt=claimed), {"title": "E", "started_at": claimed}):
        alerts = parse_alerts(payload, T0)
        assert [alert.started_at for alert in alerts] == [T0]
        incident = from_alerts(alerts, at(1))
        assert incident.started_at == incident.alerting.alerts[0].started_at == T0
        assert flags(incident) == [f"Start of E ignored: {shown}; using the time of arrival, 2026-11-23 14:00:00 UTC"]


def test_26_the_end_likewise() -> None:
    ended = parse_alerts(webhook(status="resolved", endsAt=FAR, fingerprint="E"), at(2))
    incident = facts.alert_resolved(from_alerts((firing("E"),)), ended, RUNBOOK, at(3))
    assert incident.alerting.alerts[0].ended_at == at(2)
    [flag] = flags(incident)
    assert flag.startswith("End of E ignored: 9999-12-31 23:59:59-12:00 is more than 1 h in the future")
    again = facts.alert_resolved(incident, ended, RUNBOOK, at(4))
    assert flags(again) == [flag], "an end that is known is no news"


def test_direct_signals_to_the_workflow_are_bounded_too() -> None:
    raw = firing("E", YEAR_1)
    opening = opening_from((raw,), "k", RUNBOOK)
    incident = open_incident(opening, RUNBOOK, T0, workflow_id="incident-k", first_run_id="r")
    assert incident.started_at == T0
    assert "0001-01-01 00:00:00 UTC (before 2000)" in incident.timeline[1].text
    incident = facts.alert_fired(incident, (raw,), RUNBOOK, at(1))
    assert incident.alerting.alerts[0].started_at == at(1)
    ends = {"E": datetime(9999, 12, 31, tzinfo=UTC)}
    assert facts.alerts_ended(incident, ends, RUNBOOK, at(2)).alerting.alerts[0].ended_at == at(2)


def test_a_sender_that_never_knows_the_start_reopens_nothing_by_repeating_itself() -> None:
    incident = from_alerts(parse_alerts(webhook(startsAt=GO), T0))
    resolve = c.Resolve(by="ann", force=True, reason="seen")
    incident = apply_command(incident, resolve, RUNBOOK, at(5))
    repeated = facts.alert_fired(incident, parse_alerts(webhook(startsAt=GO), at(9)), RUNBOOK, at(9))
    assert repeated.over
    assert repeated.alerting.alerts[0].times == 2
    assert len(flags(repeated)) == 1
    newer = facts.alert_fired(incident, parse_alerts(webhook(startsAt=at(8).isoformat()), at(9)), RUNBOOK, at(9))
    assert not newer.over, "a start that is newer is news"


def test_a_hundred_alerts_out_of_bounds_are_one_line() -> None:
    alerts = tuple(firing(f"E{n}", YEAR_1) for n in range(100))
    incident = from_alerts(alerts)
    [flag] = flags(incident)
    assert flag.startswith("Start of E0 is high (and of 99 more) ignored: ")
    assert all(len(entry.text) < 1000 for entry in incident.timeline)


@pytest.mark.parametrize("when", [YEAR_1, T0 + timedelta(hours=2)])
def test_a_responders_time_out_of_bounds_is_refused(when: datetime) -> None:
    with pytest.raises(CommandRejected, match=r"cannot have been acknowledged at .*: that is "):
        apply_command(opened(), c.Acknowledge(by="ann", at=when), RUNBOOK, T0)
    with pytest.raises(CommandRejected, match=r"Invalid started time .*: it is "):
        apply_command(opened(), c.CorrectTime(by="ann", which=c.Mark.STARTED, to=when, reason="x"), RUNBOOK, T0)


def test_26_an_acknowledgement_whose_time_was_replaced_says_so() -> None:
    command = c.Acknowledge(by="ann", at=T0, claimed_at=YEAR_1)
    incident = apply_command(opened(), command, RUNBOOK, at(1))
    [flag] = flags(incident)
    assert flag.startswith("Time of the acknowledgement ignored: 0001-01-01 00:00:00 UTC is before 2000")
    assert incident.acknowledged_at == T0


def test_a_past_incident_lies_after_2000() -> None:
    with pytest.raises(ValidationError, match="is before 2000"):
        Backfill(title="x", service="y", severity="P1", started_at=YEAR_1, resolved_at=T0, by="ann")


@pytest.mark.parametrize("day", [date.min, date.max, date(1999, 12, 31), date(2100, 1, 1)])
def test_nothing_is_due_on_a_day_that_cannot_be_counted_on_from(day: date) -> None:
    with pytest.raises(ValidationError, match="does not lie between 2000 and 2099"):
        SetActionItem(by="ann", title="x", due=day)


# --- text ---------------------------------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters() | st.sampled_from("\ud800\udfff\u202e\u2066\x00\x1b\r\n"), max_size=60)


@given(ANY_TEXT, st.integers(1, 40))
def test_text_is_printable_and_bounded(text: str, longest: int) -> None:
    shown = printable(text)
    assert is_text(shown)
    assert shown.encode().decode() == shown
    assert printable(shown) == shown
    assert len(cut(shown, longest)) <= longest
    assert len(one_line(text, longest).splitlines()) <= 1
    in_bytes = max(longest, len("…".encode()))
    assert shown.startswith(cut_bytes(shown, in_bytes).removesuffix("…"))
    assert len(cut_bytes(shown, in_bytes).encode()) <= in_bytes


def test_what_no_screen_shows_is_left_out() -> None:
    assert printable("a\x00\x1b[2J\u202eb\u2066\u200f\r\n\tc\ud800") == "a[2Jb\n\tc\ufffd"
    assert printable("naïve 🔥 שלום") == "naïve 🔥 שלום"
    assert all_printable({"a\x00": ["\x00", ("\x00b", 7)]}) == {"a": ["", ("b", 7)]}
    assert not is_text("\udcff")


@given(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=4), ANY_TEXT, ANY_TEXT)
def test_no_text_of_an_alert_stops_it(labels: dict[str, str], text: str, fingerprint: str) -> None:
    payload = webhook(labels=labels, annotations={"summary": text}, generatorURL=text, fingerprint=fingerprint)
    [alert] = parse_alerts(payload, T0)
    assert alert.model_dump_json().encode()
    assert correlation_key(alert, RUNBOOK.intake).isascii()
    assert from_alerts((alert,)).model_dump_json().encode()


def test_too_much_of_everything_is_cut() -> None:
    labels = {f"l{n}": "x" for n in range(500)} | {"a": "y" * 9000}
    [alert] = parse_alerts(webhook(labels=labels, annotations={"summary": "s" * 9000, "description": "d" * 9000}), T0)
    assert len(alert.labels) == 200
    assert alert.title == "s" * 199 + "…"
    assert len(alert.description) == 2000
    assert len(alert.model_dump_json()) < 10_000
    many = {"version": "4", "alerts": webhook()["alerts"] * (MOST_ALERTS + 5)}
    assert len(parse_alerts(many, T0)) == MOST_ALERTS


def test_labels_that_were_changed_are_never_matched_against_the_senders() -> None:
    """An alert that is silenced by labels which it does not have would also be taken for one that has ended."""
    [alert] = parse_alerts(webhook(labels={"alertname": "E\x00"}), T0)
    assert alert.labels == {"alertname": "E"}
    assert AlertState.of(alert, labelled=True).labels == {}
    [exact] = parse_alerts(webhook(), T0)
    assert AlertState.of(exact, labelled=True).labels == exact.labels


def test_a_private_alert_without_a_source_makes_the_incident_private() -> None:
    alert = firing().replace(labels={RUNBOOK.intake.private_label: "true"}, source="")
    incident = facts.alert_fired(opened(), (alert,), RUNBOOK, T0)
    assert incident.private


def test_a_command_loses_what_no_screen_shows() -> None:
    command = c.Assess(by="ann\x00", impact="half\u202e \ud800", customers=("A\x1b",))
    assert (command.by, command.impact, command.customers) == ("ann", "half \ufffd", ("A",))
    with pytest.raises(ValidationError, match="by"):
        c.AddNote(by="\x00", text="x")


# --- JSON ---------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200) | st.text(max_size=50).map(lambda text: text.encode("utf-16")))
def test_any_bytes_are_json_or_refused_in_one_line(raw: bytes) -> None:
    refusal = ""
    try:
        read_json(raw)
    except NotJson as refused:
        refusal = str(refused)
    assert len(refusal.splitlines()) <= 1
    assert len(refusal) < 400


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000, b"\xff\xfe\xfd", b"", b"nan"])
def test_what_is_too_deep_too_long_or_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(NotJson):
        read_json(raw)


def test_a_field_that_nobody_reads_costs_no_page() -> None:
    raw = b'{"title": "a", "title": "b", "value": NaN, "max": Infinity, "n": ' + b"9" * 4000 + b"}"
    [alert] = parse_alerts(read_json(raw), T0)
    assert alert.title == "b"
    assert json.loads(json.dumps(read_json(b'{"x": NaN}'))) == {"x": None}
