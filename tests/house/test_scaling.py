"""The counts of docs/scaling.md are those of the recorded histories and messages; its arithmetic follows."""

import math
import os
import re

import pytest

from incidents.app.composition.workers import THREADS
from incidents.app.liveness.standstill_watch import (
    AGAIN_AT_ONCE,
    OTHERS_AT_ONCE,
    SUSPECTS_AT_ONCE,
    URGENT_AT_ONCE,
)
from incidents.app.liveness.worker_cache import BYTES_PER_WORKFLOW, FEWEST, MOST
from tests.support.documents import scaling

TEXT = scaling.DOCUMENT.read_text(encoding="utf-8")
MINUTES = 24 * 60


def row(table: str, first: str) -> list[int]:
    """The numbers of the row that begins with this."""
    made = next(each for each in scaling.TABLES[table]() if each.startswith(f"| {first} |"))
    return [int(cell) for cell in made.strip("| ").split(" | ")[1:]]


def test_the_counts_are_generated() -> None:
    made = scaling.generated(TEXT)
    if os.environ.get("WRITE_DOCS") == "1":
        scaling.DOCUMENT.write_text(made, encoding="utf-8")
    assert scaling.DOCUMENT.read_text(encoding="utf-8") == made, "run `make scaling`, and look at the arithmetic"


def test_the_sum_of_a_p0_follows() -> None:
    recorded = (row("histories", what) for what in list(scaling.RECORDED.values())[:3])
    events, kilobytes, activities, _, writes = (sum(cells) for cells in zip(*recorded, strict=True))
    said = re.search(r"about ([\d,]+) events, (\d+) kB and (\d+) activities", TEXT)
    assert said is not None
    assert abs(int(said[1]) - events) <= 5
    assert abs(int(said[2]) - kilobytes) <= 5
    assert int(said[3]) == activities
    per_second = 100_000 / (MINUTES * 60)
    assert f"{events * per_second:.0f}"[:2] + "0" in TEXT
    assert f"{activities * per_second:.0f} |" in TEXT
    assert f"{writes * per_second:.0f} |" in TEXT
    assert f"{kilobytes * 1e3 * 1000 * 90 / 1e9:.0f} GB" in TEXT


@pytest.mark.parametrize(
    ("incident", "column", "a_minute"),
    [("P1, two hours", 4, 20), ("P2, four hours", 4, 20), ("P1, two hours", 0, 120), ("P2, four hours", 0, 120),
     ("P1, two hours", 2, 60), ("P1, two hours", 5, 60)],
)  # fmt: skip
def test_what_a_vendor_takes_a_day_follows(incident: str, column: int, a_minute: int) -> None:
    a_day = a_minute * MINUTES / row("messages", incident)[column]
    nearest = {f"{round(a_day, -digits):,.0f}" for digits in (1, 2, 3)}
    assert any(each in TEXT for each in nearest), nearest


@pytest.mark.parametrize(
    ("open_at_once", "at_once"),
    [(110, OTHERS_AT_ONCE), (1_000, URGENT_AT_ONCE), (11_000, OTHERS_AT_ONCE), (100_000, URGENT_AT_ONCE)],
)
def test_the_rounds_of_the_watch_follow(open_at_once: int, at_once: int) -> None:
    watch = TEXT[TEXT.index("The [watch for stuck workflows]") :].partition("\n\n")[0]
    assert f"at most {URGENT_AT_ONCE} incidents and" in watch
    assert f" {OTHERS_AT_ONCE} post-mortems, and {SUSPECTS_AT_ONCE + AGAIN_AT_ONCE} that" in watch
    assert re.search(rf"\b{math.ceil(open_at_once / at_once)}\b", watch)
    assert f"{open_at_once:,}" in TEXT


def test_the_limits_of_a_worker_are_those_of_the_code() -> None:
    assert f"| activities at once | {THREADS}," in TEXT
    assert f"at {BYTES_PER_WORKFLOW / 1e6:.1f} MB each: {FEWEST} to {MOST:,}" in TEXT
