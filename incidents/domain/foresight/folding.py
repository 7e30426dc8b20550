"""Repeats in one line: what recurs at a constant interval becomes a series."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.foresight.plan import PlannedStep

_FEWEST = 3
"""Steps that make a series. Two at any distance are just two."""
_NUMBER = re.compile(r"\d+")


class Series(Frozen):
    """A step, or several alike at a constant interval. `step`: the first of them. `every`: None for one alone."""

    step: PlannedStep
    every: timedelta | None = None
    last: timedelta
    count: int = 1

    @property
    def when(self) -> str:
        """The times, such as `T+0:30 every 30m until T+72:00`."""
        first = offset(self.step.after)
        return first if self.every is None else f"{first} every {in_words(self.every)} until {offset(self.last)}"


def offset(after: timedelta) -> str:
    """Return a time since the alert, such as `T+0:30`; seconds only where there are some."""
    minutes, seconds = divmod(round(after.total_seconds()), 60)
    text = f"T+{minutes // 60}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if seconds else text


Lane = tuple[str, str, str, str]
"""What tells steps of the same sort from others: kind, channel, recipient, and the obligation without its numbers."""


def lane_of(step: PlannedStep) -> Lane:
    """Return the lane of a step. The incident's channel is one recipient, whatever it is called.

    Each fact has one of its own: of two that are alike, the runbook may reject one.
    """
    if step.is_fact:
        return step.kind, step.channel, step.recipient, step.key
    recipient = "#" if step.recipient.startswith("#") else step.recipient
    return step.kind, step.channel, recipient, _NUMBER.sub("#", step.obligation)


def lanes(steps: Iterable[PlannedStep]) -> dict[Lane, list[PlannedStep]]:
    """Return the steps by lane, each in the order in which they happen."""
    found: dict[Lane, list[PlannedStep]] = {}
    for step in steps:
        found.setdefault(lane_of(step), []).append(step)
    return found


def fold(steps: Iterable[PlannedStep]) -> list[Series]:
    """Return the steps with repeats folded, by the time of the first of each."""
    listed = list(steps)
    order = {id(step): place for place, step in enumerate(listed)}
    found = [series for lane in lanes(listed).values() for series in _folded(lane)]
    return sorted(found, key=lambda series: (series.step.after, order[id(series.step)]))


def unfolded(steps: Iterable[PlannedStep]) -> list[Series]:
    """Return each step by itself."""
    return [Series(step=step, last=step.after) for step in steps]


def _folded(lane: Sequence[PlannedStep]) -> Iterator[Series]:
    start = 0
    while start < len(lane):
        end = _run_end(lane, start)
        if end - start >= _FEWEST:
            every = lane[start + 1].after - lane[start].after
            yield Series(step=lane[start], every=every, last=lane[end - 1].after, count=end - start)
        else:
            yield Series(step=lane[start], last=lane[start].after)
            end = start + 1
        start = end


def _run_end(lane: Sequence[PlannedStep], start: int) -> int:
    """Return the end of the longest run of one interval that begins there; steps of one instant make none."""
    end = start + 1
    while end < len(lane):
        every = lane[end].after - lane[end - 1].after
        if not every or every != lane[start + 1].after - lane[start].after:
            break
        end += 1
    return end
