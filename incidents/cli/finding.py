"""Find the workflow run that a person refers to, and tell which one was chosen by `latest` or `.`."""

import sys

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription

from incidents.app.command_line.error_output import is_json
from incidents.cli.output.plain import plain
from incidents.client import lookup
from incidents.client.lookup import label, reference_to
from incidents.search_attributes import SERVICE, SEVERITY, STATUS


async def find(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the incident's run, as `lookup.find` does."""
    run = await lookup.find(client, name)
    _tell_choice(name, run)
    return run


async def find_postmortem(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the run of the incident's post-mortem, as `lookup.find_postmortem` does."""
    run = await lookup.find_postmortem(client, name)
    _tell_choice(name, run)
    return run


def _tell_choice(name: str, run: WorkflowExecution) -> None:
    """Print which incident it is, if that was not typed. It goes to standard error: it is no part of the answer."""
    if reference_to(name).choice is None or is_json():
        return
    known = (run.typed_search_attributes.get(key) for key in (SEVERITY, STATUS, SERVICE))
    print(plain(" · ".join([label(run), *(part for part in known if part)])), file=sys.stderr)
