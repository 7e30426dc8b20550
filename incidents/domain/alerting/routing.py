"""Routes of runbook.yaml: which one an alert takes, and why, in words.

A route is chosen once, on arrival; workflows know it by its name and match no patterns.
"""

import re
from collections.abc import Iterator, Mapping

from incidents.domain.alerting.config import Matcher, Pattern, Route
from incidents.domain.config.model import Intake
from incidents.domain.core.text.untrusted import one_line

_LONGEST = 60
"""Characters of a value in an explanation."""


def route_of(source: str, labels: Mapping[str, str], intake: Intake) -> str:
    """Return the name of the first route that matches; "" if none does."""
    return next((route.name for route in intake.routes if not mismatch(route, source, labels)), "")


def mismatch(route: Route, source: str, labels: Mapping[str, str]) -> str:
    """Return why a route does not match, as `team is "web", not "payments"`; "" if it does."""
    if route.source != "" and not _matches(_folded(route.source), source.casefold()):
        return f"source is {_shown(source)}, not {_wanted(route.source)}"
    for label, wanted in route.labels.items():
        given = labels.get(label, "")
        if not _matches(wanted, given):
            return f"{label} is {_shown(given) if given else 'missing'}, not {_wanted(wanted)}"
    return ""


def explain_route(source: str, labels: Mapping[str, str], intake: Intake) -> Iterator[str]:
    """Yield one line for each route up to the one that matches: why it does not, or what decided and what it sets."""
    for route in intake.routes:
        reason = mismatch(route, source, labels)
        if not reason:
            yield f"Route {route.name}: {_conditions(route, source, labels)} → {_effects(route)}"
            return
        yield f"Route {route.name} skipped: {reason}"
    yield "No route matches: the alert's own labels count" if intake.routes else "No routes in runbook.yaml"


def _matches(wanted: Matcher, given: str) -> bool:
    if isinstance(wanted, Pattern):
        return re.fullmatch(wanted.regex, given) is not None
    return wanted == given


def _folded(source: Matcher) -> Matcher:
    """Return what a source must be, regardless of case."""
    if isinstance(source, Pattern):
        return Pattern(regex=f"(?i:{source.regex})")
    return source.casefold()


def _conditions(route: Route, source: str, labels: Mapping[str, str]) -> str:
    """Return what decided: the values that the route asks for, as the alert has them."""
    found = [f"source {_shown(source)}"] if route.source != "" else []
    found += [f"{label}={_shown(labels.get(label, ''))}" for label in route.labels]
    return ", ".join(found) or "every alert"


def _effects(route: Route) -> str:
    found = [f"service {route.service}"] if route.service else []
    found += [f"severity {route.severity}"] if route.severity else []
    found += [f"on-call {route.on_call}"] if route.on_call else []
    found += [f"a ladder of its own for {', '.join(route.escalation)}"] if route.escalation else []
    return ", ".join(found)


def _wanted(matcher: Matcher) -> str:
    return f"/{matcher.regex}/" if isinstance(matcher, Pattern) else _shown(matcher)


def _shown(value: str) -> str:
    return f'"{one_line(value, _LONGEST)}"'
