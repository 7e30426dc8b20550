"""A form that the chat shows to one person, without any vendor's words."""

from incidents.domain.core.base import Frozen


class TextField(Frozen):
    """A line, or lines, of text. `longest`: characters."""

    name: str
    label: str
    longest: int = 200
    lines: bool = False
    required: bool = True
    initial: str = ""
    hint: str = ""


class Option(Frozen):
    """One choice. `detail` explains it, in a line that may be cut."""

    value: str
    label: str
    detail: str = ""


class ChoiceField(Frozen):
    """One of some options. `initial`: the value of the one that is chosen at first."""

    name: str
    label: str
    options: tuple[Option, ...]
    initial: str = ""


class CheckField(Frozen):
    """Something to tick. `detail` says what that means."""

    name: str
    label: str
    detail: str = ""


Field = TextField | ChoiceField | CheckField


class Form(Frozen):
    """A form. `submit` is what its button says; `guide` are lines below the fields that help to fill it in."""

    title: str
    submit: str
    fields: tuple[Field, ...]
    guide: tuple[str, ...] = ()
