"""The SLA report: what counts, medians and not means alone, attainment by plan and region, and its pages."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from incidents.domain.apply_command import apply_command
from incidents.domain.incident.commands import Merge
from incidents.domain.postmortem.document.sections import ActionItem, Cause, ItemState
from incidents.domain.postmortem.figures.impact import Outage
from incidents.domain.postmortem.postmortem import Stage
from incidents.domain.reporting.pages import as_csv, as_html, as_markdown
from incidents.domain.reporting.record import PostmortemRecord, Record, record_of
from incidents.domain.reporting.report import Attainment, Report, report
from incidents.search_attributes import values
from tests.support.incidents import RUNBOOK, at, opened

NOVEMBER, DECEMBER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def minute(count: float) -> timedelta:
    return timedelta(minutes=count)


def record(number: int, day: int = 3, resolved: float = 40, **changes: Any) -> Record:
    """A resolved P0 of that day: acknowledged after 2 minutes, both regions down until it was resolved."""
    at = NOVEMBER + timedelta(days=day - 1, hours=9)
    until = at + minute(resolved)
    base = Record(
        first_run_id=f"run-{number}",
        number=number,
        title=f"Incident {number}",
        service="flag-evaluation",
        severity="P0",
        status="resolved",
        cause=Cause.UNKNOWN,
        started_at=at,
        acknowledged_at=at + minute(2),
        acknowledge_due=at + minute(5),
        mitigated_at=until,
        resolved_at=until,
        outages=tuple(Outage(region=region, since=at, until=until) for region in ("eu", "us")),
        updates=4,
        punctual=3,
        postmortem_due=until + timedelta(hours=48),
    )
    return base.replace(**changes)


def learnt(number: int, stage: Stage = Stage.COMPLETED, **changes: Any) -> PostmortemRecord:
    base = PostmortemRecord(
        first_run_id=f"run-{number}",
        number=number,
        stage=stage,
        owner="ann",
        due=NOVEMBER + timedelta(days=5),
        published_at=NOVEMBER + timedelta(days=4) if stage in (Stage.COMPLETED, Stage.PUBLISHED) else None,
        cause=Cause.CAPACITY,
        root_cause="Too small.",
        items=(),
        reviewed_at=None,
    )
    return base.replace(**changes)


def november(*records: Record, known: tuple[PostmortemRecord, ...] = (), **options: Any) -> Report:
    return report(records, known, RUNBOOK, NOVEMBER, DECEMBER, DECEMBER, **options)


def test_medians_and_p90_tell_what_a_mean_hides() -> None:
    found = november(*(record(n, resolved=10) for n in range(1, 10)), record(10, resolved=600))
    assert found.resolve is not None
    assert (found.resolve.count, found.resolve.median) == (10, minute(10))
    assert minute(10) < found.resolve.p90 < minute(600)
    assert found.acknowledge is not None
    assert found.acknowledge.median == minute(2)
    one = november(record(1, resolved=30)).resolve
    assert one is not None
    assert one.p90 == minute(30)
    assert november().resolve is None


def test_67_81_82_drills_and_false_positives_do_not_count_and_backfilled_ones_do() -> None:
    found = november(
        record(1),
        record(2, drill=True),
        record(3, status="cancelled"),
        record(4, day=9, backfilled=True, acknowledged_at=None, postmortem_due=None),
    )
    assert [line.number for line in found.lines] == [1, 4]
    assert (found.acknowledged.on_time, found.acknowledged.of) == (1, 1), "nobody was paged for a backfilled one"
    assert found.lines[1].backfilled


def test_65_a_merged_incident_is_counted_as_merged_and_not_as_a_false_alarm() -> None:
    merged = apply_command(opened().replace(number=2), Merge(by="bob", into=1, workflow_id="i-1"), RUNBOOK, at(5))
    assert (record_of(merged, RUNBOOK).merged_into, record_of(merged, RUNBOOK).counts) == (1, False)
    others = (record(3, status="cancelled"), record(4, status="cancelled", merged_into=1, drill=True))
    found = november(record(1), record_of(merged, RUNBOOK), *others)
    assert ([line.number for line in found.lines], found.merged) == ([1], 1)
    assert "| Merged into another incident | 1 |" in as_markdown(found)
    assert "merged incidents (1)" in as_html(found)
    assert values(merged, RUNBOOK)["IncidentStatus"] == "merged"
    assert not merged.is_false_alarm


def test_punctuality_counts_those_that_were_due() -> None:
    late = record(2, acknowledged_at=record(2).started_at + minute(9))
    never = record(3, acknowledged_at=None)
    found = november(record(1), late, never)
    assert (found.acknowledged.on_time, found.acknowledged.of) == (1, 3)
    assert (found.updates.on_time, found.updates.of) == (9, 12)


def test_attainment_is_by_plan_and_region_and_overlaps_count_once() -> None:
    began = record(1).started_at
    only_eu = record(2, outages=(Outage(region="eu", since=began, until=began + minute(60)),))
    found = november(record(1, resolved=40), only_eu)
    at = {(a.plan, a.region): a for a in found.attainment}
    assert len(at) == 6
    assert at["Pro", "eu"].downtime == minute(60)
    assert at["Pro", "us"].downtime == minute(40)
    assert round(at["Pro", "us"].attained, 3) == round(100 * (1 - 40 / (30 * 24 * 60)), 3)
    assert (at["Pro", "us"].kept, at["Pro", "eu"].kept, at["Dedicated", "us"].kept) == (True, False, False)
    assert {a.plan for a in november(record(1), plan="pro").attainment} == {"Pro"}


def test_a_promise_that_was_broken_never_reads_as_kept() -> None:
    broken = Attainment(plan="Pro", region="eu", promised=99.9, attained=99.8996, downtime=minute(43))
    assert (broken.kept, broken.shown) == (False, "99.899")
    assert broken.replace(attained=99.99999).shown == "99.999"
    assert broken.replace(attained=100).shown == "100.000"


def test_downtime_counts_in_the_period_in_which_it_was() -> None:
    before = record(1, day=0, resolved=16 * 60)
    assert before.started_at < NOVEMBER
    found = november(before)
    assert found.lines == ()
    assert found.attainment[0].downtime == minute(60)


def test_post_mortems_and_action_items_are_counted_as_they_stand() -> None:
    items = (
        ActionItem(id=1, title="a", state=ItemState.DONE),
        ActionItem(id=2, title="b", due=date(2026, 11, 20)),
        ActionItem(id=3, title="c", due=date(2027, 1, 20)),
        ActionItem(id=4, title="d", state=ItemState.WONT_DO, reason="gone"),
    )
    found = november(
        *(record(n) for n in range(1, 6)),
        known=(
            learnt(1, items=items),
            learnt(2, Stage.PUBLISHED, published_at=NOVEMBER + timedelta(days=9)),
            learnt(3, Stage.WAIVED),
            learnt(4, Stage.OVERDUE),
        ),
    )
    pm, todo = found.postmortems, found.items
    assert (pm.owed, pm.done, pm.waived, pm.open, pm.late) == (5, 2, 1, 2, 3), "one late, one overdue, one not begun"
    assert (todo.open, todo.overdue, todo.done, todo.wont_do) == (2, 1, 1, 1)
    assert found.by_cause == {"capacity": 4, "unknown": 1}, "what people found out counts"
    assert found.by_severity == {"P0": 5}


def test_one_service_only() -> None:
    assert [x.number for x in november(record(1), record(2, service="webhooks"), service="webhooks").lines] == [2]


def test_the_pages_say_the_same() -> None:
    evil = record(1, title='<script>alert("|")</script>')
    found = november(evil, record(2, day=9, title="=1+1"), known=(learnt(1),), unknown=(7,))
    markdown, html = as_markdown(found), as_html(found)
    assert '&lt;script&gt;alert("\\|")&lt;/script&gt;' in markdown
    assert "<script" not in html
    for page in (markdown, html):
        assert "INC-1" in page
        assert "INC-7" in page
        assert "99.9" in page
        assert "40m" in page
    assert html.count("<svg") == 2
    assert "http" not in html.replace("http://www.w3.org/", ""), "it asks the network for nothing"
    assert 'name="viewport"' in html
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert [row["number"] for row in rows] == ["1", "2"]
    assert rows[0]["resolve"] == "2400"
    assert rows[1]["title"] == "'=1+1", "a spreadsheet must not calculate it"
    assert json.loads(found.model_dump_json())["postmortems"]["owed"] == 2


def test_nothing_happened_is_a_report_too() -> None:
    found = november()
    assert "0 incidents" in as_markdown(found)
    assert "<svg" in as_html(found)
    assert all(a.attained == 100 for a in found.attainment)
