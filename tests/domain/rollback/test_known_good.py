"""49, 90: the last known-good deployment, against an oracle that knows nothing of the code: random histories."""

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.domain.rollback.known_good import Deployment
from tests.domain.rollback.searches import chosen
from tests.support.incidents import RUNBOOK, T0

RULES = RUNBOOK.rollback
VERSIONS = ["v1", "v2", "v3", "v4"]
ROW = st.tuples(
    st.sampled_from(VERSIONS),
    st.sampled_from(["success", "in_progress", "failed", "canary"]),
    st.sampled_from([5, 29, 30, 31, 119, 121, 600]),  # minutes until the next row
    st.sampled_from(["", "", "previous", "v1"]),  # rollback_from
)


def history(rows: list[tuple[str, str, int, str]], end: int) -> list[Deployment]:
    """The rows as deployments, oldest first; the last one began `end` minutes before the alert."""
    made: list[Deployment] = []
    moment = T0 - timedelta(minutes=end + sum(gap for _, _, gap, _ in rows[:-1]))
    for number, (version, status, gap, left) in enumerate(rows):
        came_from = made[-1].version if left == "previous" and made else left.replace("previous", "")
        made.append(
            Deployment(
                id=f"row-{number}",
                cluster="eu-001",
                version=version,
                status=status,
                started_at=moment,
                rollback_from=came_from,
            )
        )
        moment += timedelta(minutes=gap)
    return made


def unchanged(older: Deployment, newer: Deployment) -> bool:
    """The newer one only deployed again what ran already (behaviour 90)."""
    return newer.version == older.version and older.status in ("success", "in_progress")


def oracle(rows: list[Deployment], alerted_at: datetime, flagged: set[str]) -> tuple[str, str]:
    """Suspect and candidate by id, worked out the long way: forwards in time, one rule after the other."""
    seen_by_alert = [row for row in rows if row.started_at <= alerted_at]
    if not seen_by_alert or alerted_at - seen_by_alert[-1].started_at > timedelta(hours=2):
        return "", ""
    while len(seen_by_alert) > 1 and unchanged(*seen_by_alert[-2:]):
        seen_by_alert.pop()
    suspect = seen_by_alert[-1]
    if alerted_at - suspect.started_at > timedelta(hours=2):
        return "", ""
    order_of_appearance: list[str] = []
    bad = set(flagged)
    for number, row in enumerate(rows):
        if row.version not in order_of_appearance:
            order_of_appearance.append(row.version)
        if number == 0:
            continue
        abandoned = row.rollback_from or rows[number - 1].version
        everything = [r.version for r in rows]
        if abandoned in everything and everything.index(row.version) < everything.index(abandoned):
            bad.add(abandoned)
    best = ""
    for row, following in pairwise(seen_by_alert):
        finished = row.status == "success" or row.status == "in_progress"
        baked = following.started_at - row.started_at >= timedelta(minutes=30)
        if finished and baked and row.version != suspect.version and row.version not in bad:
            best = row.id
    return suspect.id, best


@settings(max_examples=600, deadline=None, database=None, derandomize=True)
@given(
    st.lists(ROW, min_size=1, max_size=12),
    st.sampled_from([-5, 1, 60, 120, 121]),
    st.sets(st.sampled_from(VERSIONS), max_size=1),
    st.randoms(use_true_random=False),
)
def test_the_last_known_good_is_what_the_oracle_says(
    rows: list[tuple[str, str, int, str]], end: int, flagged: set[str], chance: Random
) -> None:
    made = history(rows, end)
    shuffled = chance.sample(made, len(made))
    found = chosen(tuple(shuffled), "eu-001", T0, RULES, dict.fromkeys(flagged, "flagged"))
    ids = (found.suspect.id if found.suspect else "", found.candidate.id if found.candidate else "")
    assert ids == oracle(made, T0, flagged)
    assert found.possible is (ids[1] != "")
    assert found.reason, "it is always said why"
    assert all(candidate.reason for candidate in found.considered)
