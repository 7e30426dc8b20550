"""A status update that is past its due time and not out: when it is overdue, and where that shows."""

from datetime import datetime, timedelta

import pytest

from incidents.domain import apply_result as outcomes
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.current_details import render_current_details
from incidents.domain.incident.display.summary import answer_text, summary_text
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.overdue import overdue_at, overdue_lines
from incidents.search_attributes import UPDATE_OVERDUE_AT, values
from tests.support.incidents import RUNBOOK, T0, at, fulfil, keys, obligation, opened, settled

PAGE = "update/1/status_page"
LINE = "Status update 1 is overdue: not on status_page"


def with_page_down(until: datetime = T0) -> Incident:
    """A P0 of which everything is done that is due by then but the delivery to the status page."""
    incident = opened()
    while due := [o for o in agenda(incident, RUNBOOK) if o.due <= until and o.key != PAGE]:
        incident = fulfil(incident, due[0], until)
    return outcomes.begun(incident, obligation(incident, PAGE), RUNBOOK)


def test_35_an_update_that_is_out_in_time_is_never_overdue() -> None:
    incident = settled(opened(), T0)
    assert not keys(incident, "update/1")
    assert overdue_at(incident, RUNBOOK) == at(30 + 5), "the next one, unless it goes out"
    assert overdue_lines(incident) == []


def test_35_an_update_that_hangs_is_recorded_as_overdue_once() -> None:
    incident = with_page_down()
    owed = obligation(incident, "update/1/overdue")
    assert (owed.since, owed.due) == (T0, at(5))
    assert overdue_at(incident, RUNBOOK) == at(5)
    assert overdue_lines(incident) == [], "not yet"
    incident = with_page_down(at(6))
    assert not keys(incident, "update/1/overdue")
    assert [entry.text for entry in incident.timeline if "overdue" in entry.text] == [LINE]
    assert next(entry for entry in incident.timeline if entry.text == LINE).announce


def test_35_it_shows_wherever_responders_look_until_it_is_out() -> None:
    incident = with_page_down(at(6))
    shown = (summary_text(incident, RUNBOOK, []), answer_text(incident), render_current_details(incident, RUNBOOK))
    for place in shown:
        assert LINE in place.replace("\\", "")
    assert values(incident, RUNBOOK)[UPDATE_OVERDUE_AT.name] == at(5)
    out = fulfil(incident, obligation(incident, PAGE), at(7))
    assert overdue_lines(out) == []
    assert values(out, RUNBOOK)[UPDATE_OVERDUE_AT.name] == at(35)


@pytest.mark.parametrize("way", ["skip", "done"])
def test_35_one_that_failed_for_good_stays_overdue_until_somebody_settles_it(way: str) -> None:
    incident = with_page_down(at(6))
    failed = outcomes.failed(incident, obligation(incident, PAGE), "503", RUNBOOK, at(8))
    assert overdue_lines(failed) == [LINE]
    settle = c.SettleStep(by="ann", step=PAGE, how=way, reason="posted elsewhere")
    assert overdue_lines(apply_command(failed, settle, RUNBOOK, at(9))) == []


def test_35_a_newer_update_takes_its_place() -> None:
    incident = apply_command(with_page_down(at(6)), c.PostUpdate(by="ann", text="We know why."), RUNBOOK, at(7))
    assert overdue_lines(incident) == []
    assert obligation(incident, "update/2/overdue").due == at(12)


def test_37_without_a_worker_the_clock_alone_tells_that_the_next_one_is_overdue() -> None:
    incident = settled(opened(), T0)
    since = values(incident, RUNBOOK)[UPDATE_OVERDUE_AT.name]
    assert since == at(35)
    late = settled(incident, at(50))
    assert overdue_at(late, RUNBOOK) == at(65), "made up for, on the old grid"
    assert not any("overdue" in entry.text for entry in late.timeline), "its delay is recorded by the update itself"


def test_38_a_held_update_is_not_overdue_before_the_hold_ends() -> None:
    incident = apply_command(settled(opened(), T0), c.HoldUpdate(by="ann", minutes=20, reason="soon"), RUNBOOK, at(20))
    assert overdue_at(incident, RUNBOOK) == at(30 + 20 + 5)


def test_108_an_update_that_cannot_be_published_at_all_is_overdue() -> None:
    incident = settled(opened(), T0)
    [update] = [owed for owed in agenda(incident, RUNBOOK) if owed.key == "update/2"]
    broken = outcomes.failed(incident, update, "KeyError", RUNBOOK, at(30))
    assert obligation(broken, "update/2/overdue").due == at(35)
    broken = settled(broken, at(35))
    assert "Status update 2 is overdue: not published. Write it with `incident update`" in overdue_lines(broken)


def test_nothing_is_overdue_once_it_is_over_or_without_a_cadence() -> None:
    over = settled(apply_command(settled(opened(), T0), c.Cancel(by="ann", reason="a test"), RUNBOOK, at(1)), at(1))
    assert overdue_at(over, RUNBOOK) is None
    assert overdue_at(settled(opened("P3"), T0), RUNBOOK) is None


def test_78_runbooks_without_the_setting_mark_none_so_that_open_incidents_replay() -> None:
    older: RunbookConfig = RUNBOOK.replace(updates=RUNBOOK.updates.replace(overdue_after=None))
    incident = with_page_down(at(4))
    assert UPDATE_OVERDUE_AT.name not in values(incident, older)
    assert not [o.key for o in agenda(incident, older) if o.key.endswith("/overdue")]
    document = RUNBOOK.model_dump(mode="json")
    del document["updates"]["overdue_after"]
    assert RunbookConfig.model_validate(document).updates.overdue_after is None
    assert RUNBOOK.updates.overdue_after == timedelta(minutes=5)
