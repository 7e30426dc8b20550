"""Charts as SVG, drawn by pygal: readable on a phone, with nothing that asks the network for anything."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pygal
from pygal.style import LightColorizedStyle

from runbook.learning.impact import Series


class _Calm(LightColorizedStyle):  # type: ignore[misc]  # pygal has no types
    """Quiet colours on white."""

    background = "#ffffff"
    plot_background = "#ffffff"
    font_family = "sans-serif"
    title_font_size = 16
    label_font_size = 12
    major_label_font_size = 12
    legend_font_size = 12


_OPTIONS = {"style": _Calm, "js": (), "disable_xml_declaration": True, "no_prefix": True, "legend_at_bottom": True}


def over_time(title: str, lines: Sequence[Series], marks: Sequence[tuple[str, datetime]]) -> str:
    """Return values over the time of an incident as an SVG, each mark as a line from the bottom to the top.

    Error ratios and latencies have an axis each.
    """
    chart = pygal.DateTimeLine(
        title=title,
        width=900,
        height=420,
        x_value_formatter=lambda at: f"{at:%H:%M}",
        x_label_rotation=0,
        x_labels_major_count=8,
        show_minor_x_labels=False,
        dots_size=1,
        truncate_legend=-1,
        **_OPTIONS,
    )
    highest = 1.0
    for line in lines:
        ratio = "ratio" in line.name or "error" in line.name
        points = [(at, value) for at, value in line.points]
        if ratio:
            highest = max([highest * 0, *(value for _, value in points), 0.01])
        chart.add(f"{line.name} {line.region}".strip(), points, secondary=not ratio)
    for name, at in marks:
        chart.add(f"{name} {at:%H:%M}", [(at, 0), (at, highest)], show_dots=False, stroke_style={"dasharray": "4, 3"})
    return _svg(chart)


def bars(title: str, names: Sequence[str], columns: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Return stacked bars as an SVG: one bar for each name, one colour for each column."""
    chart = pygal.StackedBar(title=title, width=640, height=340, truncate_legend=-1, **_OPTIONS)
    chart.x_labels = list(names)
    for name, values in columns:
        chart.add(name, list(values))
    return _svg(chart)


def _svg(chart: Any) -> str:
    """Return the picture alone: without scripts, and without remarks, which change with the drawer's version."""
    drawn = str(chart.render(is_unicode=True))
    return re.sub(r"<!--.*?-->|<script.*?</script>", "", drawn, flags=re.DOTALL)
