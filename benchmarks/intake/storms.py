"""Storms of alerts: their webhooks, and what the histories of the incidents say became of them."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.client import Client

from incidents.contracts import ALERT_FIRED, AlertBatch

_AT_ONCE = 32
"""Histories that are read side by side."""


@dataclass(frozen=True)
class Storm:
    """So many alerts, each in a webhook of its own, for so many outages. `name`: begins their services' names."""

    name: str
    alerts: int
    outages: int

    def webhook(self, number: int) -> bytes:
        """Return one alert as Alertmanager sends it; the outages take turns."""
        instance = f"10.0.{number // 250}.{number % 250}:9100"
        labels = {"alertname": "HighErrorRate", "instance": instance, "job": "node", "team": "payments"}
        labels |= {"service": f"{self.name}-{number % self.outages}", "severity": "critical"}
        texts = {"summary": f"Error ratio on {instance} is 0.31", "description": "error_ratio above 5% for 2m"}
        alert = {
            "status": "firing",
            "labels": labels,
            "annotations": texts,
            "startsAt": datetime.now(UTC).isoformat(),
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph?g0.expr=error_ratio+%3E+0.05&g0.tab=1",
            "fingerprint": self._fingerprint(number),
        }
        group = {"groupLabels": {"service": labels["service"]}, "commonLabels": labels, "commonAnnotations": texts}
        sent = {"receiver": "incidents", "status": "firing", "version": "4", "truncatedAlerts": 0, "alerts": [alert]}
        return json.dumps(sent | group | {"externalURL": "http://alertmanager:9093", "groupKey": "{}"}).encode()

    @property
    def webhooks(self) -> list[bytes]:
        """All of them."""
        return [self.webhook(number) for number in range(self.alerts)]

    def _fingerprint(self, number: int) -> str:
        return f"{self.name}-{number}"

    async def arrived(self, client: Client, workflow_ids: Iterable[str]) -> "Arrived":
        """Read from the histories of these incidents what has arrived."""
        gate, signals, times = asyncio.Semaphore(_AT_ONCE), 0, Counter[str]()
        ids = set(workflow_ids)

        async def read(workflow_id: str) -> None:
            nonlocal signals
            async with gate:
                history = await client.get_workflow_handle(workflow_id).fetch_history()
            told = [event.workflow_execution_signaled_event_attributes for event in history.events]
            batches = [signal.input.payloads[0].data for signal in told if signal.signal_name == ALERT_FIRED]
            signals += len(batches)
            for batch in batches:
                times.update(alert.fingerprint for alert in AlertBatch.model_validate_json(batch).alerts)

        await asyncio.gather(*(read(each) for each in ids))
        lost = sum(not times[self._fingerprint(number)] for number in range(self.alerts))
        return Arrived(incidents=len(ids), signals=signals, lost=lost, doubled=times.total() - (self.alerts - lost))


@dataclass(frozen=True)
class Arrived:
    """What became of a storm. `doubled`: alerts more than were sent, such as one that two signals have."""

    incidents: int
    signals: int
    lost: int
    doubled: int
