"""runbook.yaml holds the runbook's own figures, and a mistake in it is found and placed."""

from datetime import timedelta

import pytest

from incidents.domain.config.communication import Channel
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.public_texts import fill
from incidents.domain.core.errors import RunbookError
from incidents.domain.updates.messages import customer_message
from tests.support.incidents import RUNBOOK, T0, TEXT, opened

MIN, HOUR = timedelta(minutes=1), timedelta(hours=1)
P0, P1, P2, P3 = RUNBOOK.severity_names


def test_the_times_are_the_runbooks() -> None:
    acknowledge = {s: RUNBOOK.policy(s).acknowledge_within for s in RUNBOOK.severities}
    assert [acknowledge[s].elapsed for s in (P0, P1, P2)] == [5 * MIN, 15 * MIN, HOUR]
    assert acknowledge[P3].business_days == 1
    assert {s: RUNBOOK.policy(s).updates.every for s in RUNBOOK.severities} == {
        P0: 30 * MIN,
        P1: HOUR,
        P2: 4 * HOUR,
        P3: None,
    }
    assert {s for s in RUNBOOK.severities if RUNBOOK.policy(s).war_room} == {P0, P1}
    war_room, investigate = RUNBOOK.policy(P0).war_room_within, RUNBOOK.policy(P1).investigate_within
    assert war_room is not None
    assert war_room.elapsed == 15 * MIN
    assert investigate is not None
    assert investigate.elapsed == 30 * MIN
    fix = RUNBOOK.policy(P2).fix_within
    assert fix is not None
    assert fix.business_days == 1
    assert {s for s in RUNBOOK.severities if RUNBOOK.policy(s).postmortem} == {P0, P1}
    assert RUNBOOK.postmortem.within.elapsed == 48 * HOUR
    assert RUNBOOK.sla == {"Dedicated": 99.99, "Enterprise": 99.95, "Pro": 99.9}


def test_the_channels_are_the_runbooks() -> None:
    page, slack, email, tracker = Channel.STATUS_PAGE, Channel.SLACK, Channel.EMAIL, Channel.ISSUE_TRACKER
    channels = {s: RUNBOOK.policy(s).updates.channels for s in RUNBOOK.severities}
    assert channels == {P0: (page, slack, email), P1: (page, slack), P2: (page,), P3: (tracker,)}


def test_the_ladders_are_the_runbooks() -> None:
    ladder = {s: [(r.contact, r.after) for r in RUNBOOK.policy(s).escalation] for s in RUNBOOK.severities}
    assert ladder[P0] == [("cto", timedelta()), ("on_call_backup", None), ("ceo", 30 * MIN)]
    assert ladder[P1] == [("on_call_backup", None), ("engineering_manager", HOUR), ("vp_engineering", 4 * HOUR)]
    assert ladder[P2] == [("on_call_backup", None), ("engineering_manager", 4 * HOUR)]
    assert ladder[P3] == []
    conditions = {r.contact: r.unless for r in RUNBOOK.policy(P0).escalation}
    assert conditions == {"cto": "resolved", "on_call_backup": "acknowledged", "ceo": "mitigated"}


def test_the_message_is_the_runbooks_template_word_for_word() -> None:
    incident = opened().replace(number=42)
    message = customer_message(incident, incident.updates.published[0], RUNBOOK)
    assert message.subject == "[INCIDENT] FeatureSignals P0 — Flag evaluation disruption"
    assert message.body.splitlines() == [
        "Status: INVESTIGATING",
        "Incident ID: INC-42",
        "Start Time: 2026-11-23 14:00 UTC (19:30 IST)",
        "Impact: Feature flag evaluation may be unavailable.",
        "",
        "Current Status:",
        "We detected a problem at 2026-11-23 14:00 UTC (19:30 IST) and are investigating it.",
        "",
        "Next Update: 2026-11-23 14:30 UTC (20:00 IST)",
        "",
        "FeatureSignals Incident Response Team",
    ]
    assert incident.started_at == T0


def test_a_value_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    assert fill("{A} and {B}", {"A": "{B}", "B": "b"}) == "{B} and b"
    assert fill("{UNKNOWN} {", {"A": "a"}) == "{UNKNOWN} {"


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (", after: 30m", ", after: 30", "severities.P0.escalation.2.after: 30 has no unit"),
        ("every: 30m", "every: often", "severities.P0.updates.every: 'often' is not a duration"),
        ("contact: cto", "contact: nobody", "severities.P0.escalation.0.contact: 'nobody' is not among contacts"),
        (
            "maintenance: []",
            "maintenance: [{since: 2026-12-01T21:00:00Z, until: 2026-12-01T22:00:00Z, service: dashbord, reason: x}]",
            "maintenance.0.service: 'dashbord' is not among services",
        ),
        (
            "maintenance: []",
            "maintenance: [{since: 2026-12-01T21:00:00Z, until: 2026-12-01T22:00:00Z, region: mars, reason: x}]",
            "maintenance.0.region: 'mars' is not among regions: eu, us",
        ),
        (
            "heartbeats: {}",
            "heartbeats: {x: {every: 1d, service: webhoks, severity: P1}}",
            "heartbeats.x.service: 'webhoks' is not among services",
        ),
        ("regions: [eu, us]", "regions: [eu, mars]", "services.0.regions.1: 'mars' is not among regions"),
        (
            "channels: [status_page, slack]",
            "channels: [status_page, teams]",
            "severities.P1.updates.channels.1: Input should be 'status_page', 'slack',",
        ),
        ("bake_time:", "bake_tme:", "rollback.bake_tme: unknown field"),
        ("time_zone: Asia/Kolkata", "time_zone: Asia/Nowhere", "calendar.time_zone: 'Asia/Nowhere' is not a time zone"),
        ("product: FeatureSignals", "", "product: Field required"),
        ("unknown_severity: P1", "unknown_severity: P0", "intake.unknown_severity: P0 is declared"),
        ("working_days: [mon,", "working_days: [moon day,", "calendar.working_days.0"),
        ("  private: false", "  private: false\n  private: true", "chat.private: given twice"),
        ("product: FeatureSignals", "product: [", "not YAML"),
        ("labels: [incident]", "labels: []", "tracker.labels: name at least one label"),
        ("labels: [incident]", 'labels: [incident, " "]', "tracker.labels.1: a label must not be empty"),
        ("labels: [action-item]", 'labels: [""]', "postmortem.items.labels.0: a label must not be empty"),
        ("labels: [postmortem]", 'labels: ["post,mortem"]', "postmortem.labels.0: a label must not be empty, nor have"),
    ],
)
def test_a_fault_is_named_with_file_line_and_field(old: str, new: str, error: str) -> None:
    broken = TEXT.replace(old, new, 1)
    assert broken != TEXT
    with pytest.raises(RunbookError) as raised:
        parse_runbook(broken, "my.yaml")
    [line] = [text for text in str(raised.value).splitlines() if error in text]
    file, number, _ = line.split(":", 2)
    assert file == "my.yaml"
    assert 1 <= int(number) <= len(broken.splitlines())


def test_the_line_is_the_one_with_the_fault() -> None:
    broken = TEXT.replace("bake_time:", "bake_tme:")
    [number] = [n for n, text in enumerate(broken.splitlines(), 1) if "bake_tme" in text]
    with pytest.raises(RunbookError, match=f"runbook.yaml:{number}: rollback.bake_tme"):
        parse_runbook(broken)


def test_all_faults_are_told_at_once() -> None:
    broken = TEXT.replace("bake_time:", "bake_tme:").replace(", after: 30m", ", after: 30")
    with pytest.raises(RunbookError) as raised:
        parse_runbook(broken)
    assert len(str(raised.value).splitlines()) == 2


@pytest.mark.parametrize(
    "text",
    ["", "- a\n- b\n", "just words", "{", "\x00", "a: &x [*x]", "[" * 100_000, "{a: " * 100_000],
    ids=lambda text: text[:20],
)
def test_what_is_no_runbook_is_refused(text: str) -> None:
    with pytest.raises(RunbookError):
        parse_runbook(text)


CARRIED = RUNBOOK.replace(
    contacts={
        name: contact.replace(email=f"contact:{name}" if contact.email else contact.email)
        for name, contact in RUNBOOK.contacts.items()
    }
)


def test_101_an_incident_carries_the_whole_runbook_but_the_addresses_of_contacts() -> None:
    carried = RunbookConfig.model_validate_json(RUNBOOK.model_dump_json())
    assert carried == CARRIED
    assert RunbookConfig.model_validate_json(carried.model_dump_json()) == CARRIED, "also after continue-as-new"
    assert "@featuresignals.com" not in carried.model_dump_json()


def test_retry_for_is_also_read_by_the_name_that_it_had_in_recorded_histories() -> None:
    old = RUNBOOK.model_dump(mode="json")
    old["patience"] = old.pop("retry_for") | {"page": "PT7M"}
    assert RunbookConfig.model_validate(old).retry_for.page == timedelta(minutes=7)
    assert RunbookConfig.model_validate(RUNBOOK.model_dump(mode="json")) == CARRIED
