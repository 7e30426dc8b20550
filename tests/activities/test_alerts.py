"""Alertmanager and Grafana: exactly the acknowledged alerts are silenced, once, and asked for while they are."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx

from activities.registry import ActivitySet
from incidents.domain.activity_requests import CheckAlerts, LiftSilences, SilenceAlerts
from incidents.domain.alerting.config import AlertApi
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform

NOW = datetime.now(UTC)
LABELS = {"alertname": "EvaluationErrors", "service": "flag-evaluation", "region": "eu"}
OTHER = LABELS | {"region": "us"}
WANTED = SilenceAlerts(
    key="run-7/silence/0",
    alerts={"f1": LABELS},
    since=NOW,
    until=NOW + timedelta(hours=2),
    by="ann",
    comment="INC-7, acknowledged by ann",
)


def fire(sandbox: RunningSandbox, *alerts: dict[str, str]) -> None:
    url = sandbox.environment()["ALERTMANAGER_URL"]
    httpx.post(f"{url}/api/v2/alerts", json=[{"labels": labels} for labels in alerts], trust_env=False)


def states(sandbox: RunningSandbox) -> dict[str, str]:
    return {row["labels"]["region"]: row["status"]["state"] for row in sandbox.state()["alertmanager"]["alerts"]}


def test_exactly_the_alert_is_silenced_and_heard_again_afterwards(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    fire(sandbox, LABELS, OTHER)
    outcome = perform(activities.alerts.silence_alerts, WANTED)
    assert states(sandbox) == {"eu": "suppressed", "us": "active"}
    [silence] = outcome.silences
    assert (silence.fingerprint, silence.until) == ("f1", WANTED.until)
    assert "INC-7, acknowledged by ann" in sandbox.state()["alertmanager"]["silences"][0]["comment"]
    lift = LiftSilences(key="run-7/unsilence/0", silences=(silence.id,))
    perform(activities.alerts.lift_silences, lift)
    assert states(sandbox) == {"eu": "active", "us": "active"}
    perform(activities.alerts.lift_silences, lift, attempt=2)  # ended already is as good


def test_a_lost_reply_makes_no_second_silence(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("alertmanager", "lost_reply", "POST", status=502)
    failed(activities.alerts.silence_alerts, WANTED)
    again = perform(activities.alerts.silence_alerts, WANTED, attempt=2)
    assert operations(sandbox, "alertmanager") == ["silence.create"]
    assert again.silences[0].id == sandbox.state()["alertmanager"]["silences"][0]["id"]


def test_a_silenced_alert_is_asked_for_by_all_its_labels(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    fire(sandbox, LABELS)
    perform(activities.alerts.silence_alerts, WANTED)
    asked = CheckAlerts(key="run-7/alerts-check/0", alerts={"f1": LABELS, "f2": OTHER})
    assert perform(activities.alerts.check_alerts, asked).ended == ("f2",), "silenced, and still firing, is not ended"


def test_without_an_address_it_is_off_and_says_what_is_missing(idle: ActivitySet) -> None:
    for method, effect in (
        (idle.alerts.silence_alerts, WANTED),
        (idle.alerts.lift_silences, LiftSilences(key="k", silences=("s",))),
        (idle.alerts.check_alerts, CheckAlerts(key="k", alerts={"f": LABELS})),
    ):
        assert "ALERTMANAGER_URL is not set" in perform(method, effect).skipped


def test_87_each_alert_is_silenced_and_asked_for_at_its_own_source(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    fire(sandbox, LABELS)
    environment = sandbox.environment()
    httpx.post(
        f"{environment['GRAFANA_URL']}/api/alertmanager/grafana/api/v2/alerts",
        json=[{"labels": OTHER}],
        headers={"authorization": f"Bearer {environment['GRAFANA_TOKEN']}"},
        trust_env=False,
    )
    apis = {"f1": AlertApi.ALERTMANAGER, "f2": AlertApi.GRAFANA}
    both = WANTED.replace(alerts={"f1": LABELS, "f2": OTHER}, apis=apis)
    made = perform(activities.alerts.silence_alerts, both).silences
    assert [(silence.fingerprint, silence.api) for silence in made] == list(apis.items())
    assert operations(sandbox, "alertmanager") == operations(sandbox, "grafana") == ["silence.create"]
    asked = CheckAlerts(key="run-7/alerts-check/0", alerts=both.alerts, apis=apis)
    assert perform(activities.alerts.check_alerts, asked).ended == (), "both still fire"
    swapped = asked.replace(apis={"f1": AlertApi.GRAFANA, "f2": AlertApi.ALERTMANAGER})
    assert perform(activities.alerts.check_alerts, swapped).ended == ("f1", "f2")
    ids = {silence.id: silence.api for silence in made}
    perform(activities.alerts.lift_silences, LiftSilences(key="run-7/unsilence/0", silences=tuple(ids), apis=ids))
    assert operations(sandbox, "grafana") == ["silence.create", "silence.expire"]


def test_87_of_two_sources_the_one_that_is_on_is_silenced(
    wired: Callable[..., ActivitySet], sandbox: RunningSandbox
) -> None:
    alerts = wired(ALERTMANAGER_URL=sandbox.environment()["ALERTMANAGER_URL"]).alerts
    apis = {"f1": AlertApi.ALERTMANAGER, "f2": AlertApi.GRAFANA}
    both = WANTED.replace(alerts={"f1": LABELS, "f2": OTHER}, apis=apis)
    outcome = perform(alerts.silence_alerts, both)
    assert [silence.fingerprint for silence in outcome.silences] == ["f1"]
    assert "GRAFANA_URL and GRAFANA_TOKEN are not set" in outcome.detail
    asked = CheckAlerts(key="run-7/alerts-check/0", alerts=both.alerts, apis=apis)
    assert perform(alerts.check_alerts, asked).ended == ("f1",), "what cannot be asked is unknown, not ended"
