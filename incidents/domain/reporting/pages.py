"""Render the report as Markdown, CSV, or one self-contained HTML page."""

import csv
from datetime import datetime, timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined

from incidents.domain.core.text.escaping import csv_cell, github_line, html_value
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.incident.measures import DEFINITIONS
from incidents.domain.postmortem.figures.charts import bars
from incidents.domain.reporting.report import Line, Report, Spread

# It writes Markdown; the pages below escape.
_ENVIRONMENT = Environment(  # nosec B701
    loader=PackageLoader("incidents.domain.postmortem"), undefined=StrictUndefined, autoescape=False
)
_PAGES = Environment(
    loader=PackageLoader("incidents.domain.postmortem"),
    undefined=StrictUndefined,
    autoescape=True,
    finalize=html_value,
)


def spread(found: Spread | None) -> str:
    """Return a duration's median, p90 and count as text."""
    return f"{in_words(found.median)} (p90 {in_words(found.p90)}, n={found.count})" if found else "none"


def _words(span: object) -> str:
    return "" if span is None else in_words(span)  # type: ignore[arg-type]  # Jinja knows no types


for _environment in (_ENVIRONMENT, _PAGES):
    _environment.filters |= {"words": _words, "spread": spread, "text": github_line}


def as_markdown(found: Report) -> str:
    """Return the report as Markdown with tables."""
    return _ENVIRONMENT.get_template("report.md.j2").render(report=found, definitions=DEFINITIONS)


def as_html(found: Report) -> str:
    """Return the report as one self-contained HTML page with charts."""
    charts = [causes_chart(found), downtime_chart(found)]
    return _PAGES.get_template("report.html.j2").render(report=found, charts=charts, definitions=DEFINITIONS)


def causes_chart(found: Report) -> str:
    """Return the incidents by cause and severity as an SVG; "" if there are none."""
    severities = list(found.by_severity)  # worst first
    causes = sorted(found.by_cause)
    counts = [(s, [sum(x.severity == s and x.cause == c for x in found.lines) for c in causes]) for s in severities]
    return bars("Incidents by cause and severity", causes, counts) if causes else ""


def downtime_chart(found: Report) -> str:
    """Return the downtime (minutes) by region as an SVG; "" if no SLA is configured."""
    lost = {a.region: a.downtime.total_seconds() / 60 for a in found.attainment}
    return bars("Minutes of downtime by region", list(lost), [("minutes", list(lost.values()))]) if lost else ""


def as_csv(found: Report) -> str:
    """Return the incidents, one per row; durations in seconds, empty if there is none."""
    rows = _Rows()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(Line.model_fields)
    for line in found.lines:
        writer.writerow(_plain(getattr(line, name)) for name in Line.model_fields)
    return "".join(rows)


class _Rows(list[str]):
    """File-like target of a CSV writer."""

    def write(self, row: str) -> None:
        """Append a row."""
        self.append(row)


def _plain(value: object) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.0f}"
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else csv_cell(str(value))
