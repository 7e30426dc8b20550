"""The "Held by" column of docs/behaviours.md, made from what the tests say they hold."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "behaviours.md"
NONE = "not yet"
_ROW = re.compile(r'^(\| <a id="b(?P<number>\d+b?)"></a>(?P=number) \| .* \|) (?P<held>[^|]*?) ?\|$')
_TEST = re.compile(r"^(?:async )?def (test_(\d+b?(?:(?:_and)?_\d+b?)*)_\w+)", re.MULTILINE)
_ALSO = re.compile(r"_and_(\d+b?)_")
_MODULE = re.compile(r'\A"""(\d+b?(?:(?:, | to | and )\d+b?)*):')
_CITED = re.compile(r"\(behaviou?rs? (\d+b?(?:(?:, | to | and )\d+b?)*)\)")


def numbers_of(said: str) -> list[str]:
    """Return the numbers of a list such as "50, 52, 54 to 57"."""
    found: list[str] = []
    for part in re.split(r", | and ", said):
        first, to, last = part.partition(" to ")
        found += [str(n) for n in range(int(first), int(last) + 1)] if to else [part]
    return found


def holders(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield each behavior that the tests of one file hold, with what holds it."""
    head = text.split('"""')[1] if text.startswith('"""') else ""
    module = _MODULE.search(text)
    for said in ([module[1]] if module else []) + _CITED.findall(head):
        yield from ((number, name) for number in numbers_of(said))
    for test, leading in _TEST.findall(text):
        numbers = leading.replace("_and_", "_").split("_") + _ALSO.findall(test)
        yield from ((number, f"{name}::{test}") for number in dict.fromkeys(numbers))


def held_by(paths: Iterable[Path]) -> dict[str, list[str]]:
    """Return what holds each behavior: its tests, or, where no test names it, the modules that do."""
    found: dict[str, list[str]] = {}
    for path in sorted(paths):
        for number, holder in holders(str(path.relative_to(ROOT / "tests")), path.read_text(encoding="utf-8")):
            found.setdefault(number, []).append(holder)
    return {number: [one for one in all_ if "::" in one] or all_ for number, all_ in found.items()}


def cell(held: list[str]) -> str:
    """Return the column's text: each file once, with its tests."""
    files: dict[str, list[str]] = {}
    for holder in held:
        name, _, test = holder.partition("::")
        files.setdefault(name, []).extend([test] if test else [])
    parts = [
        ": ".join([f"`{name}`", *([", ".join(f"`{test}`" for test in tests)] if tests else [])])
        for name, tests in files.items()
    ]
    return "; ".join(parts) or NONE


def generated(text: str, held: dict[str, list[str]]) -> str:
    """Return the document with its column made anew. Everything else is kept."""
    return "\n".join(_line(line, held) for line in text.split("\n"))


def _line(line: str, held: dict[str, list[str]]) -> str:
    row = _ROW.match(line)
    return f"{row[1]} {cell(held.get(row['number'], []))} |" if row else line


def numbers(text: str) -> list[str]:
    """Return the numbers of the behaviors that the document lists, in its order."""
    return [row["number"] for line in text.splitlines() if (row := _ROW.match(line))]
