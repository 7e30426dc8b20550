"""What keeps a client from its answer. Each message is one line for the person who asked."""


class NotFound(Exception):
    """No such incident. The message is one line."""


class NoAnswer(Exception):
    """No worker answered. The message is one line, and says that nothing is lost."""


class CommandFailed(Exception):
    """The command was rejected or could not be sent. The message is one line."""
