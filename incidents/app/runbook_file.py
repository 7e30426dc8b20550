"""Load runbook.yaml, with region URLs from the environment."""

from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from incidents.app.settings import Settings
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import RunbookError

HERE = Path("runbook.yaml")
"""The file that is used when `RUNBOOK_FILE` is not set, if the working directory holds it."""
PACKAGED = "default_runbook.yaml"
"""The wheel's copy of the repository's runbook.yaml (incidents/app/packaging.py)."""


@dataclass(frozen=True)
class RunbookSource:
    """A runbook's file. `name` is what faults call it, `why` says in words for people why it is the one."""

    file: Traversable
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


def runbook_source(settings: Settings) -> RunbookSource:
    """Return the file of `RUNBOOK_FILE`; if that is not set, ./runbook.yaml, or else the packaged default."""
    path = settings.runbook_file
    if path is not None:
        return RunbookSource(path, str(path), "RUNBOOK_FILE")
    if HERE.is_file():
        return RunbookSource(HERE, str(HERE), "of this directory; RUNBOOK_FILE is not set")
    why = "RUNBOOK_FILE is not set, and this directory has no runbook.yaml"
    return RunbookSource(packaged_runbook(), "packaged default runbook", why)


def packaged_runbook() -> Traversable:
    """Return the default that the wheel brings; in a source tree, which was never built, the root's runbook.yaml."""
    built = resources.files("incidents.app") / PACKAGED
    return built if built.is_file() else Path(__file__).parents[2] / "runbook.yaml"


def load_runbook(settings: Settings) -> RunbookConfig:
    """Return the runbook in use, with the regions' addresses of `PROBE_URLS` where it gives some.

    Raises:
        RunbookError: the file cannot be read or is not a runbook; one line for each fault.
    """
    return read_runbook(runbook_source(settings), settings)


def read_runbook(source: RunbookSource, settings: Settings) -> RunbookConfig:
    """Return the runbook of that file, as `load_runbook` does of the one in use."""
    try:
        text = source.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise RunbookError(f"{source} cannot be read: {reason}") from None
    runbook = parse_runbook(text, source.name)
    urls = settings.probe_urls
    return runbook.replace(
        regions=tuple(region.replace(url=urls.get(region.name, region.url)) for region in runbook.regions)
    )
