"""91: nobody can be paged."""

from datetime import timedelta

from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import ActivityResult
from incidents.domain.apply_command import apply_command
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.current_details import render_current_details
from incidents.domain.incident.display.summary import summary_text
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import repage_after_silence
from incidents.domain.paging.reachability import warn_of_missing_pager, warn_of_unsent_page
from tests.support.incidents import RUNBOOK, at, fulfil, obligation, opened

LINE = (
    "NOBODY CAN BE PAGED for P0: PagerDuty not configured (PAGERDUTY_ROUTING_KEY is not set)."
    " Call the on-call engineer."
)


def missing(runbook: RunbookConfig, own: tuple[str, ...], *, default_pager: bool = False) -> str:
    return warn_of_missing_pager(runbook, own, default_pager=default_pager, setting="PAGERDUTY_ROUTING_KEY")


def unpaged(incident: Incident) -> Incident:
    page = obligation(incident, f"page/{incident.paging.repage_count}/P")
    off = ActivityResult(skipped="PagerDuty not configured (PAGERDUTY_ROUTING_KEY is not set)")
    return outcomes.fulfilled(outcomes.begun(incident, page, RUNBOOK), page, off, RUNBOOK, at(0))


def test_91_one_function_decides_from_what_is_configured() -> None:
    line = "NOBODY CAN BE PAGED for P0, P1, P2: no pager for on_call. Set PAGERDUTY_ROUTING_KEY on the worker."
    assert missing(RUNBOOK, ()) == line
    assert missing(RUNBOOK, ("cto",)) == line
    assert missing(RUNBOOK, ("on_call",)) == ""
    assert missing(RUNBOOK, (), default_pager=True) == ""


def test_91_a_service_with_its_own_on_call_needs_a_pager_too() -> None:
    own = RUNBOOK.services[0].replace(on_call="cto")
    runbook = RUNBOOK.replace(services=(own, *RUNBOOK.services[1:]))
    assert "no pager for cto" in missing(runbook, ("on_call",))


def test_91_a_skipped_page_is_said_once_wherever_a_person_looks() -> None:
    incident = unpaged(opened())
    assert warn_of_unsent_page(incident) == LINE
    assert [entry.announce for entry in incident.timeline if entry.text == LINE] == [True]
    assert summary_text(incident, RUNBOOK, []).splitlines()[1] == f"*{LINE}*"
    assert f"**{LINE}**" in render_current_details(incident, RUNBOOK)
    raised = unpaged(apply_command(unpaged(opened("P1")), c.DeclareSeverity(by="ann", severity="P0"), RUNBOOK, at(1)))
    assert "for P0" in warn_of_unsent_page(raised)


def test_91_it_is_silent_where_somebody_was_paged_or_nobody_is_needed() -> None:
    assert warn_of_unsent_page(opened()) == ""
    over = apply_command(unpaged(opened()), c.Cancel(by="ann", reason="a broken probe"), RUNBOOK, at(1))
    assert warn_of_unsent_page(over) == ""
    paged = obligation(opened(), "page/0/P0")
    assert warn_of_unsent_page(outcomes.fulfilled(opened(), paged, ActivityResult(), RUNBOOK, at(0))) == ""


def test_91_an_earlier_page_does_not_hide_that_the_newest_reached_nobody() -> None:
    paged = fulfil(opened("P1"), obligation(opened("P1"), "page/0/P1"), at(0))
    assert warn_of_unsent_page(paged) == ""
    again = unpaged(repage_after_silence(paged, at(30), timedelta(minutes=30)))
    assert "NOBODY CAN BE PAGED for P1" in warn_of_unsent_page(again)
    assert len(warnings_in(again)) == 1
    third = unpaged(repage_after_silence(again.replace(timeline=again.timeline[-1:]), at(60), timedelta(minutes=30)))
    assert not warnings_in(third), "said already, though that entry is in the archive"
    fourth = repage_after_silence(third, at(90), timedelta(minutes=30))
    works = fulfil(fourth, obligation(fourth, "page/3/P1"), at(90))
    assert warn_of_unsent_page(works) == ""
    assert len(warnings_in(unpaged(repage_after_silence(works, at(120), timedelta(minutes=30))))) == 1, "broken anew"


def warnings_in(incident: Incident) -> list[str]:
    return [entry.text for entry in incident.timeline if entry.text.startswith("NOBODY")]
