"""Alertmanager silences: no repeat notifications while a responder works on the alert."""

from temporalio import activity

from activities.errors import may_be_repeat, translate_vendor_errors
from incidents.domain.activity_requests import (
    ActivityResult,
    CheckAlerts,
    LiftSilences,
    SilenceAlerts,
)
from incidents.domain.incident.parts import Silence
from incidents.vendors.monitoring.alertmanager import AlertmanagerClient, Matcher


class Alerts:
    """Creates and expires silences, and polls alerts. Without a client, requests are skipped with the reason."""

    def __init__(self, client: AlertmanagerClient | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def silence_alerts(self, request: SilenceAlerts) -> ActivityResult:
        """Silence each alert by all its labels, once: a retry finds the silence by the marker in its comment."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            made = tuple(self._silence(self._client, request, fingerprint) for fingerprint in request.alerts)
        return ActivityResult(detail=f"{len(made)} until {request.until:%H:%M} UTC at the latest", silences=made)

    @staticmethod
    def _silence(client: AlertmanagerClient, request: SilenceAlerts, fingerprint: str) -> Silence:
        mark = f"[{request.key}/{fingerprint}]"
        found = client.find_silence(mark) if may_be_repeat(request) else None
        if found is not None:
            return Silence(id=found.id, fingerprint=fingerprint, until=found.ends_at)
        matchers = [Matcher(name, value) for name, value in request.alerts[fingerprint].items()]
        comment = f"{request.comment} {mark}"
        made = client.create_silence(matchers, request.since, request.until, request.by, comment)
        return Silence(id=made, fingerprint=fingerprint, until=request.until)

    @activity.defn
    def lift_silences(self, request: LiftSilences) -> ActivityResult:
        """Expire each silence. Idempotent."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            for silence_id in request.silences:
                self._client.expire_silence(silence_id)
        return ActivityResult()

    @activity.defn
    def check_alerts(self, request: CheckAlerts) -> ActivityResult:
        """Return which of the alerts are no longer firing. Alertmanager sends no "resolved" while silenced."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        names = {labels.get("alertname", "") for labels in request.alerts.values()}
        with translate_vendor_errors():
            firing = {name: self._client.firing(name) for name in names}
        ended = [f for f, labels in request.alerts.items() if labels not in firing[labels.get("alertname", "")]]
        return ActivityResult(ended=tuple(ended))
