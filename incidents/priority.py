"""Whose tasks come first when the workers are busy. Light to import: short-lived programs start workflows, too."""

from temporalio.common import Priority

from incidents.domain.core.severity import Severity


def priority_of(severity: Severity) -> Priority:
    """Return the priority of what is done for an incident of that severity: a P0's tasks overtake all others."""
    return Priority(priority_key=Severity(severity).rank)
