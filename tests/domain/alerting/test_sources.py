"""A source that cannot be asked or silenced says so, and what it does not tell stays unknown."""

import pytest

from incidents.client.alert_sources.registry import parse_alerts
from incidents.domain import apply_event as events
from incidents.domain.activity_requests import CheckAlerts, LiftSilences, SilenceAlerts
from incidents.domain.activity_results import ActivityResult
from incidents.domain.agenda import agenda
from incidents.domain.alerting.config import AlertApi
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.status import Status
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import repage_after_silence
from incidents.domain.obligation import ObligationKind
from tests.support.incidents import RUNBOOK, T0, at, firing, obligation, opened, settled


def acknowledged(*sources: str) -> Incident:
    alerts = tuple(firing(f"From {source}").replace(source=source) for source in sources)
    incident = settled(events.alert_fired(opened(), alerts, RUNBOOK, T0), T0)
    return apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1))


def announced(incident: Incident) -> list[str]:
    return [entry.text for entry in incident.timeline if entry.announce]


@pytest.mark.parametrize("source", ["json", "signoz", "datadog"])
def test_87_a_source_without_an_api_is_neither_silenced_nor_asked_and_says_so(source: str) -> None:
    incident = acknowledged(source)
    asked = request(obligation(incident, "silence/"), incident, RUNBOOK, at(1))
    assert isinstance(asked, ActivityResult)
    assert "can be silenced" in (asked.skipped or "")
    incident = settled(incident, at(120))
    assert any(f"{source} cannot be silenced or polled" in text for text in announced(incident))
    assert not [o for o in agenda(incident, RUNBOOK) if o.kind is ObligationKind.CHECK_ALERTS]
    assert incident.alerting.firing, "unknown is not ended"


def test_87_of_several_only_what_alertmanager_knows_is_silenced_and_asked() -> None:
    incident = acknowledged("alertmanager", "json")
    silence = request(obligation(incident, "silence/"), incident, RUNBOOK, at(1))
    assert isinstance(silence, SilenceAlerts)
    assert list(silence.alerts) == ["From alertmanager"]
    incident = settled(incident, at(1))
    assert len([text for text in announced(incident) if text.startswith("Not silenced: From json")]) == 1
    check = request(obligation(incident, "alerts-check/"), incident, RUNBOOK, at(6))
    assert isinstance(check, CheckAlerts)
    assert list(check.alerts) == ["From alertmanager"]


def test_87_alerts_of_two_sources_are_silenced_asked_for_and_heard_again_each_at_its_own() -> None:
    apis = {"From alertmanager": AlertApi.ALERTMANAGER, "From grafana": AlertApi.GRAFANA}
    incident = acknowledged("alertmanager", "grafana")
    silence = request(obligation(incident, "silence/"), incident, RUNBOOK, at(1))
    assert isinstance(silence, SilenceAlerts)
    assert silence.apis == apis
    incident = settled(incident, at(1))
    check = request(obligation(incident, "alerts-check/"), incident, RUNBOOK, at(6))
    assert isinstance(check, CheckAlerts)
    assert check.apis == apis
    made = tuple(each.replace(api=apis[each.fingerprint]) for each in incident.alerting.silences)
    incident = incident.replace(alerting=incident.alerting.replace(silences=made))
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="seen"), RUNBOOK, at(7))
    lift = request(obligation(incident, "unsilence/"), incident, RUNBOOK, at(8))
    assert isinstance(lift, LiftSilences)
    assert lift.apis == apis


def test_87_resolve_names_what_is_not_known_to_have_ended() -> None:
    incident = settled(acknowledged("json"), at(1))
    with pytest.raises(CommandRejected, match=r"Not known to have ended: From json is high \(json cannot be polled\)"):
        apply_command(incident, c.Resolve(by="ann"), RUNBOOK, at(2))
    with pytest.raises(CommandRejected, match=r"^Still firing: From alertmanager is high\. To resolve"):
        apply_command(acknowledged("alertmanager"), c.Resolve(by="ann"), RUNBOOK, at(2))
    forced = apply_command(incident, c.Resolve(by="ann", force=True, reason="seen"), RUNBOOK, at(2))
    assert forced.status == Status.RESOLVED


def test_87_neither_is_the_stability_window_the_end_of_it() -> None:
    incident = settled(events.alert_fired(opened("P2"), (firing().replace(source="json"),), RUNBOOK, T0), T0)
    watched = settled(apply_command(incident, c.Monitor(by="ann"), RUNBOOK, at(1)), at(30))
    assert watched.status == Status.MONITORING, "a P2 resolves by itself only if its alerts have ended"
    assert any("Not known to have ended" in text for text in announced(watched))


def test_87_its_own_word_ends_it() -> None:
    incident = settled(acknowledged("json"), at(1))
    ended = firing("From json").replace(source="json", ended_at=at(9))
    incident = events.alert_resolved(incident, (ended,), RUNBOOK, at(9))
    assert not incident.alerting.firing
    assert [entry.actor for entry in incident.timeline if entry.text.startswith("Alert ended")] == ["json"]


def webhook(**labels: str) -> dict[str, object]:
    alert = {"status": "firing", "labels": {"alertname": "Errors", **labels}, "startsAt": T0.isoformat()}
    return {"version": "4", "alerts": [alert]}


def test_87_an_alert_keeps_its_source() -> None:
    simple = {"title": "Errors"}
    assert parse_alerts(webhook(), T0)[0].source == "Alertmanager"
    assert parse_alerts(webhook(ruleId="7", ruleSource="https://signoz.example"), T0)[0].source == "SigNoz"
    assert parse_alerts(webhook(), T0, "signoz")[0].source == "signoz"
    assert parse_alerts(simple, T0)[0].source == "JSON"
    assert parse_alerts(simple, T0, "datadog")[0].source == "datadog"
    incident = events.alert_fired(opened(), parse_alerts(simple, T0, "datadog"), RUNBOOK, T0)
    assert [alert.source for alert in incident.alerting.alerts] == ["datadog"]


def test_87_the_runbook_names_what_has_an_api() -> None:
    assert RUNBOOK.intake.api_of("Alertmanager") == "alertmanager"
    assert RUNBOOK.intake.api_of("json") == "none"
    mixed = RUNBOOK.intake.replace(sources={"Prod-Alertmanager": AlertApi.ALERTMANAGER})
    assert mixed.api_of("prod-alertmanager") == mixed.api_of("Prod-Alertmanager") == "alertmanager"


def test_silences_that_have_expired_are_forgotten() -> None:
    incident, hours = settled(acknowledged("alertmanager"), at(1)), RUNBOOK.paging.silence_for
    for number in range(1, 4):
        later = at(1) + number * hours
        incident = settled(repage_after_silence(incident, later, hours), later)
        incident = settled(apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, later), later)
        assert len(incident.alerting.silences) == 1
    soon = at(2) + 3 * hours
    incident = apply_command(repage_after_silence(incident, soon, hours), c.Acknowledge(by="ann"), RUNBOOK, soon)
    assert len(settled(incident, soon).alerting.silences) == 2, "both are to be expired in the end"
