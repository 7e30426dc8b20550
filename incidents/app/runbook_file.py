"""Load runbook.yaml, with what the environment adds to it: region URLs, and the variables of probes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from incidents.app.settings import Settings, read_variable
from incidents.domain.config.loading import RunbookFile, parse_runbook_file
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.yaml_text import LARGEST
from incidents.domain.core.errors import RunbookError
from incidents.domain.core.text.untrusted import one_line

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

    @property
    def folder(self) -> Path:
        """Where files that it names are: beside it, or in the working directory for the packaged default."""
        return self.file.parent if isinstance(self.file, Path) else Path()


def runbook_source(settings: Settings, named: Path | None = None) -> RunbookSource:
    """Return the runbook in use: the file that a command's `--file` names.

    Without one that of `RUNBOOK_FILE`; if that is not set, ./runbook.yaml, or else the packaged default.
    """
    if named is not None:
        return RunbookSource(named, one_line(str(named), 200), "--file")
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
    """Return the runbook in use, without customers' addresses, as `load_runbook_file` does."""
    return load_runbook_file(settings).runbook


def load_runbook_file(settings: Settings) -> RunbookFile:
    """Return what the runbook's file in use says, with the regions' addresses of `PROBE_URLS` where it gives some.

    Raises:
        RunbookError: the file cannot be read or is not a runbook; one line for each fault.
    """
    return read_runbook_file(runbook_source(settings), settings)


def read_runbook_file(source: RunbookSource, settings: Settings) -> RunbookFile:
    """Return what that file says, as `load_runbook_file` does of the one in use."""
    return parse_source(read_source(source), source, settings)


def read_source(source: RunbookSource) -> str:
    """Return the file's text. It is read once: a pipe has nothing to say a second time.

    Raises:
        RunbookError: it cannot be read.
    """
    try:
        return read_limited(source.file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise RunbookError(f"{source} cannot be read: {reason}") from None


def read_limited(file: Traversable) -> str:
    """Return the text of a file, cut after the first character that makes it too large.

    Raises:
        OSError, ValueError: it cannot be read, or is not UTF-8.
    """
    with file.open(encoding="utf-8") as opened:
        text: str = opened.read(LARGEST + 1)
    return text


def parse_source(text: str, source: RunbookSource, settings: Settings) -> RunbookFile:
    """Return what the text of that file says, as `load_runbook_file` does of the one in use."""
    file, urls = parse_runbook_file(text, source.name), settings.probe_urls
    regions = tuple(region.replace(url=urls.get(region.name, region.url)) for region in file.runbook.regions)
    return replace(file, runbook=file.runbook.replace(regions=regions))


def probe_variable_reader(runbook: RunbookConfig) -> Callable[[str], str]:
    """Return the reader of the probes' variables. Others are unset to it.

    An incident carries its runbook through Temporal, where a request could name any secret of the worker.
    """
    named = {name for probe in runbook.probes for name in probe.variables}
    return lambda name: read_variable(name) if name in named else ""
