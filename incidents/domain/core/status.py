"""Status of an incident, as customers read it."""

from enum import StrEnum


class Status(StrEnum):
    """The three statuses that customers read, and the withdrawal of a false positive."""

    INVESTIGATING = "investigating"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"

    @property
    def public(self) -> "Status":
        """The status that customers read: a false positive that was withdrawn is over."""
        return Status.RESOLVED if self is Status.CANCELLED else self
