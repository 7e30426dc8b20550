"""A plan as rows that people read: repeats folded, and what is done at once for one purpose in one row."""

from collections.abc import Iterable

from incidents.domain.core.base import Frozen
from incidents.domain.foresight.folding import Series, fold, unfolded
from incidents.domain.foresight.plan import Plan


class Row(Frozen):
    """One row. `what`: the obligation. `channels`, `recipients`: each once. `texts`: of each message of it, in full.

    `note`: of a fact, why it changes nothing, such as that the runbook rejects it; "" if it does. `is_fact`: the
    scenario states it.
    """

    when: str
    what: str
    channels: tuple[str, ...]
    recipients: tuple[str, ...]
    texts: tuple[str, ...]
    note: str = ""
    is_fact: bool = False

    @property
    def to(self) -> str:
        """Who gets it, or for a message without a known reader its channel; "" if nothing is sent."""
        return ", ".join(self.recipients)

    @property
    def excerpt(self) -> str:
        """The note, or else the first line of the first text."""
        if self.note:
            return self.note
        return self.texts[0].strip().partition("\n")[0] if self.texts else ""


def plan_rows(plan: Plan, *, everything: bool = False) -> list[Row]:
    """Return the rows of a plan. `everything`: each step by itself, housekeeping included."""
    if everything:
        return [_row([series]) for series in unfolded(plan.steps)]
    shown = fold(step for step in plan.steps if not step.housekeeping)
    return [_row(group) for group in _grouped(shown)]


def _grouped(series: Iterable[Series]) -> list[list[Series]]:
    """Return the series together that have the same times and kind, and differ in the last word only."""
    groups: dict[tuple[object, ...], list[Series]] = {}
    for each in series:
        key = (each.step.after, each.when, each.step.kind, each.step.key if each.step.is_fact else _stem(each))
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _stem(series: Series) -> str:
    return series.step.obligation.rpartition(" ")[0] or series.step.obligation


def _row(group: list[Series]) -> Row:
    steps = [series.step for series in group]
    if steps[0].is_fact:
        return _fact_row(group[0])
    stem = _stem(group[0]).replace("_", " ")
    whats = list(dict.fromkeys(step.obligation.replace("_", " ") for step in steps))
    return Row(
        when=group[0].when,
        what=", ".join((whats[0], *(what.removeprefix(stem).lstrip() for what in whats[1:]))),
        channels=tuple(dict.fromkeys(step.channel for step in steps if step.channel)),
        recipients=tuple(dict.fromkeys(step.recipient for step in steps if step.recipient)),
        texts=tuple(dict.fromkeys(step.text for step in steps if step.text)),
    )


def _fact_row(series: Series) -> Row:
    step = series.step
    return Row(
        when=series.when, what=step.obligation, channels=(), recipients=(), texts=(), note=step.text, is_fact=True
    )
