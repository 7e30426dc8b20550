"""The tables of `make chaos` and `make chaos-steps`, for the terminal and as Markdown."""

from collections import Counter
from collections.abc import Collection, Sequence

from rich.table import Table

from tests.chaos.lifecycle.kill_points import KillPoint, Side
from tests.chaos.lifecycle.run import Result

COLUMNS = (
    "seed",
    "SIGKILL",
    "SIGSTOP",
    "vendor faults",
    "away",
    "effects",
    "updates",
    "latest",
    "mails again",
    "histories",
    "events",
    "answers",
    "time",
    "result",
)
CAPTION = (
    "away: of all processes together; latest: the latest scheduled update, after its due time; mails again: as"
    " docs/effects.md allows; histories: fetched and replayed; answers: to queries"
)


def chaos_rows(results: Sequence[Result]) -> list[list[str]]:
    """Return a row of cells for each seed."""
    return [_row(result) for result in results]


def _row(result: Result) -> list[str]:
    kills, stops = _of_action(result.faults, "SIGKILL"), _of_action(result.faults, "SIGSTOP")
    counts = (kills, stops, result.faults.total() - kills - stops)
    figures = (result.effects, result.updates, f"{result.late_seconds:.0f} s", result.repeats)
    asked = (result.histories, result.events, result.answers, f"{result.seconds:.0f} s", verdict(result))
    return [str(cell) for cell in (result.seed, *counts, f"{result.outage_seconds:.0f} s", *figures, *asked)]


def step_rows(results: dict[KillPoint, Result]) -> list[list[str]]:
    """Return a row of cells for each step: what became of the incident whose worker died before and after it."""
    steps = dict.fromkeys(point.step for point in results)
    return [[step, *(_verdict_at(results, KillPoint(side, step)) for side in Side)] for step in steps]


def fault_rows(results: Sequence[Result]) -> list[list[str]]:
    """Return how often each fault was done in all seeds."""
    total = sum((result.faults for result in results), Counter[str]())
    return [[name, str(count)] for name, count in sorted(total.items())]


def verdict(result: Result) -> str:
    """Return the result in a word."""
    return "failed" if result.problems else "ok"


def all_well(results: Collection[Result]) -> bool:
    """Tell whether all runs went well. That nothing was run is no success."""
    return bool(results) and not any(result.problems for result in results)


def as_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> Table:
    """Return a table for the terminal."""
    table = Table(*columns, title=title, title_justify="left", caption=caption, caption_justify="left", padding=(0, 0))
    for row in rows:
        table.add_row(*row, style="red" if "failed" in row else "")
    return table


def as_markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table for a document."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _of_action(faults: Counter[str], action: str) -> int:
    return sum(count for name, count in faults.items() if name.startswith(action))


def _verdict_at(results: dict[KillPoint, Result], point: KillPoint) -> str:
    return verdict(results[point]) if point in results else "not run"
