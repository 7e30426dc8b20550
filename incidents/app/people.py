"""The people and the customers that this process knows, for a command line that needs nothing else of the runbook.

A runbook or setting that is broken must not keep anybody from acknowledging: then names are taken as they are.
"""

import yaml

from incidents.app.runbook_file import load_runbook_file, read_runbook_file, runbook_source
from incidents.app.settings import load_settings
from incidents.app.temporal_settings import SettingsError
from incidents.domain.core.errors import RunbookError
from incidents.domain.customers.directory import NO_CUSTOMERS, CustomerDirectory
from incidents.domain.people.directory import NOBODY, PeopleDirectory


def load_directory() -> PeopleDirectory:
    """Return the directory of people of the runbook in use."""
    try:
        settings = load_settings()
        source = runbook_source(settings)
        # Most runbooks have none, and validating a whole one is slow: look first whether there is any.
        data = yaml.safe_load(source.file.read_bytes())
        if not data["people"]["directory"]:
            return NOBODY
        return PeopleDirectory(read_runbook_file(source, settings).runbook.people.directory)
    except (SettingsError, RunbookError, OSError, ValueError, KeyError, TypeError, yaml.YAMLError, RecursionError):
        return NOBODY


def load_customers() -> CustomerDirectory:
    """Return the customers of the runbook in use."""
    try:
        return load_runbook_file(load_settings()).customers
    except (SettingsError, RunbookError):
        return NO_CUSTOMERS
