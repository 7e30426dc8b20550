"""What a benchmark found: rows with the floor, this program's figure, their ratio, and the target beside it."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pygal
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
RESULTS, CHART = HERE / "results.md", HERE / "ratios.svg"
COLUMNS = ("", "floor", "incident", "ratio", "target", "")


@dataclass(frozen=True)
class Row:
    """One figure. `floor`: of what can do no less; None where there is none, and then `target` is a bound of `ours`.

    `target`: the largest ratio; None where none is set. `at_least`: the smallest one, of a rate.
    """

    what: str
    floor: float | None
    ours: float
    target: float | None
    unit: str = ""
    note: str = ""
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """Ours by the floor's."""
        return self.ours / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Tell whether the target is met; None without one."""
        if self.target is None:
            return None
        judged = self.ours if self.ratio is None else self.ratio
        return judged >= self.target if self.at_least else judged <= self.target

    @property
    def cells(self) -> list[str]:
        """As they are printed."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        bound = "" if self.target is None else f"{'≥' if self.at_least else '≤'} {_number(self.target)}"
        verdict = {True: "met", False: "not met", None: ""}[self.met]
        floor = "" if self.floor is None else f"{_number(self.floor)} {self.unit}".strip()
        ours = f"{_number(self.ours)} {self.unit}".strip()
        return [self.what, floor, ours, ratio, bound, "; ".join(part for part in (verdict, self.note) if part)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def show(title: str, rows: Sequence[Row]) -> None:
    """Print the rows."""
    table = Table(*COLUMNS, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row.cells, style="" if row.met is not False else "yellow")
    Console().print(table)


def write(found: Mapping[str, Sequence[Row]], left_out: Sequence[str]) -> None:
    """Write benchmarks/results.md, and a chart of the ratios."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, temporalio {version('temporalio')}"
    lines = [
        "# Results",
        "",
        f"Written by `make bench BENCH=all` on {datetime.now(UTC):%Y-%m-%d}: one run on {machine}.",
        "Times drift with the machine; ratios and counts are what is meant to be read.",
        "",
    ]
    for title, rows in found.items():
        lines += [f"## {title}", "", _line(COLUMNS), _line(["---"] * len(COLUMNS))]
        lines += [*(_line(row.cells) for row in rows), ""]
    lines += ["## What is left out", "", *(f"- {each}" for each in left_out), ""]
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    _chart([row for rows in found.values() for row in rows])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _chart(rows: Sequence[Row]) -> None:
    """Draw the ratios to the floor, with 1 for the floor itself."""
    shown = [row for row in rows if row.ratio is not None]
    chart = pygal.HorizontalBar(
        show_legend=False, width=900, height=60 + 28 * len(shown), js=(), title="Incident by floor"
    )
    chart.x_labels = [row.what for row in reversed(shown)]
    chart.add("ratio", [round(row.ratio or 0, 2) for row in reversed(shown)])
    CHART.write_bytes(chart.render(disable_xml_declaration=True).encode())
