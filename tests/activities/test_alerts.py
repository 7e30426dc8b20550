"""Alertmanager: exactly the acknowledged alerts are silenced, once, and asked for while they are."""

from datetime import UTC, datetime, timedelta

import httpx

from activities.registry import ActivitySet
from incidents.domain.activity_requests import CheckAlerts, LiftSilences, SilenceAlerts
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


def test_exactly_the_alert_is_silenced_and_heard_again_afterwards(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    fire(sandbox, LABELS, OTHER)
    outcome = perform(hands.alerts.silence_alerts, WANTED)
    assert states(sandbox) == {"eu": "suppressed", "us": "active"}
    [silence] = outcome.silences
    assert (silence.fingerprint, silence.until) == ("f1", WANTED.until)
    assert "INC-7, acknowledged by ann" in sandbox.state()["alertmanager"]["silences"][0]["comment"]
    lift = LiftSilences(key="run-7/unsilence/0", silences=(silence.id,))
    perform(hands.alerts.lift_silences, lift)
    assert states(sandbox) == {"eu": "active", "us": "active"}
    perform(hands.alerts.lift_silences, lift, attempt=2)  # ended already is as good


def test_a_lost_reply_makes_no_second_silence(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("alertmanager", "lost_reply", "POST", status=502)
    failed(hands.alerts.silence_alerts, WANTED)
    again = perform(hands.alerts.silence_alerts, WANTED, attempt=2)
    assert operations(sandbox, "alertmanager") == ["silence.create"]
    assert again.silences[0].id == sandbox.state()["alertmanager"]["silences"][0]["id"]


def test_a_silenced_alert_is_asked_for_by_all_its_labels(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    fire(sandbox, LABELS)
    perform(hands.alerts.silence_alerts, WANTED)
    asked = CheckAlerts(key="run-7/alerts-check/0", alerts={"f1": LABELS, "f2": OTHER})
    assert perform(hands.alerts.check_alerts, asked).ended == ("f2",), "silenced, and still firing, is not ended"


def test_without_an_address_it_is_off_and_says_what_is_missing(idle: ActivitySet) -> None:
    for method, effect in (
        (idle.alerts.silence_alerts, WANTED),
        (idle.alerts.lift_silences, LiftSilences(key="k", silences=("s",))),
        (idle.alerts.check_alerts, CheckAlerts(key="k", alerts={"f": LABELS})),
    ):
        assert "ALERTMANAGER_URL is not set" in perform(method, effect).skipped
