"""What keeps a client from its answer. Each message is one line for the person who asked."""

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from incidents.domain.core.errors import ErrorType


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


class IsPrivate(CommandFailed):
    """The incident is private, and the sender may not see it. The message tells nothing else of it."""


OTHER_VERSION = "its worker is of another version than this program"


def lacks_handler(message: str) -> bool:
    """Tell whether an update or a query failed because the worker's workflow has no handler of that name."""
    return "handler for" in message and "expected but not found" in message


def rejection(error: WorkflowUpdateFailedError, name: str) -> CommandFailed:
    """Return why the workflow called `name` rejected an update, in its own words."""
    cause = error.cause
    reason = cause.message if isinstance(cause, ApplicationError) else str(cause or error)
    if lacks_handler(reason):
        reason = (
            f"{name} does not know this command: {OTHER_VERSION}. Nothing was changed. Install the worker's version."
        )
    is_private = isinstance(cause, ApplicationError) and cause.type == ErrorType.INCIDENT_PRIVATE
    return (IsPrivate if is_private else CommandFailed)(" ".join(reason.split()))


class ConnectionProblem(Exception):
    """Temporal is unreachable or rejected the connection. One line: what happened, what is not lost, what to do."""


class Undecryptable(Exception):
    """A payload cannot be decrypted. One line: it names the key, says that nothing is lost, and what to do."""
