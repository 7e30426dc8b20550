"""What will happen: the plans of the runbook's four severities hold its promises."""

from datetime import timedelta
from typing import Any

import pytest

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.config.loading import parse_runbook
from incidents.domain.core.repeats import READS
from incidents.domain.foresight.facts import AlertFact, Fact
from incidents.domain.foresight.folding import fold, offset
from incidents.domain.foresight.messages import Message, describe
from incidents.domain.foresight.pages import plan_html, plan_markdown, plan_mermaid
from incidents.domain.foresight.plan import Plan, plan
from incidents.domain.foresight.rows import plan_rows
from incidents.domain.foresight.scenario import Scenario, ScenarioError, parse_scenario
from incidents.domain.incident.commands import Acknowledge, DeclareSeverity, Reopen, Resolve
from tests.support.incidents import RUNBOOK, T0, TEXT, opened


def hours(severity: str, until: float = 72, *facts: tuple[float, object]) -> Plan:
    """The plan of an incident; facts by the minute."""
    done = tuple(Fact(at=timedelta(minutes=minute), what=what) for minute, what in facts)
    return plan(Scenario(severity=severity, until=timedelta(hours=until), facts=done), RUNBOOK, T0)


def times(found: Plan, channel: str, recipient: str, kind: str = "") -> list[str]:
    """When somebody is reached."""
    return [
        offset(step.after)
        for step in found.steps
        if (step.channel, step.recipient) == (channel, recipient) and kind in ("", step.kind)
    ]


def updates(found: Plan, channel: str) -> list[str]:
    return [s.when for s in fold(found.steps) if (s.step.kind, s.step.channel) == ("deliver", channel)]


def of_kind(found: Plan, kind: str) -> list[str]:
    return [f"{offset(step.after)} {step.obligation}" for step in found.steps if step.kind == kind]


def test_a_p0_that_nobody_takes() -> None:
    found = hours("P0")
    assert times(found, "page", "On-call engineer", "page") == ["T+0:00"]
    assert times(found, "page", "CTO") == times(found, "email", "CTO", "escalate") == ["T+0:00"]
    assert times(found, "page", "Second on-call engineer") == ["T+0:05"], "when the acknowledgement is overdue"
    assert times(found, "page", "CEO") == times(found, "email", "CEO", "escalate") == ["T+0:30"]
    assert "T+0:05 Target: acknowledged within 5m" in of_kind(found, "target")
    for channel in ("status page", "email", "chat"):
        assert updates(found, channel) == ["T+0:00 every 30m until T+72:00"]
    assert of_kind(found, "war_room") == ["T+0:00 Open the war room"]
    assert not of_kind(found, "postmortem"), "it is owed once the incident is resolved"


def test_a_p1_that_nobody_takes() -> None:
    found = hours("P1", 5)
    assert of_kind(found, "target") == ["T+0:15 Target: acknowledged within 15m"]
    assert of_kind(found, "investigate")[0].startswith("T+0:00"), "so that its target of 30m is met"
    assert times(found, "page", "Second on-call engineer") == ["T+0:15"]
    assert times(found, "page", "Engineering manager") == ["T+1:00"]
    assert times(found, "page", "VP Engineering") == ["T+4:00"]
    assert updates(found, "status page") == ["T+0:00 every 1h until T+5:00"]
    assert updates(found, "email") == []


def test_a_p2_that_nobody_takes() -> None:
    found = hours("P2", 30)
    assert times(found, "page", "Second on-call engineer") == ["T+1:00"]
    assert times(found, "email", "Engineering manager", "escalate") == ["T+4:00"]
    assert times(found, "page", "Engineering manager") == []
    assert updates(found, "status page") == ["T+0:00 every 4h until T+28:00"]
    assert not of_kind(found, "war_room")


def test_a_p3_pages_nobody_and_has_a_ticket() -> None:
    found = hours("P3", 24)
    assert not [step for step in found.steps if step.channel == "page"]
    assert of_kind(found, "ticket") == ["T+0:00 Open the ticket"]
    assert not [step for step in found.steps if step.channel in ("status page", "email")]


def test_the_postmortem_is_due_48_hours_after_the_resolution() -> None:
    found = hours("P0", 80, (10, Acknowledge(by="ann")), (60, Resolve(by="ann", force=True, reason="fixed")))
    assert of_kind(found, "postmortem") == ["T+1:00 Start the post-mortem"]
    assert of_kind(found, "postmortem/breach") == ["T+49:00 Deadline"]
    reminded = [when.split()[0] for when in of_kind(found, "postmortem/mail")]
    assert reminded == ["T+25:00", "T+45:00", "T+49:00", "T+73:00"]
    assert of_kind(found, "close") == ["T+25:00 Reopen window ends; incident closes"]


def test_an_acknowledged_p0_that_stays_quiet_is_paged_again() -> None:
    found = hours("P0", 2, (4, Acknowledge(by="ann")))
    assert times(found, "page", "On-call engineer", "page") == ["T+0:00", "T+0:34"]
    assert times(found, "page", "Second on-call engineer") == ["T+0:39"]


def test_a_raised_severity_has_its_own_ladder() -> None:
    found = hours("P2", 2, (20, DeclareSeverity(by="ann", severity="P0")))
    assert times(found, "page", "CTO") == ["T+0:20"]
    assert times(found, "page", "CEO") == ["T+0:50"]


def test_a_reopened_incident_withdraws_its_deadline() -> None:
    back = Reopen(by="ann", reason="errors are back")
    found = hours("P1", 60, (10, Resolve(by="ann", force=True, reason="fixed")), (30, back))
    assert of_kind(found, "withdraw_postmortem") == ["T+0:30 Withdraw the post-mortem deadline (reopened)"]
    assert not of_kind(found, "postmortem/breach")


def test_the_end_of_the_alert_moves_on_and_a_refused_command_says_why() -> None:
    resolve = Resolve(by="ann")
    found = hours("P0", 1, (2, AlertFact.ENDED), (5, DeclareSeverity(by="ann", severity="P9")), (20, resolve))
    facts = [step for step in found.steps if step.kind == "fact"]
    assert facts[0].obligation == "The alert ended"
    assert facts[1].text.startswith("Rejected: ")
    assert of_kind(found, "postmortem") == ["T+0:20 Start the post-mortem"]


def test_each_fact_has_a_row_that_says_what_it_came_to() -> None:
    """Facts that are alike are neither folded into a series nor put together: one of them may be rejected."""
    again, wrong = Acknowledge(by="ann"), DeclareSeverity(by="ann", severity="P9")
    found = hours("P0", 1, (4, again), (6, again), (8, again), (8, Acknowledge(by="bob")), (9, wrong))
    facts = [step for step in found.steps if step.is_fact]
    assert [step.rejected for step in facts] == [False, False, False, False, True]
    for everything in (False, True):
        rows = [row for row in plan_rows(found, everything=everything) if row.is_fact]
        assert [(row.when, row.what) for row in rows] == [
            ("T+0:04", "ann: acknowledge"),
            ("T+0:06", "ann: acknowledge"),
            ("T+0:08", "ann: acknowledge"),
            ("T+0:08", "bob: acknowledge"),
            ("T+0:09", "ann: declare severity severity P9"),
        ]
        first, *repeats, last = rows
        assert first.note == ""
        assert {row.note.partition(":")[0] for row in repeats} == {"Nothing changed"}
        assert last.note.startswith("Rejected: INC-1 has no severity P9")
    notes = [line for line in plan_mermaid(found).splitlines() if "Note over I" in line]
    assert len(notes) == 5
    assert "Rejected" in notes[-1]
    assert "<strong>Rejected: INC-1 has no severity P9" in plan_html(found)
    assert "| Rejected: INC-1 has no severity P9" in plan_markdown(found)


def test_the_same_plan_twice_is_the_same_value() -> None:
    assert hours("P0", 3) == hours("P0", 3)
    assert Plan.model_validate_json(hours("P0", 3).model_dump_json()) == hours("P0", 3)


def test_a_plan_of_a_service_and_a_region() -> None:
    found = plan(Scenario(service="dashboard", region="us", until=timedelta(hours=1)), RUNBOOK, T0)
    texts = [step.text for step in found.steps if step.channel == "status page"]
    assert "Dashboard" in texts[0]
    for scenario, said in (
        (Scenario(service="nothing"), "service: 'nothing' is not one of flag-evaluation, dashboard, webhooks"),
        (Scenario(region="mars"), "region: 'mars' is not one of eu, us"),
        (Scenario(severity="P9"), "severity: 'P9' is not one of P0, P1, P2, P3"),
    ):
        with pytest.raises(ScenarioError, match=said):
            plan(scenario, RUNBOOK, T0)


def test_who_is_on_call_by_a_schedule_is_called_by_the_contacts_name() -> None:
    runbook = parse_runbook(TEXT.replace('schedule: ""', "schedule: PSCHED1"))
    found = plan(Scenario(until=timedelta(minutes=10)), runbook, T0)
    assert times(found, "page", "On-call engineer", "page") == ["T+0:00"]
    assert not [step for step in found.steps if "no_one_on_call" in step.text]


def test_no_plan_shows_an_address() -> None:
    assert "@" not in hours("P0", 5).model_dump_json().replace("@here", "")


def requests_of(kind: type[ActivityRequest]) -> list[type[ActivityRequest]]:
    found = [kind] if "repeat" in vars(kind) else []
    return found + [each for below in kind.__subclasses__() for each in requests_of(below)]


def test_every_request_that_tells_somebody_something_is_described() -> None:
    """A request that no case knows is shown without channel: only what reads or is a rollback's may be."""
    inner = {"AllocateNumber", "SilenceAlerts", "LiftSilences", "Redeploy", "CaptureEvidence", "WriteManifest"}
    kinds = {each for each in requests_of(ActivityRequest) if each.__module__.startswith("incidents.")}
    silent = set()
    for kind in kinds:
        fields: dict[str, Any] = {name: _Blank() for name in kind.model_fields}
        blank = kind.model_construct(**fields)
        try:
            if describe(blank, opened(), RUNBOOK) == Message():
                silent.add(kind)
        except (TypeError, KeyError, AttributeError):
            continue  # a case knows it, and wanted more than a blank
    assert {kind.__name__ for kind in silent if kind.repeat != READS} == inner


class _Blank(str):
    """Something of any type."""


SCENARIO = """severity: P1
service: dashboard
until: 4h
facts:
  - {at: 20m, do: severity, severity: P0}
  - {at: 4m, do: ack, by: ann}
  - {at: 1h 30m, do: alert ended}
"""


def test_a_scenario_is_read_from_yaml() -> None:
    scenario = parse_scenario(SCENARIO, "s.yaml")
    assert [(fact.at, fact.summary) for fact in scenario.facts] == [
        (timedelta(minutes=4), "ann: acknowledge"),
        (timedelta(minutes=20), "responder: declare severity severity P0"),
        (timedelta(minutes=90), "The alert ended"),
    ]
    assert times(plan(scenario, RUNBOOK, T0), "page", "CTO") == ["T+0:20"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list", "s.yaml:1: a scenario is a mapping, such as `severity: P0`"),
        ("severity: [", "s.yaml:2: not YAML: "),
        ("severity: P0\nsevice: x", "s.yaml:2: sevice: unknown field"),
        ("severity: P0\nuntil: 3", "s.yaml:2: until: 3 has no unit: write 90s, 30m, 4h or 2d"),
        ("until: 400d", "s.yaml:1: until: "),
        ("severity: P0\nuntil: 99999999999999d", "s.yaml:2: until: "),
        ("facts:\n  - {at: 99999999999999d, do: ack}", "s.yaml:2: facts.0: "),
        ("1: 2", "s.yaml:1: 1: "),
        ("facts: 4", "s.yaml:1: facts: a list of facts, such as "),
        ("facts:\n  - ack", "s.yaml:2: facts.0: a fact looks like "),
        ("facts:\n  - {at: 4m}", "s.yaml:2: facts.0: a fact needs `at` and `do`"),
        ("facts:\n  - {at: 4, do: ack}", "s.yaml:2: facts.0: 4 has no unit"),
        ("facts:\n  - {at: 4m, do: ack}\n  - {at: 4m, do: dance}", "s.yaml:3: facts.1: do: 'dance' is not one of "),
        ("facts:\n  - {at: 4m, do: ack, loudly: 1}", "s.yaml:2: facts.0: loudly: Extra inputs are not permitted"),
        ("facts:\n  - {at: 4m, do: alert ended, by: ann}", "s.yaml:2: facts.0: by: unknown field of `alert ended`"),
        ("facts:\n  - {at: 4m, do: assess}", "s.yaml:2: facts.0: impact: Field required"),
        (
            "until: 1h\nfacts:\n  - {at: 1h, do: ack}\n  - {at: 2h, do: ack}",
            "s.yaml:4: facts.1: at: 2h is after the end of the scenario (1h): give a later `until`",
        ),
        ("facts:\n  - {at: 4d, do: ack}", "s.yaml:2: facts.0: at: 4d is after the end of the scenario (3d)"),
        ("until: 1h\nexpect:\n  - {what: page, by: 2h}", "s.yaml:3: expect.0: by: 2h is after the end"),
        ("until: 1h\nexpect:\n  - {what: page, none: true, until: 2h}", "s.yaml:3: expect.0: until: 2h is after"),
        ("until: 1h\nexpect:\n  - {what: page, none: true, after: 2h}", "s.yaml:3: expect.0: after: 2h is after"),
    ],
)
def test_a_wrong_scenario_is_named_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_scenario(text, "s.yaml")
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
