"""What keeps a client from its answer. Each message is one line for the person who asked."""


class NotFound(Exception):
    """No such incident. One line says what was looked for."""


class NoAnswer(Exception):
    """No worker answered. One line says so, and that nothing is lost."""


class CommandFailed(Exception):
    """The command was refused, or could not be given. One line says why."""
