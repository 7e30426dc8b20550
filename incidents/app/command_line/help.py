"""Help of a command: usage without braces, required options first. Plain text: Rich is slow to import."""

import inspect
import re
from typing import Any

from typer.core import TyperCommand

HELP_OPTIONS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
"""Context settings of every command line."""
_COMMON = ("by", "as_json", "timeout", "help")
"""Options that most commands have. They come last."""
_TYPES = {"str": "TEXT", "list[str]": "TEXT", "int": "N", "int range": "N", "float": "N", "path": "FILE"}
_LONG = 40
"""Characters of choices from which they are listed in the help text."""


class PlainCommand(TyperCommand):
    """A command whose help is plain text."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.rich_markup_mode = None
        self.context_settings = {**HELP_OPTIONS, **self.context_settings}

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the paragraphs of the help; an indented one keeps its lines, such as examples."""
        for paragraph in inspect.cleandoc(self.help or "").split("\n\n"):
            formatter.write_paragraph()
            with formatter.indentation():
                if paragraph.startswith(" "):
                    formatter.write("".join(f"{line}\n" for line in paragraph.splitlines()))
                else:
                    formatter.write_text(paragraph)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the usage: arguments, required options, the rest."""
        params = self.get_params(ctx)
        arguments = [_argument(param) for param in params if param.param_type_name == "argument"]
        required = [_record(param, ctx)[0] for param in params if _is_required_option(param)]
        return [*arguments, *required, "[OPTIONS]"]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, the options (required ones first), and those that most subcommands have."""
        shown = [param for param in self.get_params(ctx) if not getattr(param, "hidden", False)]
        options = [param for param in shown if param.param_type_name == "option"]
        own = sorted((o for o in options if o.name not in _COMMON), key=lambda option: not option.required)
        sections = {
            "Arguments": [param for param in shown if param.param_type_name == "argument"],
            "Options": own,
            "Common options": [option for option in options if option.name in _COMMON],
        }
        for title, params in sections.items():
            if params:
                with formatter.section(title):
                    formatter.write_dl([_record(param, ctx) for param in params])


def _is_required_option(param: Any) -> bool:
    return param.param_type_name == "option" and bool(param.required)


def _argument(param: Any) -> str:
    """Return an argument as the usage shows it: in brackets if it can be left out."""
    name = param.metavar or param.name.upper()
    return name if param.required else f"[{name}]"


def _record(param: Any, ctx: Any) -> tuple[str, str]:
    """Return a parameter's name and help, without Typer's notation of types and ranges."""
    name, text = param.get_help_record(ctx)
    name, _, kind = name.removesuffix(">").partition(" <")
    if kind.startswith("list[") and "|" in kind:
        kind = kind.removeprefix("list[").removesuffix("]")
    choices = kind if "|" in kind else ""
    text = re.sub(r"default: \((.+?)\)", r"default: \1", text)
    text = re.sub(r"([\d.]+)<=x<=([\d.]+)", r"\1 to \2", text)
    text = re.sub(r"  \[default: no-[\w-]+\]", "", text)  # of a flag: off
    text = re.sub(r"  \[x>=\d+\]|x>=\d+; ", "", text)
    listed = choices.replace("|", ", ")
    if param.param_type_name == "argument":
        text = text.removesuffix("  [required]")  # the usage says so
        return _argument(param), f"{text}: {listed}" if choices else text
    if len(choices) > _LONG:
        return f"{name} {param.name.upper()}", f"{text} {listed}".strip()
    value = choices or _TYPES.get(kind, kind.upper())
    return f"{name} {value}" if value else name, text
