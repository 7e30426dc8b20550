"""The shipped scenarios, and those of docs/planning.md, rehearsed by the real program."""

import re
from pathlib import Path

import pytest

from incidents.app.foresight.shipped import shipped
from incidents.domain.config.loading import RunbookFile, parse_runbook_file
from incidents.domain.foresight.rehearsal.expectations import check
from incidents.domain.foresight.scenario import parse_scenario
from incidents.rehearsal.run import rehearse
from tests.support.thoroughness import by_thoroughness

SHORT = ["01-critical", "07-rollback", "10-vendors-down"]
"""Those that `make test` rehearses: each takes about three seconds of CPU."""


def runbook() -> RunbookFile:
    return parse_runbook_file(Path("runbook.yaml").read_text(encoding="utf-8"), "runbook.yaml")


def documented() -> list[str]:
    """The scenarios of docs/planning.md, in its order."""
    text = Path("docs/planning.md").read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(severity: .*?)```", text, re.DOTALL)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", by_thoroughness(SHORT, [*shipped()]))
async def test_each_shipped_scenario_meets_its_expectations(name: str) -> None:
    scenario = parse_scenario(shipped()[name].read_text(encoding="utf-8"), name)
    verdicts = check(await rehearse(scenario, name, runbook()), scenario.expect)
    assert [f"{name}:{v.expectation.line}: {v.expectation.summary}: {v.why}" for v in verdicts if not v.met] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("block", [0, 1])
async def test_the_scenarios_of_the_document_meet_their_expectations(block: int) -> None:
    scenario = parse_scenario(documented()[block], "planning.md")
    verdicts = check(await rehearse(scenario, "planning.md", runbook()), scenario.expect)
    assert len(verdicts) == len(scenario.expect)
    assert [f"planning.md:{v.expectation.line}: {v.why}" for v in verdicts if not v.met] == []


def test_there_are_twelve_and_each_expects_something() -> None:
    scenarios = {name: parse_scenario(file.read_text(encoding="utf-8"), name) for name, file in shipped().items()}
    assert len(scenarios) == 12
    assert all(scenario.expect for scenario in scenarios.values())
    for scenario in scenarios.values():
        scenario.filled(runbook().runbook)
