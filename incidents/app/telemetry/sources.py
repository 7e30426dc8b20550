"""What a scrape of the metrics reads: gauges, as values with their labels."""

from dataclasses import dataclass, field
from typing import Protocol

from incidents.metrics import Metric


@dataclass(frozen=True)
class Sample:
    """The value of a gauge for these labels."""

    metric: Metric
    value: float
    labels: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Something that is read for each scrape. What it cannot tell now it leaves out: an unknown value is not 0."""

    async def read(self) -> list[Sample]:
        """Return what is known now. Must not raise."""
        ...


class FixedSource:
    """What does not change while the process runs."""

    def __init__(self, *samples: Sample) -> None:
        self._samples = list(samples)

    async def read(self) -> list[Sample]:
        """Return it."""
        return self._samples
