"""48 to 50, 90: what is rolled back to what."""

from datetime import datetime, timedelta

import pytest

from incidents.domain.rollback.known_good import Deployment
from tests.domain.rollback.searches import chosen
from tests.support.incidents import RUNBOOK, T0, at

RULES = RUNBOOK.rollback
DAY = 24 * 60


def row(
    version: str,
    minutes: float,
    status: str = "success",
    rollback_from: str = "",
    labels: tuple[str, ...] = (),
    services: tuple[str, ...] = (),
) -> Deployment:
    return Deployment(
        labels=labels,
        id=f"{version}@{minutes}",
        cluster="eu-001",
        version=version,
        status=status,
        started_at=at(minutes),
        rollback_from=rollback_from,
        services=services,
    )


def judged(*rows: Deployment, alerted_at: datetime = T0) -> tuple[str, str]:
    found = chosen(rows, "eu-001", alerted_at, RULES)
    if found.suspect is None:
        return "", found.reason
    return found.suspect.version, found.candidate.version if found.candidate else found.reason


def test_48_without_a_deployment_in_the_window_there_is_no_suspect() -> None:
    assert judged(row("v1", -3 * DAY), row("v2", -121)) == (
        "",
        "eu-001: no deploy in the last 2h (newest: v2, 2h 1m before the alert)",
    )
    assert judged() == ("", "eu-001: no deploy before the alert")
    assert judged(row("v1", 5)) == ("", "eu-001: no deploy before the alert; v1 was deployed 5m after the alert")


def test_49_the_newest_one_before_that_served_long_enough() -> None:
    assert judged(row("v1", -DAY), row("v2", -60), row("v3", -10)) == ("v3", "v2")


@pytest.mark.parametrize(
    ("passed_over", "why"),
    [
        (row("v2", -20), "in service for only 10m"),
        (row("v2", -60, status="failed"), "status failed"),
        (row("v3", -60, status="failed"), "same version as the suspect"),
    ],
)
def test_49_never_simply_the_previous_one(passed_over: Deployment, why: str) -> None:
    found = chosen((row("v1", -DAY), passed_over, row("v3", -10)), "eu-001", T0, RULES)
    assert found.candidate is not None
    assert found.candidate.version == "v1"
    assert why in found.considered[0].reason
    assert [candidate.selected for candidate in found.considered] == [False, True]


def test_49_a_version_that_was_rolled_back_before_is_bad() -> None:
    history = (row("v1", -DAY), row("v2", -300), row("v1", -200, rollback_from="v2"), row("v2", -100), row("v3", -10))
    assert judged(*history) == ("v3", "v1")


def test_49_a_status_that_the_portal_never_settles_is_said() -> None:
    found = chosen((row("v1", -DAY, status="in_progress"), row("v2", -10)), "eu-001", T0, RULES)
    assert found.candidate is not None
    assert "completion not reported by the deployer" in found.considered[0].reason


def test_a_suspect_without_a_known_good_one_is_said_and_not_offered() -> None:
    suspect, reason = judged(row("v1", -15), row("v2", -10))
    assert suspect == "v2"
    assert "no known-good version before it" in reason


def test_49_a_step_back_is_known_where_the_portal_kept_no_word_of_it() -> None:
    history = (row("v1", -DAY), row("v2", -300), row("v1", -200), row("v2", -100), row("v3", -10))
    assert judged(*history) == ("v3", "v1")


def test_49_a_rollback_that_went_forward_accuses_nobody() -> None:
    """The portal rolls a rollback "back" to the bad version: that says nothing against the good one."""
    history = (
        row("v1", -DAY),
        row("v2", -300),
        row("v1", -280, rollback_from="v2"),
        row("v2", -200, rollback_from="v1"),
        row("v3", -10),
    )
    assert judged(*history) == ("v3", "v1")


def test_49_what_is_known_from_elsewhere_is_passed_over_with_its_reason() -> None:
    rows = (row("v1", -3 * DAY), row("v2", -DAY), row("v3", -10))
    found = chosen(rows, "eu-001", T0, RULES, {"v2": "flagged as bad by ann: leaks"})
    assert found.candidate is not None
    assert found.candidate.version == "v1"
    assert found.considered[0].reason == "flagged as bad by ann: leaks"


@pytest.mark.parametrize(
    ("suspect", "why"),
    [
        (row("v3-migration", -10), "v3-migration is marked irreversible (v3-migration matches migrat)"),
        (row("v3", -10, labels=("irreversible",)), "v3 is marked irreversible (irreversible matches ^irreversible$)"),
    ],
)
def test_50_what_cannot_be_taken_back_is_marked(suspect: Deployment, why: str) -> None:
    found = chosen((row("v1", -DAY), suspect), "eu-001", T0, RULES)
    assert found.possible
    assert found.caution == why


def test_50_also_when_it_lies_between_the_suspect_and_the_candidate() -> None:
    rows = (row("v1", -DAY), row("v2", -20, labels=("irreversible",)), row("v3", -10))
    assert "v2 is marked irreversible" in chosen(rows, "eu-001", T0, RULES).caution


def test_what_was_deployed_after_the_suspect_is_left_as_well() -> None:
    between = row("v3", 5, labels=("irreversible",))
    rows = (row("v1", -DAY), row("v2", -10), between, row("v2", 6))
    assert "v3 is marked irreversible" in chosen(rows, "eu-001", T0, RULES).caution


def test_52_a_deployment_since_the_alert_asks_for_caution() -> None:
    rows = (row("v1", -DAY), row("v2", -10), row("v3", 2))
    found = chosen(rows, "eu-001", T0, RULES)
    assert (found.caution, found.mark) == ("v3 was deployed after the alert began", "v3@2")
    assert chosen(rows, "eu-001", T0, RULES, {"v3": "already tried in this incident"}).caution == ""


def test_48_a_deployment_in_the_alerts_own_minute_is_suspect_though_its_clock_is_ahead() -> None:
    rows = (row("v1", -DAY), row("v2", -90), row("v3", 0.5))
    found = chosen(rows, "eu-001", T0, RULES)
    assert found.suspect is not None
    assert (found.suspect.version, found.reason) == ("v3", "v3 was deployed to eu-001 30s after the alert")
    assert found.caution == "v3 was deployed 30s after the alert, within the tolerance for clock skew"
    strict = chosen(rows, "eu-001", T0, RULES.replace(clock_tolerance=timedelta()))
    assert strict.suspect is not None
    assert strict.suspect.version == "v2"


def test_48_a_deployment_after_the_alert_is_no_suspect_and_is_said() -> None:
    found = chosen((row("v1", -DAY), row("v2", 2)), "eu-001", T0, RULES)
    assert found.suspect is None
    assert found.reason == (
        "eu-001: no deploy in the last 2h (newest: v1, 1d before the alert); v2 was deployed 2m after the alert"
    )


CURED = (row("v1", -2 * DAY), row("v2", -DAY), row("v3", -30), row("v2", -20, rollback_from="v3"))
"""v2 was restored 20 minutes before the (second) alert."""


def test_90_what_a_verified_rollback_restored_is_no_suspect() -> None:
    unverified = chosen(CURED, "eu-001", T0, RULES)
    assert unverified.suspect is not None
    assert unverified.suspect.id == "v2@-20"
    found = chosen(CURED, "eu-001", T0, RULES, restored={"v2@-20"})
    assert (found.possible, found.suspect) == (False, None)
    assert found.reason == ("eu-001: v2 was restored by a verified rollback. If it is bad, flag it (`incident flag`)")


def test_90_what_was_rolled_back_since_the_alert_is_not_offered_again() -> None:
    found = chosen(CURED, "eu-001", at(-25), RULES, restored={"v2@-20"})
    assert (found.possible, found.suspect) == (False, None)
    assert "v2 was restored by a verified rollback" in found.reason


def test_90_a_restored_version_that_a_responder_flagged_is_suspect_again() -> None:
    found = chosen(CURED, "eu-001", T0, RULES, {"v2": "flagged as bad by ann: leaks"}, restored={"v2@-20"})
    assert found.suspect is not None
    assert found.candidate is not None
    assert (found.suspect.version, found.candidate.version) == ("v2", "v1")


def test_90_what_is_deployed_after_a_verified_rollback_is_suspect() -> None:
    rows = (*CURED, row("v4", -5))
    found = chosen(rows, "eu-001", T0, RULES.replace(bake_time=timedelta(minutes=10)), restored={"v2@-20"})
    assert found.suspect is not None
    assert found.candidate is not None
    assert (found.suspect.version, found.candidate.id) == ("v4", "v2@-20")


def test_90_a_redeployment_of_the_same_version_is_no_suspect() -> None:
    rows = (row("v1", -2 * DAY), row("v2", -DAY), row("v2", -10))
    found = chosen(rows, "eu-001", T0, RULES)
    assert found.suspect is None
    assert found.reason.endswith("(newest: v2, 1d before the alert); v2 was redeployed 10m before the alert")
    recent = chosen((row("v1", -2 * DAY), row("v2", -60), row("v2", -10)), "eu-001", T0, RULES)
    assert recent.suspect is not None
    assert recent.suspect.id == "v2@-60", "the deployment that brought the version is suspect"


def test_90_a_deployment_again_after_a_failed_one_is_suspect() -> None:
    rows = (row("v1", -2 * DAY), row("v2", -15, status="failed"), row("v2", -10))
    found = chosen(rows, "eu-001", T0, RULES)
    assert found.suspect is not None
    assert found.suspect.id == "v2@-10"


def test_90_a_deployment_of_other_services_is_no_suspect() -> None:
    rows = (
        row("v1", -2 * DAY, services=("server", "dashboard")),
        row("d2", -60, services=("dashboard",)),
        row("v3", -10, services=("server",)),
    )
    dashboard = chosen(rows, "eu-001", T0, RULES, deploys=("dashboard",))
    assert dashboard.suspect is not None
    assert dashboard.candidate is not None
    assert (dashboard.suspect.version, dashboard.candidate.version) == ("d2", "v1")
    late = chosen(rows[:1] + rows[2:], "eu-001", T0, RULES, deploys=("dashboard",))
    assert late.suspect is None
    assert late.reason.endswith("; v3, 10m before the alert, deployed only server")
    server = chosen(rows, "eu-001", T0, RULES, deploys=("server",))
    assert server.candidate is not None
    assert (server.candidate.version, server.caution) == ("v1", "")


def test_the_offer_links_what_changed() -> None:
    found = chosen((row("v1", -DAY), row("v2", -10)), "eu-001", T0, RULES)
    assert found.diff_url.endswith("/compare/v1...v2")


def test_90_a_newer_deployment_of_another_service_is_not_the_mark() -> None:
    rows = (
        row("v1", -DAY, services=("server",)),
        row("v2", -10, services=("server",)),
        row("d2", 2, services=("dashboard",)),
    )
    assert chosen(rows, "eu-001", T0, RULES, deploys=("server",)).mark == "v2@-10"


def test_the_offer_names_the_newest_deployments_of_the_service_whether_one_is_suspect_or_not() -> None:
    rows = (
        *(row(f"v{number}", -60 * (9 - number), services=("server",)) for number in range(5)),
        row("d2", -30, services=("dashboard",)),
    )
    found = chosen(rows, "eu-001", T0, RULES, deploys=("server",))
    assert found.suspect is None
    assert [recent.version for recent in found.recent] == ["v4", "v3", "v2"]
