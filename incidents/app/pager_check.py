"""Whether this environment has a pager for everybody on call."""

import sys

from incidents.app.composition.pagers import PAGER_SETTINGS, build_pager, contacts_with_pager
from incidents.app.settings import Settings
from incidents.domain.config.model import RunbookConfig
from incidents.domain.paging.reachability import warn_of_missing_pager


def missing_pager_warning(settings: Settings, runbook: RunbookConfig) -> str:
    """Return the warning that no one can be paged with the settings of this process; "" if someone can."""
    own = contacts_with_pager(settings)
    default = build_pager(settings) is not None
    return warn_of_missing_pager(runbook, own, default_pager=default, setting=PAGER_SETTINGS)


def print_missing_pager(settings: Settings, runbook: RunbookConfig) -> None:
    """Print that line to standard error, if there is one."""
    if warning := missing_pager_warning(settings, runbook):
        print(warning, file=sys.stderr, flush=True)
