"""docs/scaling.md: what one incident costs, counted in recorded histories and in docs/communication.md."""

import gzip
import re
from collections import Counter
from collections.abc import Iterator

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from tests.support.documents.behaviours import ROOT

DOCUMENT = ROOT / "docs" / "scaling.md"
HISTORIES = ROOT / "tests" / "replay" / "histories" / "0.2.0"
MESSAGES = (ROOT / "docs" / "communication.md").read_text(encoding="utf-8")
BEGIN, END = "<!-- begin: {} -->", "<!-- end: {} -->"
RECORDED = {
    "rolled_back_to_its_postmortem.incident": "P0, rolled back, resolved, closed after a day",
    "rolled_back_to_its_postmortem.rollback": "its rollback",
    "rolled_back_to_its_postmortem.postmortem": "its post-mortem, 11 days",
    "severities_and_reopening.incident": "P0 with five changes of severity, reopened",
    "a_quiet_channel.incident": "P0 that nobody works on",
}
INCIDENTS = {"six hours": "P0, six hours", "p1": "P1, two hours", "p2": "P2, four hours"}
SET_UP = ("Slack: channel", "Slack: invited", "Slack: pinned", "Slack: topic", "Slack: bookmark")


def histories() -> Iterator[str]:
    """One row for each recorded workflow."""
    yield "| workflow | events | kB | activities | timers | writes to visibility |"
    yield "|---|---|---|---|---|---|"
    for file, what in RECORDED.items():
        text = gzip.decompress((HISTORIES / f"{file}.json.gz").read_bytes()).decode()
        events = WorkflowHistory.from_json(file, text).events
        kinds = Counter(event.event_type for event in events)
        size = sum(event.ByteSize() for event in events)
        activities = kinds[EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
        timers = kinds[EventType.EVENT_TYPE_TIMER_STARTED]
        upserts = kinds[EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]
        yield f"| {what} | {len(events)} | {size / 1000:.0f} | {activities} | {timers} | {upserts + 2} |"


def messages() -> Iterator[str]:
    """One row for each scripted incident of docs/communication.md."""
    yield (
        "| incident | PagerDuty events | Slack messages | in the digest | set-up calls | of one kind"
        " | status page | e-mails |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for marker, what in INCIDENTS.items():
        table = MESSAGES.partition(f"<!-- {marker} -->")[2].partition(f"<!-- /{marker} -->")[0]
        places = re.findall(r"^\| \d\d:\d\d \| (.*?) \| ", table, re.MULTILINE)
        kinds = ("page ", "Slack #", "Slack #incidents", SET_UP, "status page", "e-mail")
        cells = [sum(place.startswith(kind) for place in places) for kind in kinds]
        cells.insert(4, max(sum(place.startswith(kind) for place in places) for kind in SET_UP))
        yield f"| {what} | {' | '.join(map(str, cells))} |"


TABLES = {"histories": histories, "messages": messages}


def generated(text: str) -> str:
    """The document with its tables made anew; everything else is kept."""
    for name, rows in TABLES.items():
        before, _, rest = text.partition(BEGIN.format(name))
        after = rest.partition(END.format(name))[2]
        text = f"{before}{BEGIN.format(name)}\n" + "\n".join(rows()) + f"\n{END.format(name)}{after}"
    return text
