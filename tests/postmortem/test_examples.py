"""docs/example-postmortem.md and docs/example-report.html are what the program makes of one scripted incident."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incidents.domain.customers.config import CustomersSection
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.document.markdown import parse, plain
from incidents.domain.postmortem.figures.impact import Outage
from incidents.domain.reporting.pages import as_html
from incidents.domain.reporting.record import PostmortemRecord, Record
from incidents.domain.reporting.report import report
from tests.support.communication.environment import Stage
from tests.support.postmortems import state
from tests.support.scripted_incidents import broken_by_a_release, written_down

WRITE = os.environ.get("WRITE_DOCS") == "1"
"""`make examples` sets it: the files are written then, and compared otherwise."""
DOCS = Path("docs")


@pytest.fixture
def customers() -> CustomersSection:
    return CustomersSection(contacts={"Acme": "ops@acme.example", "Globex": "it@globex.example"})


def held(name: str, text: str) -> None:
    """Hold, or write, one file."""
    path = DOCS / name
    if WRITE:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "say `make examples`, and look at what has changed"


def normal(text: str) -> str:
    """The text without what differs from run to run: seconds, the place of the evidence, digests, ids of vendors."""
    text = re.sub(r"(\d\d:\d\d):\d\d\b", r"\1:00", text)
    text = re.sub(r"file://\S*?/evidence", "file:///var/lib/incident-runbook/evidence", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "…", text)
    text = re.sub(r"\b\d+:[0-9a-f]{16}\b", "57:3f2a9c01b4de99aa", text)
    text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b", "…", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://sandbox.invalid", text)
    text = re.sub(r"\b\d+x (?=ruleset|panic|POST|\()", "…x ", text)
    text = re.sub(r"\b(\d+m) \d+s\b", r"\1", text)
    return re.sub(r"\b\d+(\.\d+)? ?ms\b", "… ms", text)


def minute(text: str) -> str:
    """The lines of the timeline in an order that does not depend on seconds."""
    head, rows, tail = re.split(r"(?<=\|---\|---\|---\|---\|\n)((?:\| 2030-.*\n)+)", text, maxsplit=1)
    return head + "".join(sorted(rows.splitlines(keepends=True))) + tail


async def test_the_post_mortem_of_a_release_that_broke_evaluations(stage: Stage, tmp_path: Path) -> None:
    rules = stage.runbook.postmortem.replace(proposal=Proposal.PULL_REQUEST, read_back_every=timedelta(days=2))
    stage.runbook = stage.runbook.replace(postmortem=rules)
    await broken_by_a_release(stage)
    await written_down(stage)
    evidence = tmp_path / "evidence" / "INC-1"
    text = (evidence / "postmortem-1.md").read_text(encoding="utf-8")
    postmortem = await state(stage)
    assert postmortem.stage == "published"
    assert parse(text, postmortem.document) == plain(postmortem.document)
    files = stage.sandbox.state()["github_files"]
    branch = files["branches"]["postmortem/INC-1"]
    assert branch["postmortems/INC-1.md"] == text, "what people read is what is kept"
    assert postmortem.document_url == files["pulls"][0]["html_url"]
    for source in ("| incident |", "| alert |", "| chat |", "| deployments |", "| evidence |"):
        assert source in text
    held("example-postmortem.md", minute(normal(text)))
    svg = (evidence / "INC-1-chart.svg").read_text(encoding="utf-8")
    assert "resolved 14:43" in svg
    if WRITE:
        (DOCS / "INC-1-chart.svg").write_text(svg, encoding="utf-8")

    record = Record.model_validate_json((evidence / "record.json").read_text(encoding="utf-8"))
    known = PostmortemRecord.model_validate_json((evidence / "postmortem.json").read_text(encoding="utf-8"))
    assert record.started_at.minute == 48, "the corrected time counts"
    others = [earlier(number) for number in range(2, 8)]
    whole = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 2, 1, tzinfo=UTC)
    found = report([to_the_minute(record), *others], [known], stage.runbook, *whole, whole[1])
    held("example-report.html", as_html(found))


def to_the_minute(record: Record) -> Record:
    """The record without the seconds, which differ from run to run."""

    def cut(at: datetime | None) -> datetime | None:
        return at.replace(second=0, microsecond=0) if at else None

    lost = tuple(o.replace(since=cut(o.since), until=cut(o.until)) for o in record.outages)
    times = ("started_at", "acknowledged_at", "mitigated_at", "resolved_at", "acknowledge_due")
    waits = {name: whole_minutes(getattr(record, name)) for name in ("acknowledge", "detect")}
    return record.replace(outages=lost, **waits, **{name: cut(getattr(record, name)) for name in times})


def whole_minutes(wait: timedelta | None) -> timedelta | None:
    """The wait without its seconds."""
    return wait - wait % timedelta(minutes=1) if wait is not None else None


def earlier(number: int) -> Record:
    """One of the month's other incidents."""
    severity = ("P1", "P2", "P0")[number % 3]
    began = datetime(2030, 1, 3 * number, 8, 10 * (number % 6), tzinfo=UTC)
    ended = began + timedelta(minutes=7 * number)
    down = (Outage(region="us", since=began, until=ended),) if severity == "P0" else ()
    return Record(
        first_run_id=f"run-{number}",
        number=number,
        title=("Dashboard is slow", "Webhooks are late", "Evaluations time out")[number % 3],
        service=("dashboard", "webhooks", "flag-evaluation")[number % 3],
        severity=severity,
        status="resolved",
        cause=("capacity", "dependency", "infrastructure")[number % 3],
        started_at=began,
        acknowledged_at=began + timedelta(minutes=number),
        acknowledge_due=began + timedelta(minutes=5 if severity == "P0" else 15),
        mitigated_at=ended,
        resolved_at=ended,
        outages=down,
        updates=3,
        punctual=3,
        postmortem_due=ended + timedelta(hours=48) if severity != "P2" else None,
    )
