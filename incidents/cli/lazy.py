"""Subcommands whose modules are imported when they are called, not when the command line starts."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from incidents.cli.index import GROUPS, SUBCOMMANDS


class LazyGroup(TyperGroup):
    """The subcommands of `index.py`. `--help` and a mistyped name import none of them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        helps = {name: text for listed in SUBCOMMANDS.values() for name, text in listed.items()}
        self._helps = helps | {name: text for name, (_, text) in GROUPS.items()}
        names: Any = dict.fromkeys(self._helps)
        self.commands = names  # without the commands: enough for "Did you mean ...?"

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the module of that subcommand, and return it as Typer builds it; None if there is none."""
        if cmd_name in GROUPS:
            group = typer.main.get_group(import_module(GROUPS[cmd_name][0]).app)
            group.name = cmd_name
            return group
        module = next((module for module, listed in SUBCOMMANDS.items() if cmd_name in listed), None)
        return module and typer.main.get_group(import_module(module).app).commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of subcommands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._helps.items()))
