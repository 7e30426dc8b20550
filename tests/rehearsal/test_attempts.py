"""A rehearsal in which the server stands still is repeated."""

from pathlib import Path
from typing import Any

import pytest

from incidents.app.foresight.scenario_file import find_scenario
from incidents.domain.config.loading import parse_runbook_file
from incidents.rehearsal import run

RUNBOOK = parse_runbook_file(Path("runbook.yaml").read_text(encoding="utf-8"))
SCENARIO = find_scenario("04-low").scenario


class Attempts:
    """Attempts, of which the first `faulty` fail."""

    def __init__(self, faulty: int) -> None:
        self.made, self._faulty = 0, faulty

    async def __call__(self, *_: Any) -> Any:
        self.made += 1
        if self.made <= self._faulty:
            raise TimeoutError
        return f"attempt {self.made}"


@pytest.mark.parametrize("faulty", [0, 1, 2])
async def test_a_faulty_attempt_is_discarded(monkeypatch: pytest.MonkeyPatch, faulty: int) -> None:
    monkeypatch.setattr(run, "_attempt", Attempts(faulty))
    found: Any = await run.rehearse(SCENARIO, "04-low", RUNBOOK)
    assert found == f"attempt {faulty + 1}"


async def test_a_server_that_always_stands_still_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts(9)
    monkeypatch.setattr(run, "_attempt", attempts)
    with pytest.raises(TimeoutError):
        await run.rehearse(SCENARIO, "04-low", RUNBOOK)
    assert attempts.made == 3
