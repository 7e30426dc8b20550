"""Split what is typed after a command's name into words and options, as the command line has them."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“"}


@dataclass(frozen=True)
class Arguments:
    """The words, and the options by name without dashes; a flag's value is ""."""

    words: str
    options: dict[str, str] = field(default_factory=dict)

    def has(self, option: str) -> bool:
        """Tell whether the option was given."""
        return option in self.options

    def value(self, option: str) -> str:
        """Return an option's value, "" without it."""
        return self.options.get(option, "")

    def head(self) -> tuple[str, str]:
        """Return the first word, and the rest."""
        first, _, rest = self.words.partition(" ")
        return first, unquoted(rest.strip())


def split_arguments(text: str, flags: Collection[str], values: Collection[str]) -> Arguments:
    """Split a text. An option's value reaches to the next option, so it needs no quotes, unlike in a shell.

    What looks like an option and is not among those given stays in the words: a text may hold it. A phone turns `--`
    into a dash.
    """
    if not flags and not values:
        return Arguments(unquoted(text))
    known = "|".join(re.escape(name) for name in (*flags, *values))
    pieces = re.split(rf"(?:^|(?<=\s))(?:--|—)({known})(?=\s|=|$)", text, flags=re.IGNORECASE)
    words, options = pieces[0].strip(), {}
    for name, said in zip(pieces[1::2], pieces[2::2], strict=True):
        said = said.removeprefix("=").strip()
        if name.lower() in values:
            options[name.lower()] = unquoted(said)
        else:
            options[name.lower()] = ""
            words = f"{words} {said}".strip()
    return Arguments(unquoted(words), options)


def unquoted(text: str) -> str:
    """Return a text without the quotes around all of it, which a shell would have taken away."""
    end = _QUOTES.get(text[:1])
    return text[1:-1].strip() if end and len(text) > 1 and text.endswith(end) and text.count(text[0]) <= 2 else text
