"""A message with parts, as the chat shows it, without any vendor's words."""

from incidents.domain.core.base import Frozen
from incidents.domain.core.text.mrkdwn import Mrkdwn, mrkdwn, mrkdwn_lines

NOTHING = mrkdwn("")


class Button(Frozen):
    """A button below a message: what it says, which action it stands for, and what it sends back.

    `confirm`: a question that is asked first.
    """

    label: str
    action: str
    value: str
    danger: bool = False
    primary: bool = False
    confirm: str = ""


class Fact(Frozen):
    """A short value with its label."""

    label: str
    value: Mrkdwn


class Card(Frozen):
    """A heading, facts in two columns, paragraphs, a line in small type, and buttons."""

    title: str
    facts: tuple[Fact, ...] = ()
    paragraphs: tuple[Mrkdwn, ...] = ()
    note: Mrkdwn = NOTHING
    buttons: tuple[Button, ...] = ()

    @property
    def text(self) -> Mrkdwn:
        """The card without its buttons as one text, for a notification, or where there are no cards."""
        facts = [mrkdwn("{}: {}", fact.label, fact.value) for fact in self.facts]
        parts = (mrkdwn("*{}*", self.title), *facts, *self.paragraphs, self.note)
        return mrkdwn_lines(part for part in parts if part)
