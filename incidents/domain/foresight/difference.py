"""What a change of the runbook changes: two plans of the same scenario compared."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum

from incidents.domain.core.base import Frozen
from incidents.domain.foresight.folding import fold, lanes
from incidents.domain.foresight.plan import Plan, PlannedStep

_NUMBERS = re.compile(r"(\d{4}-\d\d-\d\d )?\d+")
"""A number, or a time with its date: the date is left out on the day itself."""


class ChangeKind(StrEnum):
    """How something differs."""

    ADDED = "added"
    GONE = "gone"
    MOVED = "moved"
    TEXT = "text"


class Change(Frozen):
    """One difference. `before`, `after`: the times, or for a text the lines that differ; "" where there is nothing.

    `by`: how much later it is, if all of it moved by the same; negative: earlier. `at`: when it first differs.
    """

    kind: ChangeKind
    at: timedelta
    obligation: str
    channel: str
    recipient: str
    before: str = ""
    after: str = ""
    by: timedelta | None = None


def difference(old: Plan, new: Plan, *, housekeeping: bool = False) -> list[Change]:
    """Return what differs, by the time at which it first does. `housekeeping`: also of what keeps records current."""
    before, after = (lanes(step for step in plan.steps if housekeeping or not step.housekeeping) for plan in (old, new))
    found = [
        change
        for lane in dict.fromkeys((*before, *after))
        for change in _changes(before.get(lane, []), after.get(lane, []))
    ]
    return sorted(found, key=lambda change: change.at)


def _changes(old: Sequence[PlannedStep], new: Sequence[PlannedStep]) -> Iterator[Change]:
    if not old or not new:
        kind = ChangeKind.GONE if old else ChangeKind.ADDED
        for series in fold(old or new):
            field = "before" if old else "after"
            yield _change(kind, series.step, series.step.after).replace(**{field: series.when})
        return
    moved = [each.after for each in old] != [each.after for each in new]
    if moved:
        yield _moved(old, new)
    yield from _text_changes(old, new, moved=moved)


def _change(kind: ChangeKind, step: PlannedStep, at: timedelta) -> Change:
    return Change(kind=kind, at=at, obligation=step.obligation, channel=step.channel, recipient=step.recipient)


def _moved(old: Sequence[PlannedStep], new: Sequence[PlannedStep]) -> Change:
    pairs = [(was.after, now.after) for was, now in zip(old, new, strict=False)]
    at = next((min(pair) for pair in pairs if pair[0] != pair[1]), None)
    longer = max(old, new, key=len)
    shifts = {now - was for was, now in pairs}
    return _change(ChangeKind.MOVED, old[0], longer[len(pairs)].after if at is None else at).replace(
        before=_times(old), after=_times(new), by=shifts.pop() if len(shifts) == 1 and len(old) == len(new) else None
    )


def _times(steps: Sequence[PlannedStep]) -> str:
    return ", ".join(series.when for series in fold(steps))


def _text_changes(old: Sequence[PlannedStep], new: Sequence[PlannedStep], *, moved: bool) -> Iterator[Change]:
    """Yield the first text that differs. A text that moved names other times: only its words are compared."""
    for was, now in zip(old, new, strict=False):
        texts = (f"{was.recipient}\n{was.text}", f"{now.recipient}\n{now.text}")
        before, after = _differing(*texts, but_numbers=moved)
        if before or after:
            yield _change(ChangeKind.TEXT, was, min(was.after, now.after)).replace(before=before, after=after)
            return


def _differing(before: str, after: str, *, but_numbers: bool) -> tuple[str, str]:
    """Return the lines of each text that the other lacks; both "" if only their order differs, or nothing."""
    lines, others = before.splitlines(), after.splitlines()
    known, news = ({_compared(line, but_numbers) for line in each} for each in (lines, others))
    gone = [line for line in lines if _compared(line, but_numbers) not in news]
    added = [line for line in others if _compared(line, but_numbers) not in known]
    return "\n".join(gone), "\n".join(added)


def _compared(line: str, but_numbers: bool) -> str:
    return _NUMBERS.sub("#", line) if but_numbers else line
