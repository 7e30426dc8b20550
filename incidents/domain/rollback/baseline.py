"""Latency baseline recorder: samples of latency (ms) per region while healthy, to measure "back to normal"."""

from datetime import datetime

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen
from incidents.domain.rollback.config import BaselineRules, RecorderRules
from incidents.domain.rollback.verification import BaselineFinding, baseline_of

SOURCE = "the recorder"


class Sample(Frozen):
    """One round of probes of one region: the latency (ms) of the good answers."""

    at: AwareDatetime
    region: str
    elapsed_ms: tuple[float, ...]


class Recording(Frozen):
    """What the recorder remembers, the oldest first."""

    samples: tuple[Sample, ...] = ()


def recorded(recording: Recording, newer: tuple[Sample, ...], rules: RecorderRules, at: datetime) -> Recording:
    """Return the recording with these samples, without those that are too old."""
    kept = [sample for sample in (*recording.samples, *newer) if at - sample.at <= rules.keep]
    return Recording(samples=tuple(sorted(kept, key=lambda sample: (sample.at, sample.region))))


def finding(recording: Recording, region: str, before: datetime, rules: BaselineRules) -> BaselineFinding:
    """Return the baseline of a region from the window before the suspect deployment, or why there is none."""
    since = before - rules.window
    values = [ms for s in recording.samples if s.region == region and since <= s.at < before for ms in s.elapsed_ms]
    if len(values) < rules.min_samples:
        few = f"only {len(values)}" if values else "none"
        why = f"{few} of the {rules.min_samples} samples needed were recorded before the deployment"
        return BaselineFinding(region=region, why=why)
    return BaselineFinding(region=region, baseline=baseline_of(values, SOURCE, since, before))


def credentials_worked(found: BaselineFinding | None) -> bool:
    """Tell whether a baseline proves the probes' credentials: our recorder measured it with them."""
    return found is not None and found.baseline is not None and found.baseline.source == SOURCE
