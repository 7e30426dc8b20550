"""Text from outside, made harmless for a terminal."""

import unicodedata


def plain(text: str) -> str:
    """Return the text without control characters: an alert's title cannot move the cursor or recolour the screen."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) != "Cc")
