"""Grafana: silences of Grafana-managed alerts, by the Alertmanager that it has built in.

Rules of the vendor: its API is Alertmanager's, below `/api/alertmanager/grafana`. It adds labels between double
underscores, such as `__alert_rule_uid__`, to the alerts that it lists, and leaves them out of its webhooks.
"""

from __future__ import annotations

import httpx

from incidents.vendors.monitoring.alertmanager import AlertmanagerClient


class GrafanaClient(AlertmanagerClient):
    """Silences of one Grafana. `token`: of a service account that may read and write alert silences."""

    def __init__(
        self, base_url: str, token: str, timeout: float = 10, transport: httpx.BaseTransport | None = None
    ) -> None:
        url = f"{base_url.rstrip('/')}/api/alertmanager/grafana"
        super().__init__(url, timeout, transport, vendor="grafana", token=token)

    def firing(self, name: str) -> list[dict[str, str]]:
        """The label sets of the alerts of that name that fire, as the webhook has them: without Grafana's own."""
        return [
            {label: value for label, value in labels.items() if not (label.startswith("__") and label.endswith("__"))}
            for labels in super().firing(name)
        ]
