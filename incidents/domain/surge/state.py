"""What an incident remembers of a surge, and the messages between a surge's incidents."""

from enum import StrEnum

from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity


class SurgeParent(Frozen):
    """The incident that informs the customers. `severity`: its own when it was chosen."""

    number: int
    workflow_id: str
    severity: Severity


class SurgeChild(Frozen):
    """An incident that this one informs the customers for; no longer once it is not `active`."""

    number: int
    workflow_id: str
    severity: Severity
    active: bool = True


class SurgeMessageKind(StrEnum):
    """What a surge message says.

    From a child to its parent: it joined (`joined`), it publishes its own updates again (`left`). From the parent: the
    child must publish its own (`released`).
    """

    JOINED = "joined"
    LEFT = "left"
    RELEASED = "released"


class SurgeMessage(Frozen):
    """A message about the child `number`. A workflow id can belong to a later incident: the number tells."""

    kind: SurgeMessageKind
    number: int
    workflow_id: str
    severity: Severity
    reason: str = ""


class SurgeState(Frozen):
    """The incident's place in a surge.

    `left`: why its parent no longer informs its customers; "" while it does. `notify_parent`: that it left is not sent
    to the parent yet.
    """

    parent: SurgeParent | None = None
    left: str = ""
    notify_parent: bool = False
    children: tuple[SurgeChild, ...] = ()

    @property
    def informing(self) -> SurgeParent | None:
        """The incident that informs the customers for this one; None if this one does."""
        return None if self.left else self.parent

    @property
    def active_children(self) -> tuple[SurgeChild, ...]:
        """The incidents that this one informs the customers for."""
        return tuple(child for child in self.children if child.active)
