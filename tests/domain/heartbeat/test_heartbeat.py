"""Heartbeats: when one is overdue, and the alert that its absence becomes."""

from datetime import timedelta

import pytest

from incidents.domain.alerting.alert import correlation_key, severity_of
from incidents.domain.config.loading import parse_runbook
from incidents.domain.core.errors import RunbookError
from incidents.domain.heartbeat.config import HeartbeatRule
from incidents.domain.heartbeat.watch import HeartbeatWatch, build_alert, build_report, render_current_details
from tests.support.incidents import RUNBOOK, T0, TEXT, at

RULE = HeartbeatRule(every=timedelta(minutes=10), grace=timedelta(minutes=2), service="webhooks", severity="P2")
WATCH = HeartbeatWatch(name="nightly-backup", rule=RULE, last_at=T0)


def test_it_is_absent_once_the_time_and_the_grace_have_passed() -> None:
    assert not WATCH.is_absent(at(11.9))
    assert WATCH.is_absent(at(12))
    assert not WATCH.record(at(5), at(5)).is_absent(at(16))
    assert not WATCH.replace(reported_for=T0).is_absent(at(60)), "reported once"


def test_a_heartbeat_counts_when_it_came_and_never_backwards() -> None:
    assert WATCH.record(at(5), at(9)).last_at == at(5)
    assert WATCH.record(at(9), at(5)).last_at == at(5), "a clock that is ahead"
    later = WATCH.record(at(5), at(5))
    assert later.record(at(3), at(6)) == later
    assert (WATCH.came, later.came) == (False, True)


def test_a_return_ends_the_alert_of_the_absence() -> None:
    absent = build_alert(build_report(WATCH), RUNBOOK)
    assert (absent.firing, absent.started_at) == (True, at(12))
    assert absent.description == ("No heartbeat of nightly-backup since monitoring began; expected every 10m.")
    back = WATCH.replace(reported_for=T0).record(at(20), at(20))
    assert back.returned
    ended = build_alert(build_report(back), RUNBOOK)
    assert (ended.ended_at, ended.fingerprint) == (at(20), absent.fingerprint)
    assert correlation_key(ended, RUNBOOK.intake) == correlation_key(absent, RUNBOOK.intake) == "webhooks:production"


def test_its_severity_is_the_runbooks() -> None:
    assert severity_of(build_alert(build_report(WATCH), RUNBOOK), RUNBOOK) == ("P2", False)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("x: {every: 1d, service: a, severity: P9}", "'P9' is not among severities"),
        ("x: {every: 1s, service: a, severity: P2}", "every must be at least 10s"),
        ("x/y: {every: 1d, service: a, severity: P2}", "x/y"),
    ],
)
def test_a_rule_that_cannot_be_is_named(line: str, fault: str) -> None:
    with pytest.raises(RunbookError, match=fault):
        parse_runbook(TEXT.replace("heartbeats: {}", f"heartbeats:\n  {line}"))


def test_its_details_say_when_it_came_and_when_it_is_overdue_or_that_it_is_absent() -> None:
    assert render_current_details(WATCH).startswith("No heartbeat since the watch began: 2026-11-23 14:00:00 UTC")
    came = WATCH.record(at(5), at(5))
    assert render_current_details(came) == (
        "Last heartbeat: 2026-11-23 14:05:00 UTC\n\nOverdue at 2026-11-23 14:17:00 UTC (every 10m)"
    )
    assert render_current_details(came.replace(reported_for=at(5))).startswith("**Absent** since 2026-11-23 14:17:00")
