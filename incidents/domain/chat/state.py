"""What an incident remembers of its chat channel."""

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen


class DecisionMessage(Frozen):
    """A message whose buttons decide on a rollback. `sequence`: of the timeline entry that asks for the decision."""

    cluster: str
    sequence: int
    channel_id: str
    ts: str


class ChatState(Frozen):
    """The incident's channels and messages.

    `channel_count` counts the channels it had: one that becomes private moves into a new one. The other counts are of
    versions: each new one is an obligation of its own. `decisions`: messages that still have buttons for a decision.
    """

    channel_count: int = 1
    former_channels: tuple[str, ...] = ()
    topic_count: int = 0
    digest_count: int = 0
    summary_count: int = 0
    summary_at: AwareDatetime | None = None
    decisions: tuple[DecisionMessage, ...] = ()
