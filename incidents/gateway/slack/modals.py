"""Forms as Slack's modals."""

from typing import assert_never

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from incidents.domain.chat.form import CheckField, ChoiceField, Field, Form, TextField
from incidents.domain.core.text.mrkdwn import Mrkdwn, as_mrkdwn
from incidents.vendors.slack import blocks as kit


def render(form: Form, callback: str, metadata: str = "") -> View:
    """Return the modal of a form. `callback` names its listener, `metadata` comes back with what is filled in."""
    guide = [kit.context(as_mrkdwn(line)) for line in form.guide]
    blocks = [*map(_input, form.fields), *guide]
    return kit.modal(form.title, blocks, submit=form.submit, callback=callback, metadata=metadata)


def notice(title: str, said: Mrkdwn) -> View:
    """Return a modal that only says something."""
    return kit.modal(title, [kit.section(said)])


def _input(field: Field) -> Block:
    match field:
        case TextField():
            return kit.text_input(
                field.name,
                field.label,
                longest=field.longest,
                lines=field.lines,
                required=field.required,
                initial=field.initial,
                hint=field.hint,
            )
        case ChoiceField():
            options = [(option.value, option.label, option.detail) for option in field.options]
            return kit.choice(field.name, field.label, options, field.initial)
        case CheckField():
            return kit.checkbox(field.name, field.label, field.detail)
        case _:
            assert_never(field)
