"""Whose tasks come first when the workers are busy. Light to import: short-lived programs start workflows, too."""

from temporalio.common import Priority

FIRST_RANK = 1
"""The rank of the worst severity."""
LAST_RANK = 5
"""The rank of what no incident waits for. Temporal's priorities are 1 to 5 by default."""


def priority_of(rank: int) -> Priority:
    """Return the priority of what is done for a severity of that rank (`RunbookConfig.rank`, 1 is the worst)."""
    return Priority(priority_key=min(max(rank, FIRST_RANK), LAST_RANK))
