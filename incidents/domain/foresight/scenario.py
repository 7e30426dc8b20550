"""Scenarios: which incident it is, what people, the alert and the world outside do in it, and what is expected.

Plans and rehearsals have them. Without facts nobody acts.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import yaml
from pydantic import Field, ValidationError

from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.yaml_text import Unreadable, read_mapping
from incidents.domain.core.base import Frozen
from incidents.domain.core.payload import first_fault
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.duration import Duration, parse_duration
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.foresight.facts import AlertFact, Fact, command_named, known_facts
from incidents.domain.foresight.rehearsal.expectations import Expectation
from incidents.domain.foresight.rehearsal.outside import OUTSIDE, Deployed, Outage

T = TypeVar("T")

UNTIL = timedelta(hours=72)
LONGEST = timedelta(days=31)


class ScenarioError(Exception):
    """A scenario that cannot be planned. One line: `file:line: field: what is wrong`, or what the runbook lacks."""


class FilledScenario(Frozen):
    """A scenario with everything that it left open."""

    severity: Severity
    service: str
    region: str
    environment: str
    title: str
    until: timedelta
    facts: tuple[Fact, ...]


class Scenario(Frozen):
    """What a scenario file says. "" stands for the runbook's own: worst severity, first service, every region."""

    severity: str = ""
    service: str = ""
    region: str = ""
    environment: str = "production"
    title: str = "Planned incident"
    until: Duration = Field(default=UNTIL, gt=timedelta(), le=LONGEST)
    facts: tuple[Fact, ...] = ()
    expect: tuple[Expectation, ...] = ()

    def filled(self, runbook: RunbookConfig) -> FilledScenario:
        """Return it with the runbook's names.

        Raises:
            ScenarioError: the runbook has no such severity, service or region.
        """
        severity = runbook.severity_named(self.severity) if self.severity else runbook.severity_names[0]
        if severity is None:
            raise ScenarioError(f"severity: {self.severity!r} is not one of {', '.join(runbook.severity_names)}")
        services = [service.name for service in runbook.services]
        _check("service", self.service, services)
        _check("region", self.region, [region.name for region in runbook.regions])
        service = self.service or next(iter(services), "service")
        changes = {"severity": severity, "service": service}
        listed = [region.name for region in runbook.regions]
        for fact in self.facts:
            if isinstance(fact.what, Outage | Deployed):
                _check("region of a fact", fact.what.region, listed)
        return FilledScenario.model_validate({**dict(self), **changes})


def _check(field: str, name: str, listed: list[str]) -> None:
    if name and listed and name not in listed:
        raise ScenarioError(f"{field}: {name!r} is not one of {', '.join(listed)}")


def parse_scenario(text: str, name: str) -> Scenario:
    """Return what the text of a scenario file called `name` says.

    Raises:
        ScenarioError: not YAML, an unknown field, or a value that is wrong; with file, line and field.
    """
    try:
        root, data = read_mapping(text, name, "a scenario is a mapping, such as `severity: P0`")
    except Unreadable as error:
        raise ScenarioError(str(error).partition("\n")[0]) from None
    scenario = _without_lists(root, data, name)
    facts = _listed(root, data, (name, "facts", _EXAMPLE), partial(_fact, end=scenario.until))
    expected = _listed(root, data, (name, "expect", _EXPECTED), partial(_expectation, end=scenario.until))
    ordered = sorted(facts, key=lambda fact: fact.at)
    return scenario.replace(facts=tuple(ordered), expect=tuple(expected))


def _without_lists(root: yaml.MappingNode, data: dict[Any, Any], name: str) -> Scenario:
    """Return what a scenario says besides its facts and expectations."""
    lines = {key.value: key.start_mark.line + 1 for key, _ in root.value}
    try:
        return Scenario.model_validate({**data, "facts": (), "expect": ()}, extra="forbid")
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        fault = "unknown field" if field not in Scenario.model_fields else first_fault(error).removeprefix(f"{field}: ")
        raise ScenarioError(f"{name}:{lines.get(field, 1)}: {one_line(field, 100)}: {fault}") from None
    except OverflowError:
        raise ScenarioError(f"{name}:{lines.get('until', 1)}: until: too long") from None


def _listed(
    root: yaml.MappingNode, data: dict[Any, Any], place: tuple[str, str, str], parse: Callable[[Any, int], T]
) -> Iterator[T]:
    """Yield what a list says, each entry by `parse` with its line. `place`: file, field, and an example of an entry."""
    name, field, example = place
    written = reversed(root.value)  # merged keys come first, and those that override them last
    node = next((value for key, value in written if key.value == field), None)
    if node is None:
        return
    if not isinstance(node, yaml.SequenceNode) or not isinstance(data[field], list):
        raise ScenarioError(
            f"{name}:{node.start_mark.line + 1}: {field}: a list of {_ENTRIES[field]}, such as {example}"
        )
    for index, (each, said) in enumerate(zip(node.value, data[field], strict=True)):
        line = each.start_mark.line + 1
        try:
            yield parse(said, line)
        except ValidationError as error:
            raise ScenarioError(f"{name}:{line}: {field}.{index}: {first_fault(error)}") from None
        except (ValueError, OverflowError) as error:
            raise ScenarioError(one_line(f"{name}:{line}: {field}.{index}: {error}", 1000)) from None


_ENTRIES = {"facts": "facts", "expect": "expectations"}
_EXAMPLE = "`{at: 4m, do: ack, by: ann}`"
_EXPECTED = "`{what: page, to: CEO, by: 30m}`"


def _expectation(said: Any, line: int, end: timedelta) -> Expectation:
    """Return one expectation.

    Raises:
        ValueError: a field is missing, unknown or wrong, or nothing is played at its time.
    """
    if not isinstance(said, dict) or "line" in said:
        raise ValueError(f"an expectation looks like {_EXPECTED}")
    expected = Expectation.model_validate({**said, "line": line}, extra="forbid")
    for field in ("by", "after", "until"):
        _require_played(field, getattr(expected, field), end)
    return expected


def _require_played(field: str, at: timedelta | None, end: timedelta) -> None:
    """Refuse a time after the end: what is not played would be left out, or taken to be as expected."""
    if at is not None and at > end:
        raise ValueError(
            f"{field}: {in_words(at)} is after the end of the scenario ({in_words(end)}): give a later `until`"
        )


def _fact(said: Any, line: int, end: timedelta) -> Fact:
    """Return one fact.

    Raises:
        ValueError: a field is missing, unknown or wrong, or it comes after the end.
    """
    if not isinstance(said, dict):
        raise ValueError(f"a fact looks like {_EXAMPLE}")
    fields = dict(said)
    at, do = fields.pop("at", None), fields.pop("do", None)
    if at is None or not isinstance(do, str):
        raise ValueError(f"a fact needs `at` and `do`, such as {_EXAMPLE}")
    after = _since_alert(at, before=do == _DEPLOY)
    _require_played("at", after, end)
    if do in tuple(AlertFact):
        if fields:
            raise ValueError(f"{', '.join(map(str, fields))}: unknown field of `{do}`")
        return Fact(at=after, what=AlertFact(do))
    if do in OUTSIDE:
        return Fact(at=after, what=OUTSIDE[do].model_validate(fields, extra="forbid"))
    kind = command_named(do)
    if kind is None:
        raise ValueError(f"do: {do[:40]!r} is not one of {', '.join(known_facts())}")
    command = kind.model_validate({"by": "responder", **fields}, extra="forbid")
    return Fact(at=after, what=command)


_DEPLOY = "deploy"


def _since_alert(at: Any, *, before: bool) -> timedelta:
    """Return a time since the alert; `before`: it may be before it, such as -20m.

    Raises:
        ValueError: it is not one.
    """
    early = before and isinstance(at, str) and at.startswith("-")
    after = timedelta() if at in (0, "0", "0m", "0s") else parse_duration(at[1:] if early else at)
    if not isinstance(after, timedelta) or not timedelta() <= after <= LONGEST:
        raise ValueError(f"at: {str(at)[:40]!r} is not a time since the alert, such as 4m or 1h 30m")
    return -after if early else after
