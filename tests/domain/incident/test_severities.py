"""Severities are data: their names, their order, and what vendors call them come from runbook.yaml."""

import pytest
import yaml

from incidents.app.starter import declared_severity
from incidents.app.submission_file import InvalidInput
from incidents.domain.activity_requests import PublishStatus, SendPage
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.errors import RunbookError
from incidents.domain.incident.commands import DeclareSeverity
from incidents.domain.incident.display.summary import summary_text
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident, opening_from, with_known_severity
from incidents.domain.incident.state import Opening
from incidents.domain.obligation import ObligationKind
from incidents.domain.reporting.record import record_of
from incidents.domain.reporting.report import report
from incidents.priority import priority_of
from tests.support.incidents import RUNBOOK, T0, TEXT, at, firing, opened, settled


def renamed(*names: str, **first: str) -> RunbookConfig:
    """The runbook with these severities, worst first; `first`: further fields of the worst one's policy."""
    data = yaml.safe_load(TEXT)
    policies = list(data["severities"].values())
    data["severities"] = {name: policies[min(n, 3)] | (first if n == 0 else {}) for n, name in enumerate(names)}
    data["intake"] |= {"severities": {}, "unknown_severity": None}
    return parse_runbook(yaml.safe_dump(data, sort_keys=False))


SEVS = renamed("SEV1", "SEV2", "SEV3", "SEV4", "SEV5")
WORDS = renamed("Major", "Critical", "Cosmetic")
"""Names whose alphabetical order is not their order."""


def open_in(runbook: RunbookConfig, severity: str) -> Incident:
    opening = Opening(key="k", title="t", service="dashboard", severity=severity, alerted_at=T0, source="manual")
    return open_incident(opening, runbook, T0, workflow_id="incident-k", first_run_id="run-1")


def first_request(incident: Incident, runbook: RunbookConfig, kind: ObligationKind, subject: str = "") -> object:
    owed = next(o for o in agenda(incident, runbook) if o.kind is kind and subject in ("", o.subject))
    return request(owed, incident, runbook, at(1))


def test_definitions_are_shown_where_a_severity_is_chosen() -> None:
    incident = settled(opened("P1", needs_triage=True), T0)
    definition = "P3 Low: Cosmetic faults, documentation"
    assert definition in summary_text(incident, RUNBOOK, [])
    assert definition not in summary_text(settled(opened("P1"), T0), RUNBOOK, [])
    with pytest.raises(CommandRejected, match=definition):
        apply_command(incident, DeclareSeverity(by="ann", severity="P9"), RUNBOOK, at(1))
    with pytest.raises(InvalidInput, match=definition):
        declared_severity("It fails", "flag-evaluation", "?", RUNBOOK)


def test_a_severity_that_is_added_to_the_file_just_works() -> None:
    data = yaml.safe_load(TEXT)
    data["severities"]["P4"] = data["severities"]["P3"] | {"name": "Wish"}
    runbook = parse_runbook(yaml.safe_dump(data, sort_keys=False))
    incident = open_in(runbook, "P3")
    incident = apply_command(incident, DeclareSeverity(by="ann", severity="p4"), runbook, at(1))
    assert incident.severity == "P4"
    assert incident.highest_severity == "P3"
    assert "Severity P3 → P4" in [entry.text for entry in incident.timeline]
    assert agenda(incident, runbook)
    raised = apply_command(incident, DeclareSeverity(by="ann", severity="P0"), runbook, at(2))
    assert (raised.severity, raised.highest_severity) == ("P0", "P0")


def test_order_is_the_order_of_the_file() -> None:
    assert [WORDS.rank(name) for name in ("Major", "Critical", "Cosmetic", "P0")] == [1, 2, 3, 4]
    assert WORDS.worst("Cosmetic", "Critical") == "Critical"
    assert WORDS.worst("Gone", "Cosmetic") == "Cosmetic"
    assert RunbookConfig.model_validate_json(WORDS.model_dump_json()).severity_names == WORDS.severity_names
    low, high = (firing(name).replace(labels={"severity": name, "service": "s"}) for name in ("Critical", "Major"))
    assert opening_from((low, high), "k", WORDS).severity == "Major"


def test_a_vendors_words_follow_the_rank_unless_the_policy_says_otherwise() -> None:
    assert [SEVS.pager_severity(s) for s in SEVS.severities] == ["critical", "error", "warning", "info", "info"]
    page = first_request(open_in(SEVS, "SEV2"), SEVS, ObligationKind.PAGE)
    assert isinstance(page, SendPage)
    assert page.severity == "error"
    mild = renamed("SEV1", "SEV2", pager_severity="warning", status_page_impact="minor", component_state="operational")
    assert mild.component_state("SEV1") == "operational"
    page = first_request(open_in(mild, "SEV1"), mild, ObligationKind.PAGE)
    update = first_request(open_in(mild, "SEV1").replace(number=1), mild, ObligationKind.DELIVER, "status_page")
    assert isinstance(page, SendPage)
    assert isinstance(update, PublishStatus)
    assert (page.severity, update.impact) == ("warning", "minor")


def test_temporals_priority_is_the_rank_within_its_five() -> None:
    assert [priority_of(rank).priority_key for rank in (0, 1, 5, 6, 99)] == [1, 1, 5, 5, 5]


def test_a_command_with_a_severity_that_does_not_exist_is_rejected_with_those_that_do() -> None:
    with pytest.raises(CommandRejected, match="has no severity P9: its runbook has P0, P1, P2, P3"):
        apply_command(opened(), DeclareSeverity(by="ann", severity="P9"), RUNBOOK, at(1))


def test_a_label_is_a_severity_by_its_name_and_an_unknown_one_is_never_the_worst() -> None:
    alert = firing().replace(labels={"severity": " sev4 ", "service": "s"})
    assert opening_from((alert,), "k", SEVS).severity == "SEV4"
    unknown = opening_from((alert.replace(labels={"severity": "P0"}),), "k", SEVS)
    assert (unknown.severity, unknown.needs_triage) == ("SEV2", True)


def test_an_opening_of_a_severity_that_the_runbook_lacks_asks_for_triage() -> None:
    opening = Opening(key="k", title="t", service="s", severity="P0", alerted_at=T0, source="manual")
    known = with_known_severity(opening, SEVS)
    assert (known.severity, known.needs_triage) == ("SEV2", True)
    assert with_known_severity(opening, RUNBOOK) == opening


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("    p1: P1\n", "    p1: P9\n", "intake.severities.p1: 'P9' is not among severities: P0, P1, P2, P3"),
        ("unknown_severity: P1", "unknown_severity: X", "intake.unknown_severity: 'X' is not among severities"),
        ("\n  P3:\n", "\n  P/3:\n", "severities: 'P/3': a severity is a letter"),
        ("\n  P3:\n", "\n  p2:\n", "severities: two severities differ in upper and lower case only"),
        (
            "    name: Low\n",
            "    name: Low\n    pager_severity: loud\n",
            "severities.P3.pager_severity: Input should be",
        ),
    ],
)
def test_a_wrong_severity_is_a_fault_of_the_file(old: str, new: str, fault: str) -> None:
    assert old in TEXT
    broken = TEXT.replace(old, new, 1)
    with pytest.raises(RunbookError) as raised:
        parse_runbook(broken.replace("    p3: P3\n", "").replace("info: P3", "info: P2").replace("low: P3", "low: P2"))
    assert fault in str(raised.value)


def test_a_report_keeps_severities_that_the_runbook_no_longer_has_last() -> None:
    records = []
    for number, severity in enumerate(("SEV1", "P3", "P0", "SEV1"), 1):
        runbook = SEVS if severity.startswith("SEV") else RUNBOOK
        incident = settled(opened(), T0).replace(number=number, first_run_id=f"run-{number}")
        episodes = (incident.episode.replace(severity=severity),)
        incident = incident.replace(severity=severity, highest_severity=severity, episodes=episodes)
        records.append(record_of(incident, runbook))
    found = report(records, (), RUNBOOK, T0, at(60), at(60))
    assert list(found.by_severity.items()) == [("P0", 1), ("P3", 1), ("SEV1", 2)]
