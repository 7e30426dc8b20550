"""The scorecard of a drill: how fast people were, which targets were missed, which commands were refused."""

from collections.abc import Sequence
from datetime import timedelta

from incidents.domain.core.base import CommandRejected, Frozen
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import TARGET_MISSED, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.measures import time_to_acknowledge

_UNKNOWN = "not yet"


class Scorecard(Frozen):
    """How a drill went. Times are since it was opened; None: it has not happened.

    `refused`: those in the timeline; an update that its validator refuses is not recorded there.
    """

    name: str
    acknowledge: timedelta | None
    mitigate: timedelta | None
    resolve: timedelta | None
    missed: tuple[str, ...]
    refused: tuple[str, ...]
    reviewed: bool


def scorecard(drill: Incident) -> Scorecard:
    """Return the scorecard of a drill, from its whole timeline.

    Raises:
        CommandRejected: it is a real incident.
    """
    if not drill.drill:
        raise CommandRejected(f"{drill.name} is not a drill. Only drills have a scorecard.")
    opened, mitigated, resolved = drill.opened_at, drill.mitigated_at, drill.resolved_at
    return Scorecard(
        name=drill.name,
        acknowledge=time_to_acknowledge(drill),
        mitigate=mitigated - opened if mitigated else None,
        resolve=resolved - opened if resolved else None,
        missed=tuple(e.text.removeprefix(TARGET_MISSED) for e in drill.timeline if e.text.startswith(TARGET_MISSED)),
        refused=tuple(e.text for e in drill.timeline if e.kind is Kind.REFUSED),
        reviewed=drill.exercise.review is not None,
    )


def scorecard_lines(card: Scorecard, earlier: Sequence[Scorecard]) -> list[str]:
    """Return the scorecard in lines, each measure beside that of the earlier drills, the newest first."""
    lines = [card.name if not earlier else f"{card.name}, and before: {', '.join(each.name for each in earlier)}"]
    lines += [_row(name, values) for name, values in _measures((card, *earlier))]
    lines.append(_row("Reviewed", ["yes" if each.reviewed else "no" for each in (card, *earlier)]))
    return [*lines, *_details(card)]


def scorecard_text(card: Scorecard) -> str:
    """Return the scorecard as a message: a line for each measure, and what was missed and refused."""
    measures = [f"{name}: {value}" for name, [value] in _measures((card,))]
    return "\n".join([f"How {card.name} went", *measures, *_details(card)])


def _measures(cards: Sequence[Scorecard]) -> list[tuple[str, list[str]]]:
    """Return each measure with its value in each drill."""
    return [
        ("Acknowledged after", [_time(each.acknowledge) for each in cards]),
        ("Mitigated after", [_time(each.mitigate) for each in cards]),
        ("Resolved after", [_time(each.resolve) for each in cards]),
        ("Missed targets", [str(len(each.missed)) for each in cards]),
        ("Refused commands", [str(len(each.refused)) for each in cards]),
    ]


def _details(card: Scorecard) -> list[str]:
    return [*(f"Missed: {text}" for text in card.missed), *(f"Refused: {text}" for text in card.refused)]


def _row(name: str, values: list[str]) -> str:
    before = f"  (before: {', '.join(values[1:])})" if values[1:] else ""
    return f"{name:<20}{values[0]}{before}"


def _time(elapsed: timedelta | None) -> str:
    return _UNKNOWN if elapsed is None else in_words(elapsed)
