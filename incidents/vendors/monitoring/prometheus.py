"""Prometheus: queries.

Rules of the vendor (prometheus.io/docs/prometheus/latest/querying/api): a range of more than 11,000 points a series is
refused; values are strings, "NaN" and "+Inf" among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from incidents.vendors.access.access import Access, server_time
from incidents.vendors.http import VendorHttp, reading

POINTS_LIMIT = 11_000


@dataclass(frozen=True)
class Point:
    """A value at a time."""

    at: datetime
    value: float


@dataclass(frozen=True)
class Series:
    """The points of one series, oldest first."""

    labels: Mapping[str, str]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Sample:
    """The value of one series at one time."""

    labels: Mapping[str, str]
    at: datetime
    value: float


class PrometheusClient:
    """Reads. A query goes by POST, since a long one does not fit a URL."""

    def __init__(self, base_url: str, timeout: float = 10, transport: httpx.BaseTransport | None = None) -> None:
        self._http = VendorHttp("prometheus", base_url, timeout=timeout, transport=transport)

    def check_access(self) -> Access:
        """Ask for the value of a constant."""
        answer = self._http.call("query", "POST", "/api/v1/query", writes=False, data={"query": "vector(1)"})
        with reading("prometheus", "query"):
            _samples(answer.json())
        return Access(at=server_time(answer.headers))

    def query(self, expr: str, at: datetime | None = None) -> tuple[Sample, ...]:
        """The values of an expression, now or then. Nothing at that time is no sample."""
        form = {"query": expr} | ({"time": _time(at)} if at else {})
        return self._http.fetch("query", "POST", "/api/v1/query", _samples, writes=False, data=form)

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        """The values of an expression over a time; a step too small for Prometheus' limit is made larger."""
        seconds = max(step.total_seconds(), (end - start).total_seconds() / (POINTS_LIMIT - 1), 0.001)
        form = {"query": expr, "start": _time(start), "end": _time(end), "step": f"{seconds:.3f}"}
        return self._http.fetch("query_range", "POST", "/api/v1/query_range", _matrix, writes=False, data=form)


def _time(moment: datetime) -> str:
    return f"{moment.timestamp():.3f}"


def _point(pair: list[Any]) -> Point:
    return Point(datetime.fromtimestamp(float(pair[0]), UTC), float(pair[1]))


def _samples(answer: dict[str, Any]) -> tuple[Sample, ...]:
    data = answer["data"]
    if data["resultType"] == "scalar":
        point = _point(data["result"])
        return (Sample({}, point.at, point.value),)
    points = ((row["metric"], _point(row["value"])) for row in data["result"])
    return tuple(Sample(labels, point.at, point.value) for labels, point in points)


def _matrix(answer: dict[str, Any]) -> tuple[Series, ...]:
    rows = answer["data"]["result"]
    return tuple(Series(row["metric"], tuple(_point(pair) for pair in row["values"])) for row in rows)
