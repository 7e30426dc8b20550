"""What every model of the runbook has in common."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable value that crosses process and version boundaries.

    Unknown fields are ignored, so that an older worker can read what a newer one wrote; a field that is added later
    must have a default, so that a newer worker can replay what an older one wrote.
    """

    # Built when first used: a command that only lists incidents should not wait for every other model.
    # Errors hide the input: they are logged, and the input may hold an address or a secret.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True, hide_input_in_errors=True)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with `changes`; a name that is no field is a programming error (`KeyError`)."""
        unknown = changes.keys() - type(self).model_fields.keys()
        if unknown:
            raise KeyError(f"{type(self).__name__} has no field {', '.join(sorted(unknown))}")
        return self.model_copy(update=changes)


def build_models() -> None:
    """Build the validator of every model that is imported by now, so that nothing builds one again and again.

    For workers, before they poll: the SDK makes a new converter for each run of a workflow, and each would otherwise
    build the schema of the runbook again.
    """
    waiting = [Frozen]
    while waiting:
        model = waiting.pop()
        model.model_rebuild()
        waiting += model.__subclasses__()


class CommandRejected(Exception):
    """A command that the runbook refuses. The message tells the sender why, and what to do instead."""


class PrivateIncident(CommandRejected):
    """A command for a private incident, by a sender who may not see it. The message tells nothing else of it."""


class AlreadyDone(Exception):
    """A command whose effect another command had before. Not an error: the message says who did it and when."""
