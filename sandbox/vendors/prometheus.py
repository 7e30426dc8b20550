"""`/prometheus/api/v1`: query and query_range over a few named series.

This is no PromQL engine: an expression is answered by the first known metric that it names, its label matchers applied.
Functions and aggregations around it are ignored, an unknown metric gives an empty result as in Prometheus.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, form_fields, missing, route
from sandbox.state import Options, now
from sandbox.vendors.product import GOOD_LATENCY_MS, Fleet

POINT_LIMIT = 11_000
JOB = "featuresignals-api"
BAD_ERROR_RATIO = 0.8
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
PAIRS = {")": "(", "}": "{", "]": "["}
Sample = Callable[[str, datetime], float]


class Prometheus:
    """What a Prometheus beside the product would have scraped, derived from the versions that ran when."""

    def __init__(self, options: Options, fleet: Fleet) -> None:
        self.options, self.fleet = options, fleet
        self.metrics: dict[str, Sample] = {
            "router_request_duration_seconds": self._latency,
            "fs_evaluation_latency_seconds": self._latency,
            "router_requests_total": self._error_ratio,
            "fs_evaluation_error_ratio": self._error_ratio,
            "probe_success": self._up,
            "up": self._up,
        }

    def routes(self) -> list[BaseRoute]:
        """Both queries by GET or form POST, and readiness; no auth."""
        return [
            route("/prometheus/-/ready", self.ready),
            route("/prometheus/api/v1/query", self.query, "GET", "POST"),
            route("/prometheus/api/v1/query_range", self.query_range, "GET", "POST"),
            missing("/prometheus", RefusalError(404, "404 page not found\n")),
        ]

    async def ready(self, request: Request) -> Response:
        """GET /-/ready."""
        return Response("Prometheus Server is Ready.\n", media_type="text/plain")

    async def query(self, request: Request) -> Response:
        """An instant query: a vector; values are strings."""
        args = await _arguments(request)
        moment = _time(args["time"], "time") if args.get("time") else now()
        rows = [
            {"metric": labels, "value": [moment.timestamp(), _text(sample(labels["region"], moment))]}
            for labels, sample in self._select(args)
        ]
        return _success("vector", rows)

    async def query_range(self, request: Request) -> Response:
        """A range query: a matrix; start, end and step are required, at most 11,000 points a series."""
        args = await _arguments(request)
        start, end = _time(args.get("start", ""), "start"), _time(args.get("end", ""), "end")
        step = _step(args.get("step", ""))
        if end < start:
            raise _bad('invalid parameter "end": end timestamp must not be before start time')
        count = int((end - start).total_seconds() / step) + 1
        if count > POINT_LIMIT:
            raise _bad(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution"
            )
        moments = [datetime.fromtimestamp(start.timestamp() + index * step, UTC) for index in range(count)]
        rows = [
            {"metric": labels, "values": [[m.timestamp(), _text(sample(labels["region"], m))] for m in moments]}
            for labels, sample in self._select(args)
        ]
        return _success("matrix", rows)

    def _select(self, args: dict[str, str]) -> list[tuple[dict[str, str], Sample]]:
        expression = args.get("query", "")
        _check_syntax(expression)
        named = [metric for metric in self.metrics if re.search(rf"\b{metric}(_bucket)?\b", expression)]
        if not named:
            return []
        chosen = [{"__name__": named[0], "job": JOB, "region": region} for region in self.fleet.regions]
        matchers = [found for found in MATCHER.findall(expression) if found[0] in ("job", "region")]
        rows = [labels for labels in chosen if all(_matches(labels, *matcher) for matcher in matchers)]
        return [(labels, self.metrics[named[0]]) for labels in rows]

    def _up(self, region: str, moment: datetime) -> float:
        return 0.0 if self.fleet.bad_at(region, moment) else 1.0

    def _error_ratio(self, region: str, moment: datetime) -> float:
        return BAD_ERROR_RATIO if self.fleet.bad_at(region, moment) else 0.0

    def _latency(self, region: str, moment: datetime) -> float:
        return (self.options.bad_latency_ms if self.fleet.bad_at(region, moment) else GOOD_LATENCY_MS) / 1000

    def snapshot(self) -> dict[str, Any]:
        """The series' values now."""
        moment = now()
        return {
            metric: {region: sample(region, moment) for region in self.fleet.regions}
            for metric, sample in self.metrics.items()
        }


async def _arguments(request: Request) -> dict[str, str]:
    return dict(request.query_params) | (await form_fields(request) if request.method == "POST" else {})


def _matches(labels: dict[str, str], name: str, operator: str, value: str) -> bool:
    given = labels[name]
    positive = re.fullmatch(value, given) is not None if operator.endswith("~") else given == value
    return positive if operator in ("=", "=~") else not positive


def _check_syntax(expression: str) -> None:
    if not expression.strip():
        raise _bad('invalid parameter "query": 1:1: parse error: no expression found in input')
    open_brackets: list[str] = []
    for character in re.sub(r'"[^"]*"', "", expression):
        if character in PAIRS.values():
            open_brackets.append(character)
        elif character in PAIRS and (not open_brackets or open_brackets.pop() != PAIRS[character]):
            raise _bad(f'invalid parameter "query": parse error: unexpected "{character}"')
    if open_brackets or expression.count('"') % 2:
        raise _bad('invalid parameter "query": parse error: unclosed left parenthesis or string')


def _time(text: str, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _bad(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp') from None


def _step(text: str) -> float:
    found = DURATION.fullmatch(text)
    try:
        seconds = float(found[1]) * UNITS[found[2]] if found else float(text)
    except ValueError:
        raise _bad(f'invalid parameter "step": cannot parse "{text}" to a valid duration') from None
    if seconds <= 0:
        raise _bad('invalid parameter "step": zero or negative query resolution step widths are not accepted')
    return seconds


def _text(value: float) -> str:
    return f"{value:g}"


def _success(kind: str, rows: list[dict[str, Any]]) -> Response:
    return JSONResponse({"status": "success", "data": {"resultType": kind, "result": rows}})


def _bad(message: str) -> RefusalError:
    return RefusalError(400, {"status": "error", "errorType": "bad_data", "error": message})
