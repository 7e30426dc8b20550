"""A rehearsal as one self-contained page: a lane for each person and channel, and what was owed and read by then."""

from collections.abc import Iterator, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from incidents.domain.core.text.escaping import html_value
from incidents.domain.core.text.untrusted import all_printable
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.foresight.rehearsal.effects import AgendaThen, Effect, EffectKind, Rehearsed, ToldFact
from incidents.domain.foresight.rehearsal.expectations import Verdict, clock

_PAGES = Environment(
    loader=PackageLoader("incidents.domain.foresight.rehearsal"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=html_value,
)
OUTSIDE = "Outside"
"""The lane of what nobody of ours did."""
_AGENDA = 12
"""Obligations that are shown of one agenda."""


def rehearsal_page(rehearsed: Rehearsed, verdicts: Sequence[Verdict]) -> str:
    """Return the page as HTML. It loads nothing, and every text in it is escaped."""
    return _PAGES.get_template("rehearsal.html.j2").render(
        rehearsed=rehearsed,
        length=in_words(rehearsed.until),
        verdicts=verdicts,
        met=sum(verdict.met for verdict in verdicts),
        data=all_printable(_data(rehearsed)),
        rows=[(clock(at), *rest) for at, *rest in _rows(rehearsed)],
    )


def _data(rehearsed: Rehearsed) -> dict[str, Any]:
    """Return what the page's script draws."""
    people, places = _lanes(rehearsed)
    return {
        "until": rehearsed.until.total_seconds(),
        "start": rehearsed.start.timestamp(),
        "events": sorted([*map(_fact, rehearsed.facts), *map(_effect, rehearsed.effects)], key=lambda each: each["at"]),
        "people": people,
        "places": places,
        "readers": list(dict.fromkeys(name for effect in rehearsed.effects for name in effect.to)),
        "joined": _joined(rehearsed),
        "agendas": [_agenda(each) for each in rehearsed.agendas],
    }


def _agenda(then: AgendaThen) -> dict[str, Any]:
    return {
        "at": then.at.total_seconds(),
        "owed": [{"due": o.due.total_seconds(), "what": o.summary} for o in then.owed[:_AGENDA]],
        "more": max(len(then.owed) - _AGENDA, 0),
    }


def _fact(fact: ToldFact) -> dict[str, Any]:
    return {
        "at": fact.at.total_seconds(),
        "clock": clock(fact.at),
        "kind": "fact",
        "lanes": [fact.by or OUTSIDE],
        "to": [],
        "where": "",
        "text": fact.summary + (f"\nRejected: {fact.rejected}" if fact.rejected else ""),
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "at": effect.at.total_seconds(),
        "clock": clock(effect.at),
        "kind": effect.kind.value.replace("_", " "),
        "lanes": _lanes_of(effect),
        "text": effect.text,
        "to": list(effect.to),
        "where": effect.where,
    }


def _lanes_of(effect: Effect) -> list[str]:
    return [*effect.to, *([effect.where] if effect.where else [])]


def _lanes(rehearsed: Rehearsed) -> tuple[list[str], list[str]]:
    """Return the lanes of people and those of places, each in the order of what comes first."""
    actors = [fact.by or OUTSIDE for fact in rehearsed.facts]
    people = dict.fromkeys([*actors, *(name for effect in rehearsed.effects for name in effect.to)])
    places = dict.fromkeys(effect.where for effect in rehearsed.effects if effect.where)
    return list(people), list(places)


def _joined(rehearsed: Rehearsed) -> dict[str, dict[str, float]]:
    """Return when each person was invited to each channel: from then on they read it, and what was posted before."""
    joined: dict[str, dict[str, float]] = {}
    for effect in rehearsed.effects:
        if effect.kind is EffectKind.INVITATION:
            for name in effect.to:
                joined.setdefault(name, {}).setdefault(effect.where, effect.at.total_seconds())
    return joined


def _rows(rehearsed: Rehearsed) -> Iterator[tuple[Any, ...]]:
    """Yield everything that happened, for readers without scripts."""
    told = [(fact.at, fact.by or OUTSIDE, "fact", fact.summary) for fact in rehearsed.facts]
    sent = [
        (effect.at, ", ".join(_lanes_of(effect)), effect.kind.value.replace("_", " "), effect.text)
        for effect in rehearsed.effects
    ]
    yield from sorted([*told, *sent], key=lambda row: row[0])
