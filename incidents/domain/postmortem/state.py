"""What an incident remembers of its post-mortem; the post-mortem itself is a workflow of its own."""

from incidents.domain.core.base import Frozen


class PostmortemState(Frozen):
    """Whether the post-mortem was asked for, whether its workflow was started, and how that ended.

    While it is neither published nor waived, the incident's channel stays: its owner is reminded there (behaviour 96).
    """

    started: bool = False
    handed_over: bool = False
    published: bool = False
    waived: bool = False

    @property
    def pending(self) -> bool:
        """Tell whether the post-mortem's workflow is still writing it."""
        return self.handed_over and not (self.published or self.waived)
