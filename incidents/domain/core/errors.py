"""What is wrong with a runbook, for programs that need no model."""


class RunbookError(Exception):
    """The runbook cannot be used. One line for each fault: `file:line: field: what is wrong`."""
