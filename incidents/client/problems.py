"""What keeps a client from its answer. Each message is one line for the person who asked."""

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError


class NotFound(Exception):
    """No such incident. The message is one line."""


class NoAnswer(Exception):
    """No worker answered. The message is one line, and says that nothing is lost."""


class CommandFailed(Exception):
    """The command was rejected or could not be sent. The message is one line."""


class Unconfirmed(CommandFailed):
    """It is not known whether the command arrived. The message says how to find out."""


class NotAuthorized(CommandFailed):
    """The sender may not send the command. The message names who may."""


def rejection(error: WorkflowUpdateFailedError) -> CommandFailed:
    """Return why the workflow rejected an update, in its own words."""
    cause = error.cause
    reason = cause.message if isinstance(cause, ApplicationError) else str(cause or error)
    return CommandFailed(" ".join(reason.split()))


class ConnectionProblem(Exception):
    """Temporal is unreachable or rejected the connection. One line: what happened, what is not lost, what to do."""
