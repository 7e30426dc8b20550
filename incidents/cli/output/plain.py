"""External text, made safe for a terminal."""

from incidents.domain.core.text.untrusted import printable


def plain(text: str) -> str:
    """Return the text without control characters, so that an alert's title cannot move the cursor or change colors."""
    return printable(text)
