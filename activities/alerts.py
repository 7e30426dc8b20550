"""The alerts' own house: Alertmanager keeps an alert to itself while somebody works on it."""

from temporalio import activity

from activities.errors import repeated, translated
from incidents.domain.activity_requests import (
    ActivityResult,
    CheckAlerts,
    LiftSilences,
    SilenceAlerts,
)
from incidents.domain.incident.parts import Silence
from incidents.vendors.alertmanager import AlertmanagerClient, Matcher


class Alerts:
    """Silences alerts and asks for them. Without a client it is off, and says why."""

    def __init__(self, client: AlertmanagerClient | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def silence_alerts(self, wanted: SilenceAlerts) -> ActivityResult:
        """Silence each alert by all its labels, once: a repetition finds the silence by the mark in its comment."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translated():
            made = tuple(self._silence(self._client, wanted, fingerprint) for fingerprint in wanted.alerts)
        return ActivityResult(detail=f"{len(made)}, until {wanted.until:%H:%M} UTC at the latest", silences=made)

    @staticmethod
    def _silence(client: AlertmanagerClient, wanted: SilenceAlerts, fingerprint: str) -> Silence:
        mark = f"[{wanted.key}/{fingerprint}]"
        found = client.find_silence(mark) if repeated(wanted) else None
        if found is not None:
            return Silence(id=found.id, fingerprint=fingerprint, until=found.ends_at)
        matchers = [Matcher(name, value) for name, value in wanted.alerts[fingerprint].items()]
        comment = f"{wanted.comment} {mark}"
        made = client.create_silence(matchers, wanted.since, wanted.until, wanted.by, comment)
        return Silence(id=made, fingerprint=fingerprint, until=wanted.until)

    @activity.defn
    def lift_silences(self, wanted: LiftSilences) -> ActivityResult:
        """End each silence; one that has ended is as good."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translated():
            for silence_id in wanted.silences:
                self._client.expire_silence(silence_id)
        return ActivityResult()

    @activity.defn
    def check_alerts(self, wanted: CheckAlerts) -> ActivityResult:
        """Return which of the alerts fire no more. Alertmanager tells nobody the end of an alert that it silences."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        names = {labels.get("alertname", "") for labels in wanted.alerts.values()}
        with translated():
            firing = {name: self._client.firing(name) for name in names}
        ended = [f for f, labels in wanted.alerts.items() if labels not in firing[labels.get("alertname", "")]]
        return ActivityResult(ended=tuple(ended))
