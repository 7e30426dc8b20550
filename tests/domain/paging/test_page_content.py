"""92: what a page carries."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import SendPage
from incidents.domain.activity_results import ActivityResult
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.config.communication import Paging
from incidents.domain.core.keys import Key
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.summary import people_line
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import repage_after_silence
from incidents.domain.obligation import Obligation
from tests.support.incidents import RUNBOOK, T0, at, firing, fulfil, keys, obligation, opened, settled

LINKS = {"Dashboard": "https://signoz.example/{service}", "Runbook": "https://wiki.example/runbook#{severity}"}
LINKED = RUNBOOK.replace(
    paging=RUNBOOK.paging.replace(links=LINKS),
    services=(RUNBOOK.services[0].replace(links={"Dashboard": "https://signoz.example/d/flags"}),),
)


def alerted() -> Incident:
    alert = firing().replace(link="https://prometheus.example/graph?g0.expr=errors")
    return facts.alert_fired(opened(), (alert,), RUNBOOK, T0)


def page(incident: Incident, owed: Obligation, minute: float = 0) -> SendPage:
    asked = request(owed, incident, LINKED, at(minute))
    assert isinstance(asked, SendPage)
    return asked


def test_92_the_first_page_says_what_is_known_and_waits_for_nothing() -> None:
    incident = alerted()
    first = page(incident, obligation(incident, "page/0/P0"))
    assert incident.number is None
    assert first.summary == "P0 flag-evaluation (production): Evaluation errors"
    assert first.details == {
        "incident": "flag-evaluation:production",
        "what": "Evaluation errors",
        "severity": "P0 (Critical)",
        "impact": "Feature flag evaluation may be unavailable.",
        "since": "2026-11-23 14:00 UTC (19:30 IST)",
        "environment": "production",
        "status": "investigating · Commander: unassigned · not acknowledged",
        "acknowledge": "Acknowledge this page, or run `incident ack incident-x`",
        "to": "on_call",
    }
    assert first.links == {
        "Alert": "https://prometheus.example/graph?g0.expr=errors",
        "Dashboard": "https://signoz.example/d/flags",
        "Runbook": "https://wiki.example/runbook#P0",
    }


def test_92_what_is_known_later_is_added_to_the_open_page_once() -> None:
    incident = alerted()
    first = page(incident, obligation(incident, "page/0/P0"))
    incident = fulfil(incident, obligation(incident, "page/0/P0"), T0)
    assert not keys(incident, "page-update/"), "nothing is known yet"
    for name in ("number", "channel", "war-room"):
        incident = fulfil(incident, obligation(incident, name), at(1))
    owed = obligation(incident, "page-update/0/P0")
    update = page(incident, owed, 1)
    assert update.dedup_key == first.dedup_key, "the same page: nobody is paged anew"
    assert update.summary == "P0 flag-evaluation (production): Evaluation errors [INC-1]"
    assert update.details["acknowledge"] == "Acknowledge this page, or run `incident ack 1`"
    assert update.links["Channel"] == "https://chat.example/C1"
    assert update.links["War room"] == "https://meet.example/1"
    assert not keys(fulfil(incident, owed, at(1)), "page-update/")
    acknowledged = apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1))
    assert not keys(acknowledged, "page-update/"), "a trigger that comes late must not open another page"


def test_92_a_page_that_knew_all_of_it_is_not_updated() -> None:
    incident = settled(alerted(), T0)
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="quiet"), RUNBOOK, at(5))
    incident = facts.alert_resolved(incident, (firing().replace(ended_at=at(6)),), RUNBOOK, at(6))
    again = facts.alert_fired(incident, (firing(when=at(9)),), RUNBOOK, at(9))
    second = page(again, obligation(again, "page/1/P0"), 9)
    assert second.summary.endswith("[INC-1]")
    assert second.details["status"].startswith("investigating again (reopened) · ")
    assert second.details["status"].endswith("not acknowledged")
    assert not keys(settled(again, at(9)), "page-update/")


def test_92_a_page_that_was_skipped_is_not_updated() -> None:
    incident = alerted()
    off = ActivityResult(skipped="PagerDuty not configured")
    incident = outcomes.begun(incident, obligation(incident, "page/0/P0"), RUNBOOK)
    incident = outcomes.fulfilled(incident, obligation(incident, "page/0/P0"), off, RUNBOOK, T0)
    for name in ("number", "channel", "war-room"):
        incident = fulfil(incident, obligation(incident, name), at(1))
    assert not keys(incident, "page-update/")


def test_92_without_slack_a_page_anew_is_complete_and_not_updated() -> None:
    incident = alerted()
    incident = fulfil(incident, obligation(incident, "page/0/P0"), T0)
    incident = fulfil(incident, obligation(incident, "number"), T0)
    off = ActivityResult(skipped="Slack is not configured")
    incident = settled(outcomes.fulfilled(incident, obligation(incident, "channel"), off, RUNBOOK, T0), T0)
    assert "page-update/0/P0" in incident.ledger.fulfilled, "its number came after it"
    again = settled(repage_after_silence(incident, at(30), timedelta(minutes=30)), at(30))
    assert "page/1/P0" in again.ledger.fulfilled
    assert "page-update/1/P0" not in again.ledger.fulfilled


def test_what_is_fulfilled_twice_is_remembered_once() -> None:
    assert opened().with_fulfilled(Key("number")).with_fulfilled(Key("number"), Key("channel")).ledger.fulfilled == (
        "number",
        "channel",
    )


def test_92_the_pagers_limits_are_kept() -> None:
    incident = settled(alerted(), T0).replace(title="x" * 10_000)
    asked = page(incident, obligation(alerted(), "page/0/P0"))
    assert len(asked.summary) == 1000
    assert asked.summary.endswith("… [INC-1]")
    assert max(len(text) for text in asked.details.values()) <= 1000


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x.example/{host}", "https://x.example/{"])
def test_92_a_link_that_cannot_be_is_refused_in_the_runbook(url: str) -> None:
    with pytest.raises(ValidationError, match="Runbook: "):
        Paging(links={"Runbook": url})


def test_92_a_page_anew_does_not_show_the_earlier_acknowledgement_as_its_own() -> None:
    incident = settled(facts.alert_fired(opened("P1"), (firing(),), RUNBOOK, T0), T0)
    incident = apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1))
    graver = firing("Down", at(5)).replace(labels={"alertname": "Down", "severity": "critical"})
    raised = facts.alert_fired(settled(incident, at(1)), (graver,), RUNBOOK, at(5))
    said = "not acknowledged since the last page (before: by ann at 14:01 UTC)"
    assert page(raised, obligation(raised, "page/1/P0"), 5).details["status"].endswith(said)
    again = apply_command(settled(raised, at(5)), c.Acknowledge(by="bob"), RUNBOOK, at(6))
    assert "not acknowledged" not in people_line(again)
