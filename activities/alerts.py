"""Silences in the alert sources: no repeat notifications while a responder works on the alert."""

from collections.abc import Iterable, Mapping

from temporalio import activity

from activities import ports
from activities.errors import may_be_repeat, translate_vendor_errors
from incidents.domain.activity_requests import CheckAlerts, LiftSilences, SilenceAlerts
from incidents.domain.activity_results import ActivityResult, AlertsChecked, AlertsSilenced
from incidents.domain.alerting.config import AlertApi
from incidents.domain.alerting.state import Silence

_DEFAULT = AlertApi.ALERTMANAGER
"""The API of requests that do not say which: of incidents that were opened when there was one."""


class Alerts:
    """Creates and expires silences, and polls alerts, each at the API of its source.

    `off`: why an API without a client is off. A request of which no API has one is skipped with the reason.
    """

    def __init__(self, clients: Mapping[AlertApi, ports.AlertSource], off: Mapping[AlertApi, str]) -> None:
        self._clients, self._off = clients, off

    @activity.defn
    def silence_alerts(self, request: SilenceAlerts) -> AlertsSilenced:
        """Silence each alert by all its labels, once: a retry finds the silence by the marker in its comment."""
        known = self._with_client(request.alerts, request.apis)
        off = self._why_off(request.alerts, request.apis)
        if not known:
            return AlertsSilenced(skipped=off)
        with translate_vendor_errors():
            made = tuple(self._silence(request, fingerprint, api) for fingerprint, api in known.items())
        detail = f"{len(made)} until {request.until:%H:%M} UTC at the latest"
        return AlertsSilenced(detail=f"{detail}; others: {off}" if off else detail, silences=made)

    def _silence(self, request: SilenceAlerts, fingerprint: str, api: AlertApi) -> Silence:
        client, mark = self._clients[api], f"[{request.key}/{fingerprint}]"
        found = client.find_silence(mark) if may_be_repeat(request) else None
        if found is not None:
            return Silence(id=found.id, fingerprint=fingerprint, until=found.ends_at, api=api)
        labels, comment = request.alerts[fingerprint], f"{request.comment} {mark}"
        made = client.create_silence(labels, request.since, request.until, request.by, comment)
        return Silence(id=made, fingerprint=fingerprint, until=request.until, api=api)

    @activity.defn
    def lift_silences(self, request: LiftSilences) -> ActivityResult:
        """Expire each silence. Idempotent."""
        known = self._with_client(request.silences, request.apis)
        if not known:
            return ActivityResult(skipped=self._why_off(request.silences, request.apis))
        with translate_vendor_errors():
            for silence_id, api in known.items():
                self._clients[api].expire_silence(silence_id)
        return ActivityResult()

    @activity.defn
    def check_alerts(self, request: CheckAlerts) -> AlertsChecked:
        """Return which of the alerts are no longer firing. A source may send no "resolved" while silenced."""
        known = self._with_client(request.alerts, request.apis)
        if not known:
            return AlertsChecked(skipped=self._why_off(request.alerts, request.apis))
        asked = {
            fingerprint: (api, request.alerts[fingerprint].get("alertname", "")) for fingerprint, api in known.items()
        }
        with translate_vendor_errors():
            firing = {(api, name): self._clients[api].firing(name) for api, name in set(asked.values())}
        return AlertsChecked(ended=tuple(f for f, place in asked.items() if request.alerts[f] not in firing[place]))

    def _with_client(self, names: Iterable[str], apis: Mapping[str, AlertApi]) -> dict[str, AlertApi]:
        """Return the API of each that has a client."""
        found = {name: apis.get(name, _DEFAULT) for name in names}
        return {name: api for name, api in found.items() if api in self._clients}

    def _why_off(self, names: Iterable[str], apis: Mapping[str, AlertApi]) -> str:
        off = (api for api in (apis.get(name, _DEFAULT) for name in names) if api not in self._clients)
        return "; ".join(dict.fromkeys(self._off.get(api, "") for api in off))
