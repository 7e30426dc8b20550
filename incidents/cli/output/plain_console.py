"""A console that shows external text as text."""

from typing import Any

from rich.console import Console
from rich.text import Text

from incidents.cli.output.plain import plain


class PlainConsole(Console):
    """Strings lose their control characters, also those in tables; styles come from `Text` alone."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as `Text`."""
        return super().render_str(plain(text), **options)
