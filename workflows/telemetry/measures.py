"""Counts what happens to an incident, by the SDK's meter, which is silent during a replay."""

from collections import deque

from temporalio import workflow

from incidents.domain.incident.incident import Incident
from incidents.domain.incident.observations import Observation, observe
from workflows.obligation_loop import raise_if_of_the_sdk

_COUNTED: deque[tuple[str, str]] = deque(maxlen=4096)
"""What this process has counted lately. No state of a workflow: only whether a number is recorded depends on it.

A workflow task whose completion the server did not take, such as after a time-out, is executed again, and that is no
replay. In another process it counts twice.
"""


class Measures:
    """Compares each state of an incident with the one before."""

    def __init__(self, counted: Incident | None) -> None:
        """Begin with the state that the run before has counted; None for a new incident."""
        self._counted = counted

    def record(self, incident: Incident) -> None:
        """Count what is new. An error here costs a number, never the workflow task."""
        before, self._counted = self._counted, incident
        if workflow.unsafe.is_replaying():
            return
        try:
            for observation in observe(before, incident):
                _record_once((incident.first_run_id, observation.key), observation)
        except Exception as error:
            raise_if_of_the_sdk(error)
            workflow.logger.exception("the metrics of an incident were not recorded")


def _record_once(key: tuple[str, str], observation: Observation) -> None:
    if key in _COUNTED:
        return
    _COUNTED.append(key)
    metric, meter = observation.metric, workflow.metric_meter()
    if observation.took is None:
        meter.create_counter(metric.instrument, metric.help).add(1, observation.labels)
    else:
        histogram = meter.create_histogram_timedelta(metric.instrument, metric.help, unit="duration")
        histogram.record(observation.took, observation.labels)
