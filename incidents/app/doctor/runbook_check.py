"""What is wrong with runbook.yaml in this environment: shared by `incident check` and `incident doctor`."""

from dataclasses import dataclass

from incidents.app.pager_check import missing_pager_warning
from incidents.app.runbook_file import RunbookSource, read_runbook_file
from incidents.app.settings import Settings
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.errors import RunbookError


@dataclass(frozen=True)
class RunbookCheck:
    """A file as it was checked. `faults`: one line each, and then there is no `runbook`. `pager`: nobody can be paged.

    `warnings`: further lines that want a look.
    """

    runbook: RunbookConfig | None = None
    faults: tuple[str, ...] = ()
    pager: str = ""
    warnings: tuple[str, ...] = ()


def check_runbook(source: RunbookSource, settings: Settings) -> RunbookCheck:
    """Read the file, and check it against the settings."""
    try:
        runbook = read_runbook_file(source, settings).runbook
    except RunbookError as error:
        return RunbookCheck(faults=tuple(str(error).splitlines()))
    return RunbookCheck(runbook, pager=missing_pager_warning(settings, runbook))
