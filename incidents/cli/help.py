"""Help of the subcommands, with examples."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from incidents.app.command_line.help import HELP_OPTIONS, PlainCommand

SETTINGS: dict[str, Any] = {
    "rich_markup_mode": None,
    "add_completion": False,
    "context_settings": HELP_OPTIONS,
}
"""Settings of every Typer app here. Rich's help costs a tenth of a second at every start."""


class HelpfulCommand(PlainCommand):
    """A subcommand, with the examples of `examples.py`."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        write_examples(ctx, formatter)


class HelpfulGroup(TyperGroup):
    """A group of subcommands, whose help texts are not cut, with the examples of `examples.py`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the usage."""
        return ["COMMAND [OPTIONS]"]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of subcommands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(1000)) for name, each in self.commands.items()])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        write_examples(ctx, formatter)


class Subcommands(typer.Typer):
    """The Typer app of one module of subcommands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=HelpfulGroup, **SETTINGS, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Return the decorator of a subcommand."""
        return super().command(name, **{"cls": HelpfulCommand, **settings})


def write_examples(ctx: Any, formatter: Any) -> None:
    """Write the examples of a subcommand as they are, one a line."""
    from incidents.cli.examples import EXAMPLES

    names: list[str] = []
    while ctx.parent is not None:
        names.insert(0, ctx.info_name)
        ctx = ctx.parent
    with formatter.section("Examples"):
        for line in EXAMPLES[" ".join(names)]:
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
