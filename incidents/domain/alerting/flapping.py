"""Flapping (behaviour 8): an end counts after a quiet period, which doubles with each firing; one flag, one message."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from incidents.cutting import cut
from incidents.domain.alerting.config import Flapping
from incidents.domain.alerting.state import AlertingState, AlertState
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident

_MOST_REMEMBERED = 16
"""Firings that are remembered of one alert. The quiet period reaches its cap long before."""


def with_refiring(alert: AlertState, at: datetime, rules: Flapping) -> AlertState:
    """Return an alert that fires again after its end, with the firings within `rules.within` counted."""
    recent = (*(then for then in alert.refired if at - then <= rules.within), at)
    return alert.replace(refired=recent[-_MOST_REMEMBERED:])


def refirings(alerts: Iterable[AlertState], at: datetime, rules: Flapping) -> int:
    """Return how often the worst of these alerts fired again within `rules.within` before `at`."""
    return max((sum(at - then <= rules.within for then in alert.refired) for alert in alerts), default=0)


def quiet_for(alerting: AlertingState, at: datetime, rules: Flapping) -> timedelta:
    """Return how long nothing must fire before the end of the alerts at `at` counts."""
    longest = max(rules.quiet_at_most, rules.quiet_for)
    doublings: int = refirings(alerting.alerts, at, rules)
    return min(rules.quiet_for * (1 << doublings), longest)


def flag(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Flag the incident as flapping, and announce it once, if one of its alerts has fired often enough."""
    rules = runbook.intake.flapping
    flapping = [a for a in incident.alerting.alerts if refirings((a,), at, rules) + 1 >= rules.cycles]
    if not flapping or incident.alerting.flapping:
        return incident
    incident = incident.replace(alerting=incident.alerting.replace(flapping=True))
    names = ", ".join(cut(alert.title, 200) for alert in flapping[:3])
    quiet = quiet_for(incident.alerting, at, rules)
    text = (
        f"Flapping: {names} fired {rules.cycles} times within {in_words(rules.within)}. Its firings and ends are"
        f" recorded without further messages until nothing has fired for {in_words(quiet)} or longer."
    )
    return incident.logged(at, SYSTEM, Kind.ALERT, text, announce=True)


def start_quiet_period(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Return the incident whose alerts have all ended: from now on nothing may fire for the quiet period."""
    until = at + quiet_for(incident.alerting, at, runbook.intake.flapping)
    return incident.replace(alerting=incident.alerting.replace(all_ended_at=at, quiet_until=until))


def end_quiet_period(incident: Incident) -> Incident:
    """Return the incident without a quiet period, because an alert fires."""
    return incident.replace(alerting=incident.alerting.replace(all_ended_at=None, quiet_until=None))
