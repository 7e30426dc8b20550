"""The people and the customers that this process knows, for a command line that needs nothing else of the runbook.

A runbook or setting that is broken must not keep anybody from acknowledging: then names are taken as they are.
"""

import sys
from functools import lru_cache
from typing import Any

import yaml

from incidents.app.runbook_file import load_runbook_file, read_runbook_file, runbook_source
from incidents.app.settings import load_settings
from incidents.app.temporal_settings import SettingsError
from incidents.domain.core.errors import RunbookError
from incidents.domain.customers.directory import NO_CUSTOMERS, CustomerDirectory
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.domain.people.permissions import EVERYONE, Permissions


def load_directory() -> PeopleDirectory:
    """Return the directory of people of the runbook in use."""
    try:
        settings = load_settings()
        source = runbook_source(settings)
        # Most runbooks have none, and validating a whole one is slow: look first whether there is any.
        data = _parsed(source.file.read_bytes())
        if not data["people"]["directory"]:
            return NOBODY
        return PeopleDirectory(read_runbook_file(source, settings).runbook.people.directory)
    except (SettingsError, RunbookError, OSError, ValueError, KeyError, TypeError, yaml.YAMLError, RecursionError):
        return NOBODY


def load_permissions() -> Permissions:
    """Return who may send which command, as the runbook in use says.

    Of a runbook that cannot be used: everyone may, with a line on standard error. Who can reach Temporal from this
    machine could send any command by other means.
    """
    try:
        settings = load_settings()
        source = runbook_source(settings)
        # As above: most runbooks restrict nothing, and a command must not wait for the validation of a whole one.
        if not _parsed(source.file.read_bytes())["people"]["permissions"]:
            return EVERYONE
        return read_runbook_file(source, settings).runbook.people.authorized
    except KeyError:
        return EVERYONE
    except (SettingsError, RunbookError, OSError, ValueError, TypeError, yaml.YAMLError, RecursionError):
        print(
            "warning: permissions are not checked: runbook.yaml cannot be used. See `incident check`.", file=sys.stderr
        )
        return EVERYONE


@lru_cache(maxsize=1)
def _parsed(text: bytes) -> Any:
    """Return the values of a runbook. Parsing takes longer than all else that a command does before it connects."""
    return yaml.safe_load(text)


def load_customers() -> CustomerDirectory:
    """Return the customers of the runbook in use."""
    try:
        return load_runbook_file(load_settings()).customers
    except (SettingsError, RunbookError):
        return NO_CUSTOMERS
