"""Scenarios: which incident a plan is of, and what people and the alert do in it. Without facts nobody acts."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import yaml
from pydantic import Field, ValidationError

from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.yaml_text import read_yaml
from incidents.domain.core.base import Frozen
from incidents.domain.core.payload import first_fault
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.duration import Duration, parse_duration
from incidents.domain.foresight.facts import AlertFact, Fact, command_named, known_facts

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
        root, data = read_yaml(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"{name}:{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ScenarioError(f"{name}:1: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(root, yaml.MappingNode) or not isinstance(data, dict):
        raise ScenarioError(f"{name}:1: a scenario is a mapping, such as `severity: P0`")
    lines = {key.value: key.start_mark.line + 1 for key, _ in root.value}
    facts = tuple(sorted(_facts(root, data, name), key=lambda fact: fact.at))
    try:
        return Scenario.model_validate({**data, "facts": facts}, extra="forbid")
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        fault = "unknown field" if field not in Scenario.model_fields else first_fault(error).removeprefix(f"{field}: ")
        raise ScenarioError(f"{name}:{lines.get(field, 1)}: {one_line(field, 100)}: {fault}") from None
    except OverflowError:
        raise ScenarioError(f"{name}:{lines.get('until', 1)}: until: too long") from None


def _facts(root: yaml.MappingNode, data: dict[Any, Any], name: str) -> Iterator[Fact]:
    node = next((value for key, value in root.value if key.value == "facts"), None)
    if node is None:
        return
    if not isinstance(node, yaml.SequenceNode) or not isinstance(data["facts"], list):
        raise ScenarioError(f"{name}:{node.start_mark.line + 1}: facts: a list of facts, such as {_EXAMPLE}")
    for index, (each, said) in enumerate(zip(node.value, data["facts"], strict=True)):
        place = f"{name}:{each.start_mark.line + 1}: facts.{index}"
        try:
            yield _fact(said)
        except ValidationError as error:
            raise ScenarioError(f"{place}: {first_fault(error)}") from None
        except (ValueError, OverflowError) as error:
            raise ScenarioError(one_line(f"{place}: {error}", 1000)) from None


_EXAMPLE = "`{at: 4m, do: ack, by: ann}`"


def _fact(said: Any) -> Fact:
    """Return one fact.

    Raises:
        ValueError: a field is missing, unknown or wrong.
    """
    if not isinstance(said, dict):
        raise ValueError(f"a fact looks like {_EXAMPLE}")
    fields = dict(said)
    at, do = fields.pop("at", None), fields.pop("do", None)
    if at is None or not isinstance(do, str):
        raise ValueError(f"a fact needs `at` and `do`, such as {_EXAMPLE}")
    after = timedelta() if at in (0, "0") else parse_duration(at)
    if not isinstance(after, timedelta) or not timedelta() <= after <= LONGEST:
        raise ValueError(f"at: {str(at)[:40]!r} is not a time since the alert, such as 4m or 1h 30m")
    if do in tuple(AlertFact):
        if fields:
            raise ValueError(f"{', '.join(map(str, fields))}: unknown field of `{do}`")
        return Fact(at=after, what=AlertFact(do))
    kind = command_named(do)
    if kind is None:
        raise ValueError(f"do: {do[:40]!r} is not one of {', '.join(known_facts())}")
    command = kind.model_validate({"by": "responder", **fields}, extra="forbid")
    return Fact(at=after, what=command)
