"""Text from outside, made harmless for a terminal."""

from incidents.domain.core.text import printable


def plain(text: str) -> str:
    """Return the text without control characters: an alert's title cannot move the cursor or recolour the screen."""
    return printable(text)
