"""Status of an incident, as customers read it."""

from enum import StrEnum


class Status(StrEnum):
    """The three statuses that customers read, and the withdrawal of a false positive."""

    INVESTIGATING = "investigating"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
