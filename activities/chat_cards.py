"""Cards as Slack's blocks."""

from typing import Any

from slack_sdk.models.blocks import Block, ButtonElement

from incidents.domain.chat.card import Button, Card
from incidents.vendors.slack import blocks as kit


def blocks_of(card: Card, *, mentions: str = "", interactive: bool = True) -> list[dict[str, Any]]:
    """Return the blocks of a message. `mentions` notifies people: in a message with blocks, only blocks do.

    `interactive`: clicks are handled, so the card has its buttons.
    """
    blocks: list[Block] = [kit.header(card.title)]
    if mentions:
        blocks.append(kit.section(mentions))
    if card.facts:
        blocks.append(kit.fields([(fact.label, fact.value) for fact in card.facts]))
    buttons = [_button(button) for button in card.buttons] if interactive else []
    last = [*([kit.context(card.note)] if card.note else []), *([kit.actions(buttons)] if buttons else [])]
    texts = [block for paragraph in card.paragraphs for block in kit.sections(paragraph)]
    return kit.message([*blocks, *texts[: kit.BLOCKS - len(blocks) - len(last)], *last])


def _button(button: Button) -> ButtonElement:
    style = "danger" if button.danger else "primary" if button.primary else ""
    return kit.button(button.label, button.action, button.value, style=style, confirm=button.confirm)
