"""Charts as SVG, drawn by pygal: readable on a phone, self-contained."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pygal
from pygal.style import DefaultStyle

from incidents.domain.core.text.untrusted import printable
from incidents.domain.postmortem.figures.impact import Series

_FEW = 12
"""Up to this count, the axis shows whole numbers."""


class _Calm(DefaultStyle):  # type: ignore[misc]  # pygal has no types
    """Clear colors on white; red first."""

    colors = ("#b3261e", "#e08e2b", "#2f6fab", "#7c8b99", "#1a7f4b", "#7b4fa3", "#444444", "#b58900")
    guide_stroke_color = "#dfe5ec"
    major_guide_stroke_color = "#dfe5ec"
    opacity = ".9"

    background = "#ffffff"
    plot_background = "#ffffff"
    font_family = "sans-serif"
    title_font_size = 16
    label_font_size = 12
    major_label_font_size = 12
    legend_font_size = 12


_OPTIONS = {
    "style": _Calm,
    "js": (),
    "disable_xml_declaration": True,
    "no_prefix": True,
    "legend_at_bottom": True,
    "truncate_legend": -1,
}


_LABELS = 4
"""Times below a small chart."""
_SHORT = timedelta(minutes=10)
"""A chart of less time has seconds in its labels."""


def over_time(title: str, lines: Sequence[Series], marks: Sequence[tuple[str, datetime]]) -> str:
    """Return the incident's metrics over time as an SVG, each mark as a vertical line.

    Error ratios and latencies have separate axes.
    """
    chart = pygal.DateTimeLine(
        title=printable(title),
        width=900,
        height=460,
        x_value_formatter=lambda at: f"{at:%H:%M}",
        x_label_rotation=0,
        show_dots=False,
        stroke_style={"width": 2},
        **_OPTIONS,
    )
    highest = max((value for line in lines if _is_ratio(line) for _, value in line.points), default=0) or 1.0
    for line in lines:
        chart.add(printable(f"{line.name} {line.region}").strip(), list(line.points), secondary=not _is_ratio(line))
    for name, at in marks:
        dashed = {"width": 2, "dasharray": "6, 4"}
        chart.add(printable(f"{name} {at:%H:%M}"), [(at, 0), (at, highest)], stroke_style=dashed)
    return _svg(chart)


def panel(title: str, lines: Sequence[Series]) -> str:
    """Return one metric over time as a small SVG, a line for each of its series."""
    times = sorted(at for line in lines for at, _ in line.points)
    span = times[-1] - times[0] if times else timedelta()
    clock = "%H:%M:%S" if span < _SHORT else "%H:%M"
    chart = pygal.DateTimeLine(
        title=printable(title),
        width=420,
        height=240,
        x_value_formatter=lambda at: at.strftime(clock),
        truncate_label=-1,
        margin_right=28,
        x_label_rotation=0,
        show_dots=False,
        stroke_style={"width": 2},
        **_OPTIONS,
    )
    chart.x_labels = [times[0] + span * part / (_LABELS - 1) for part in range(_LABELS)] if span else times[:1]
    for line in lines:
        chart.add(printable(line.region or line.name), list(line.points))
    return _svg(chart)


def _is_ratio(line: Series) -> bool:
    return "ratio" in line.name or "error" in line.name


def bars(title: str, names: Sequence[str], columns: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Return stacked bars as an SVG: one bar per name, one color per column."""
    chart = pygal.StackedBar(title=printable(title), width=640, height=340, **_OPTIONS)
    chart.x_labels = [printable(name) for name in names]
    highest = max((sum(values) for values in zip(*(values for _, values in columns), strict=True)), default=0)
    if highest <= _FEW:
        chart.y_labels = list(range(int(highest) + 1))
    for name, values in columns:
        chart.add(printable(name), list(values))
    return _svg(chart)


def _svg(chart: Any) -> str:
    """Return the SVG without scripts and comments (comments change with pygal's version)."""
    drawn = str(chart.render(is_unicode=True))
    return re.sub(r"<!--.*?-->|<script.*?</script>", "", drawn, flags=re.DOTALL)
