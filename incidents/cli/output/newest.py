"""The newest timeline entries first, in columns, as many as fit."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from incidents.cli.output.list_views import one_line, text
from incidents.domain.core.time.elapsed import clock_at
from incidents.domain.core.timeline import Entry

_GAPS = 4
"""Cells between the three columns."""
_ACTOR = 12
"""Cells of an actor; a longer one is cut."""
_LINES = 2
"""Lines of one entry; the rest of it is cut, since `incident timeline` has it."""


def newest_table(
    console: Console, timeline: Sequence[Entry], now: datetime, width: int, room: int
) -> tuple[Table, int]:
    """Return the newest entries, the newest first, and how many they are.

    Args:
        console: where they will be printed.
        timeline: oldest first.
        now: entries of another day show their date; aware UTC.
        width: cells of a line.
        room: lines that they may take.
    """
    newest = timeline[: -room - 1 : -1]
    times = [clock_at(entry.at, now) for entry in newest]
    actors = [_shortened(one_line(entry.actor, "magenta")) for entry in newest]
    left = width - _GAPS - max(map(len, times), default=0) - max((actor.cell_len for actor in actors), default=0)
    table, shown = Table(box=None, show_header=False, pad_edge=False), 0
    for kind in ("fixed", "fixed", "wrapped"):
        table.add_column(no_wrap=kind == "fixed")
    for entry, time, actor in zip(newest, times, actors, strict=True):
        if room <= 0:
            break
        lines = _wrapped(console, entry.text, max(left, 1), min(_LINES, room))
        table.add_row(Text(time, style="dim"), actor, Text("\n").join(lines))
        room, shown = room - len(lines), shown + 1
    return table, shown


def _shortened(actor: Text) -> Text:
    actor.truncate(_ACTOR, overflow="ellipsis")
    return actor


def _wrapped(console: Console, words: str, width: int, most: int) -> list[Text]:
    """Return the words on at most so many lines of that width; a `…` ends what is cut."""
    lines = [*text(" ".join(words.split())).wrap(console, width)]
    for line in lines:
        line.rstrip()
    if len(lines) > most:
        rest = Text(" ").join(lines[most - 1 :])
        rest.truncate(width, overflow="ellipsis")
        lines = [*lines[: most - 1], rest]
    return lines or [Text("")]
