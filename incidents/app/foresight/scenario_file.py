"""Read a scenario's file."""

from dataclasses import dataclass
from importlib.resources.abc import Traversable

from incidents.app.runbook_file import read_limited
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.foresight.scenario import Scenario, ScenarioError, parse_scenario


@dataclass(frozen=True)
class ScenarioFile:
    """A scenario, its file's text, and what faults call the file."""

    name: str
    text: str
    scenario: Scenario


def read_scenario(file: Traversable, name: str) -> ScenarioFile:
    """Return what the file says. `name`: what was typed.

    Raises:
        ScenarioError: it cannot be read, or is not a scenario; one line.
    """
    shown = one_line(name, 200)
    try:
        text = read_limited(file)
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{shown}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    return ScenarioFile(shown, text, parse_scenario(text, shown))
