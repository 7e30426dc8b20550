"""The state and history of components, derived from published updates and maintenance windows."""

from datetime import UTC, datetime, timedelta

from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.status_site.components import HISTORY_DAYS, components_of, history_of, spans_of, state_at
from incidents.domain.status_site.published import PublicWindow, PublishedUpdate, incidents_of, public_windows
from incidents.domain.status_site.windows import keep_windows
from tests.support.incidents import RUNBOOK

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVALUATION, DASHBOARD = "Flag evaluation", "Dashboard"


def an_update(at: datetime, state: str, incident: str = "a", sequence: int = 1, **fields: object) -> PublishedUpdate:
    status = "resolved" if state == "operational" else "investigating"
    found = PublishedUpdate(
        incident=incident,
        sequence=sequence,
        at=at,
        title="T",
        status=status,
        impact="major",
        words="W",
        affected={EVALUATION: state},
    )
    return found.replace(**fields)


def state(*updates: PublishedUpdate, component: str = EVALUATION, region: str = "", at: datetime = NOW) -> str:
    return state_at(component, region, spans_of(incidents_of(updates), ()), at)


def test_the_components_are_the_runbooks_services_by_their_public_names() -> None:
    assert [(each.name, each.regions) for each in components_of(RUNBOOK)] == [
        (name, ("Europe", "United States")) for name in (EVALUATION, DASHBOARD, "Webhooks")
    ]


def test_each_update_counts_until_the_next_one() -> None:
    first = an_update(NOW - 3 * HOUR, "major_outage")
    second = an_update(NOW - 2 * HOUR, "degraded_performance", sequence=2)
    third = an_update(NOW - HOUR, "operational", sequence=3)
    shown = [state(first, third, second, at=NOW - n * HOUR) for n in (4, 3, 2, 1)]
    assert shown == ["operational", "major_outage", "degraded_performance", "operational"]


def test_the_worst_of_two_incidents_counts_and_one_does_not_end_the_other() -> None:
    bad, worse = an_update(NOW, "degraded_performance"), an_update(NOW, "major_outage", incident="b")
    assert state(bad, worse) == "major_outage"
    assert state(bad, worse, an_update(NOW, "operational", incident="b", sequence=2)) == "degraded_performance"


def test_a_component_that_a_later_update_does_not_name_has_recovered() -> None:
    assert state(an_update(NOW - HOUR, "major_outage"), an_update(NOW, "x", sequence=2, affected={})) == "operational"


def test_only_the_named_regions_are_affected() -> None:
    europe = an_update(NOW, "partial_outage", regions=("Europe",))
    assert state(europe, region="Europe") == state(europe) == "partial_outage"
    assert state(europe, region="United States") == state(europe, component=DASHBOARD) == "operational"


def test_a_day_has_its_worst_state_and_days_before_the_site_have_none() -> None:
    updates = [an_update(NOW - 3 * DAY, "partial_outage"), an_update(NOW - 2 * DAY, "operational", sequence=2)]
    window = PublicWindow(since=NOW - DAY, until=NOW - DAY + HOUR)
    days = history_of(EVALUATION, spans_of(incidents_of(updates), [window]), NOW - 4 * DAY, NOW)
    assert [day.state for day in days[-6:]] == [
        "no_data",
        "operational",
        "partial_outage",
        "partial_outage",
        "under_maintenance",
        "operational",
    ]
    assert (len(days), days[-1].day) == (HISTORY_DAYS, NOW.date())
    planned = PublicWindow(since=NOW + HOUR, until=NOW + 2 * HOUR)
    assert history_of(EVALUATION, spans_of((), [planned]), NOW, NOW)[-1].state == "operational", "not begun"


def test_incidents_are_listed_by_their_newest_update() -> None:
    found = incidents_of([an_update(NOW - HOUR, "x", "old"), an_update(NOW, "x", "new"), an_update(NOW, "x", "old", 2)])
    assert [(each.id, len(each.updates), each.newest.sequence) for each in found] == [("old", 2, 2), ("new", 1, 1)]


def test_24_an_incident_that_has_become_private_consists_of_its_end() -> None:
    end = an_update(NOW, "operational", sequence=2, withdrawn=True, words="INC-7 is closed.")
    [incident] = incidents_of([an_update(NOW - HOUR, "major_outage"), end])
    assert incident.updates == (end,)


def a_window(since: datetime, **fields: object) -> MaintenanceWindow:
    window = MaintenanceWindow(since=since, until=since + 2 * HOUR, reason="replace db-eu-7")
    return window.replace(**fields)


def test_windows_of_customers_are_shown_and_no_others() -> None:
    windows = (
        a_window(NOW, service="dashboard", region="eu", environment="production"),
        a_window(NOW, environment="staging"),
        a_window(NOW, service="someone-elses"),
        a_window(NOW - HOUR),
    )
    assert public_windows(windows, RUNBOOK) == (
        PublicWindow(since=NOW - HOUR, until=NOW + HOUR),
        PublicWindow(since=NOW, until=NOW + 2 * HOUR, components=(DASHBOARD,), regions=("Europe",)),
    )


def test_a_window_that_was_ended_early_is_over_and_one_that_had_not_begun_is_forgotten() -> None:
    begun, coming = (PublicWindow(since=at, until=at + 2 * HOUR) for at in (NOW - HOUR, NOW + HOUR))
    assert keep_windows((begun, coming), (begun, coming), NOW) == (begun, coming)
    ended = keep_windows((begun, coming), (), NOW)
    assert ended == (begun.replace(until=NOW),)
    assert keep_windows(ended, (), NOW + DAY) == ended, "its end does not move"
    assert keep_windows(ended, (), NOW + 100 * DAY) == ()
