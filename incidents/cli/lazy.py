"""Subcommands whose modules are imported when they are called, not when the command line starts."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from incidents.app.command_line.usage import OneLineErrors
from incidents.cli.help import write_examples
from incidents.cli.index import GROUPS, SECTIONS, SUBCOMMANDS


class LazyGroup(OneLineErrors, TyperGroup):
    """The subcommands of `index.py`. Help, completion and a mistyped name import none of them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        names: Any = dict.fromkeys(SUBCOMMANDS)
        self.commands = names  # without the commands: enough for "Did you mean ...?"

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the module of that subcommand, and return it as Typer builds it; None if there is none."""
        if cmd_name not in SUBCOMMANDS:
            return None
        group: Any = typer.main.get_group(import_module(SUBCOMMANDS[cmd_name][0]).app)
        if cmd_name not in GROUPS:
            return group.commands[cmd_name]
        group.name = cmd_name
        return group

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the usage."""
        return ["COMMAND [OPTIONS]"]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the subcommands by section, and then the few options."""
        for title, listed in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{_WIDTH}}", text) for name, (_, text) in listed.items()])
        with formatter.section("Options"):
            formatter.write_dl([param.get_help_record(ctx) for param in self.get_params(ctx)])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        write_examples(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Return the subcommands and options that begin so."""
        from typer._click.shell_completion import CompletionItem  # Typer has no public name for it

        named = [CompletionItem(name, help=text) for name, (_, text) in SUBCOMMANDS.items()]
        options: Any = super(TyperGroup, self).shell_complete(ctx, incomplete)  # Typer's own imports each subcommand
        return [item for item in named if item.value.startswith(incomplete)] + options


_WIDTH = max(map(len, SUBCOMMANDS))
"""So that the help texts of all sections begin in one column."""
