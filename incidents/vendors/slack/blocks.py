"""Slack's Block Kit, within its limits: each part of a message or modal, cut where Slack would refuse it.

The limits are in docs/vendor-notes.md. The SDK's models raise where one is broken all the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    CheckboxesElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    InputBlock,
    MarkdownTextObject,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from incidents.cutting import cut

HEADER, SECTION, FIELD, CONTEXT, BUTTON, OPTION = 150, 3000, 2000, 2000, 75, 75
FIELDS, BUTTONS, OPTIONS, BLOCKS, VIEW_BLOCKS = 10, 25, 100, 50, 100
TITLE, LABEL, HINT, INPUT, CONFIRM = 24, 2000, 2000, 3000, 300
_UNFINISHED = re.compile(r"&[a-z]{0,4}$|<[^<>]*$")


def clip(text: str, limit: int) -> str:
    """Return the text, or as much of its start as fits with a "…"; no entity or link is cut in two."""
    return text if len(text) <= limit else _UNFINISHED.sub("", cut(text, limit)[:-1]) + "…"


def header(text: str) -> Block:
    """A heading, plain text on one line."""
    return HeaderBlock(text=_plain(text, HEADER))


def section(text: str) -> Block:
    """A paragraph of mrkdwn."""
    return SectionBlock(text=_mrkdwn(text, SECTION))


def sections(text: str) -> list[Block]:
    """A text as paragraphs, each as long as may be, divided between lines."""
    pieces, rest = [], text.strip()
    while len(rest) > SECTION:
        end = rest.rfind("\n", 1, SECTION)
        if end < 0:  # one line that is too long is cut
            line, _, others = rest.partition("\n")
            pieces.append(clip(line, SECTION))
            rest = others
            continue
        pieces.append(rest[:end])
        rest = rest[end + 1 :]
    return [section(piece) for piece in (*pieces, rest) if piece.strip()]


def fields(pairs: Sequence[tuple[str, str]]) -> Block:
    """Labels with their values, in two columns; at most ten. The values are mrkdwn."""
    return SectionBlock(fields=[_mrkdwn(f"*{label}*\n{value}", FIELD) for label, value in pairs[:FIELDS]])


def context(text: str) -> Block:
    """A line in small type."""
    return ContextBlock(elements=[_mrkdwn(text, CONTEXT)])


def button(label: str, action: str, value: str, *, style: str = "", confirm: str = "", url: str = "") -> ButtonElement:
    """A button. `style`: primary or danger. `confirm`: a question that is asked first."""
    asked = (
        ConfirmObject(title="Are you sure?", text=_plain(confirm, 300), confirm="Yes", deny="No") if confirm else None
    )
    return ButtonElement(
        text=_plain(label, BUTTON), action_id=action, value=value, style=style or None, confirm=asked, url=url or None
    )


def actions(buttons: Sequence[ButtonElement]) -> Block:
    """A row of buttons, at most 25."""
    return ActionsBlock(elements=list(buttons[:BUTTONS]))


def message(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """The blocks of a message as JSON: the first 50."""
    return [block.to_dict() for block in blocks[:BLOCKS]]


def text_input(
    name: str, label: str, *, longest: int, lines: bool, required: bool, initial: str = "", hint: str = ""
) -> Block:
    """A field for text. `longest`: characters."""
    element = PlainTextInputElement(
        action_id=name,
        multiline=lines,
        max_length=min(longest, INPUT),
        min_length=1 if required else None,
        initial_value=initial[: min(longest, INPUT)] or None,
    )
    hinted = _plain(hint, HINT) if hint else None
    return InputBlock(block_id=name, label=_plain(label, LABEL), element=element, optional=not required, hint=hinted)


def choice(name: str, label: str, options: Sequence[tuple[str, str, str]], initial: str) -> Block:
    """A choice among (value, label, detail); at most 100."""
    shown = [_option(*option) for option in options[:OPTIONS]]
    chosen = next((option for option in shown if option.value == initial), None)
    element = StaticSelectElement(action_id=name, options=shown, initial_option=chosen)
    return InputBlock(block_id=name, label=_plain(label, LABEL), element=element)


def checkbox(name: str, label: str, detail: str) -> Block:
    """Something to tick, unticked at first."""
    element = CheckboxesElement(action_id=name, options=[_option("yes", label, detail)])
    return InputBlock(block_id=name, label=_plain(label, LABEL), element=element, optional=True)


def modal(title: str, blocks: Sequence[Block], *, submit: str = "", callback: str = "", metadata: str = "") -> View:
    """A modal. Without `submit` it only shows something."""
    return View(
        type="modal",
        title=_plain(title, TITLE),
        submit=_plain(submit, TITLE) if submit else None,
        close=PlainTextObject(text="Cancel" if submit else "Close"),
        callback_id=callback or None,
        private_metadata=metadata or None,
        blocks=list(blocks[:VIEW_BLOCKS]),
    )


def home(blocks: Sequence[Block]) -> View:
    """The app's home tab."""
    return View(type="home", blocks=list(blocks[:VIEW_BLOCKS]))


def _option(value: str, label: str, detail: str) -> Option:
    described = _plain(detail, OPTION) if detail else None
    return Option(value=value, text=_plain(label, OPTION), description=described)


def _plain(text: str, limit: int) -> PlainTextObject:
    line = " ".join(text.split()) or "–"
    return PlainTextObject(text=line if len(line) <= limit else line[: limit - 1] + "…", emoji=False)


def _mrkdwn(text: str, limit: int) -> MarkdownTextObject:
    return MarkdownTextObject(text=clip(text.strip() or "–", limit))
