"""Read a scenario's file, or a shipped scenario, and see whether it fits a runbook."""

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from incidents.app.foresight.shipped import shipped
from incidents.app.runbook_file import read_limited
from incidents.domain.config.model import RunbookConfig
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


def find_scenario(name: str, folder: Path = Path()) -> ScenarioFile:
    """Return the shipped scenario of that name, or what the file of that path says, as seen from `folder`.

    Raises:
        ScenarioError: there is neither, or it cannot be read, or is not a scenario; one line.
    """
    found = shipped().get(name)
    if found is None and not (folder / name).exists():
        shown = one_line(name, 200)
        raise ScenarioError(f"{shown}: No such file or directory, nor a shipped scenario (`incident rehearse --list`)")
    return read_scenario(found or folder / name, name)


def check_scenario(file: ScenarioFile, runbook: RunbookConfig) -> None:
    """Check that the runbook has what the scenario names.

    Raises:
        ScenarioError: it lacks a severity, a service or a region; with file and line.
    """
    try:
        file.scenario.filled(runbook)
    except ScenarioError as error:
        raise ScenarioError(f"{_place(file, error)}: {error}") from None


def _place(file: ScenarioFile, fault: ScenarioError) -> str:
    """Return where the file says what the runbook lacks: its name, and the line of the field."""
    field = str(fault).partition(":")[0].removesuffix(" of a fact")
    lines = (number for number, line in enumerate(file.text.splitlines(), 1) if f"{field}:" in line)
    return f"{file.name}:{next(lines, 1)}"
