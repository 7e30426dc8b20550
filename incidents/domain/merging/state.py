"""What an incident remembers of its merges, and the messages that merged incidents send each other."""

from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime

from incidents.domain.alerting.alert import Alert
from incidents.domain.alerting.state import AlertState
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity

_SENDERS = 200
"""Senders whose newest message is remembered, to recognize a repeated delivery."""


class MergedInto(Frozen):
    """The incident that this one was merged into."""

    number: int
    workflow_id: str
    by: str
    at: AwareDatetime


class MergeMessageKind(StrEnum):
    """What a merge message says.

    From the merged incident to its target: it was merged (`absorbed`), the merge was undone (`separated`), its alerts
    fired or ended. From the target: it cannot take the incident (`rejected`); the state of the alerts that go back to
    a separated incident (`returned`).
    """

    ABSORBED = "absorbed"
    SEPARATED = "separated"
    FIRED = "fired"
    ENDED = "ended"
    REJECTED = "rejected"
    RETURNED = "returned"


class MergeMessage(Frozen):
    """A message about the incident `workflow_id` to the incident at `target`. A private one sends no title.

    `sender`, `sequence`: first run id of the incident that sends it, and its count of messages, by which a repeated
    delivery is recognized. `via`: numbers of the merged incidents that forwarded it. `absorbed`: workflow ids of the
    incidents merged into it. `states`: its alerts as they stand. `merged_at`: the merge that a rejection answers.
    """

    kind: MergeMessageKind
    target: str = ""
    sender: str = ""
    sequence: int | None = None
    workflow_id: str
    number: int | None = None
    title: str = ""
    severity: Severity | None = None
    drill: bool | None = None
    started_at: AwareDatetime | None = None
    merged_at: AwareDatetime | None = None
    by: str = ""
    reason: str = ""
    alerts: tuple[Alert, ...] = ()
    states: tuple[AlertState, ...] = ()
    absorbed: tuple[str, ...] = ()
    via: tuple[int, ...] = ()


class NewestMessage(Frozen):
    """The newest message that was received from a sender."""

    sender: str
    sequence: int


class MergingState(Frozen):
    """What the incident was merged into, and the messages still to be sent; `sent` counts those that were.

    `absorbed`: workflow ids of the incidents that were merged into this one, also by way of another. `own_start`: when
    this incident started, if one of those started earlier.
    """

    into: MergedInto | None = None
    outgoing: tuple[MergeMessage, ...] = ()
    sent: int = 0
    absorbed: tuple[str, ...] = ()
    own_start: AwareDatetime | None = None
    received: tuple[NewestMessage, ...] = ()

    def sending(self, message: MergeMessage) -> Self:
        """Return the state with one more message to send, numbered."""
        numbered = message.replace(sequence=self.sent + len(self.outgoing))
        return self.replace(outgoing=(*self.outgoing, numbered))

    def after_sending(self) -> Self:
        """Return the state with the first message sent."""
        return self.replace(outgoing=self.outgoing[1:], sent=self.sent + 1)

    def without_messages_to(self, target: str) -> Self:
        """Return the state without the messages to a workflow that has ended."""
        kept = tuple(message for message in self.outgoing if message.target != target)
        return self.replace(outgoing=kept, sent=self.sent + len(self.outgoing) - len(kept))

    def has_received(self, message: MergeMessage) -> bool:
        """Tell whether it is a repeated delivery. A sender's messages arrive in order."""
        return message.sequence is not None and any(
            newest.sender == message.sender and newest.sequence >= message.sequence for newest in self.received
        )

    def after_receiving(self, message: MergeMessage) -> Self:
        """Return the state with the message remembered."""
        if message.sequence is None:
            return self
        others = tuple(newest for newest in self.received if newest.sender != message.sender)
        newest = NewestMessage(sender=message.sender, sequence=message.sequence)
        return self.replace(received=(*others, newest)[-_SENDERS:])
