"""`/signoz/api/v5/query_range`: SigNoz with a few error logs and spans while a bad version runs.

No query engine: of a query its signal, its limit and the region that its filter names are understood.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, json_object, missing, route
from sandbox.state import Credentials, now, timestamp
from sandbox.vendors.product import GOOD_LATENCY_MS, Fleet

REQUEST_TYPES = ("scalar", "time_series", "raw", "raw_stream", "trace")
QUERY_TYPES = ("builder_query", "builder_formula", "builder_trace_operator", "promql", "clickhouse_sql")
ROW_SECONDS, ROW_LIMIT, BAD_LATENCY_MS = 10, 100, 300.0
MESSAGES = (
    "ruleset could not be evaluated: segment index out of range",
    "POST /v1/evaluate 500 in 301ms",
    "panic recovered in eval.Evaluate: nil ruleset",
)


class SigNoz:
    """Logs, p99 latency and error counts that follow from the versions which ran in the window."""

    def __init__(self, credentials: Credentials, fleet: Fleet) -> None:
        self.credentials, self.fleet = credentials, fleet

    def routes(self) -> list[BaseRoute]:
        """Health and v5 queries."""
        return [
            route("/signoz/api/v1/health", self.health),
            route("/signoz/api/v5/query_range", self.query_range, "POST"),
            missing("/signoz", _refusal(404, "not_found", "route not found")),
        ]

    async def health(self, request: Request) -> Response:
        """GET /api/v1/health, without auth."""
        return JSONResponse({"status": "ok"})

    async def query_range(self, request: Request) -> Response:
        """POST /api/v5/query_range with SIGNOZ-API-KEY; start and end are epoch MILLIseconds."""
        if request.headers.get("signoz-api-key") != self.credentials.signoz_api_key:
            raise _refusal(401, "unauthenticated", "invalid or missing api key")
        body = await json_object(request, _invalid("request body is no JSON object"))
        start, end, queries = _checked(body)
        kind = body["requestType"]
        results = [self._result(kind, query["spec"], start, end) for query in queries]
        meta = {"rowsScanned": 0, "bytesScanned": 0, "durationMs": 1}
        return JSONResponse({"status": "success", "data": {"type": kind, "data": {"results": results}, "meta": meta}})

    def _result(self, kind: str, spec: dict[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
        regions = self._regions(spec)
        rows = list(self._error_rows(regions, start, end))
        name = spec.get("name", "A")
        if kind in ("raw", "raw_stream", "trace"):
            limit = min(int(spec.get("limit") or ROW_LIMIT), ROW_LIMIT)
            return {"queryName": name, "rows": rows[::-1][:limit], "nextCursor": ""}
        if kind == "scalar":
            columns = [{"name": "__result_0", "queryName": name, "columnType": "aggregation", "aggregationIndex": 0}]
            return {"queryName": name, "columns": columns, "data": [[len(rows)]]}
        series = [self._latency(region, start, end) for region in regions]
        return {"queryName": name, "aggregations": [{"index": 0, "alias": "__result_0", "series": series}]}

    def _error_rows(self, regions: list[str], start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        """An error row per region for each ten seconds that a bad version ran, oldest first."""
        for moment in _steps(start, min(end, now())):
            for index, region in enumerate(regions):
                if not self.fleet.bad_at(region, moment):
                    continue
                resource = {"service.name": "featuresignals-api", "deployment.environment": region}
                body = MESSAGES[(int(moment.timestamp()) // ROW_SECONDS + index) % len(MESSAGES)]
                data = {"body": body, "severity_text": "ERROR", "resources_string": resource}
                data["attributes_string"] = {
                    "version": self.fleet.version(region, moment),
                    "http.route": "/v1/evaluate",
                }
                yield {"timestamp": timestamp(moment), "data": data}

    def _latency(self, region: str, start: datetime, end: datetime) -> dict[str, Any]:
        values = [
            {
                "timestamp": int(moment.timestamp() * 1000),
                "value": BAD_LATENCY_MS if self.fleet.bad_at(region, moment) else GOOD_LATENCY_MS,
            }
            for moment in _steps(start, end)
        ]
        return {"labels": [{"key": {"name": "deployment.environment"}, "value": region}], "values": values}

    def _regions(self, spec: dict[str, Any]) -> list[str]:
        """The regions that the filter names, all when it names none."""
        text = json.dumps(spec.get("filter") or spec.get("query") or "")
        named = [region for region in self.fleet.regions if re.search(rf"['\"\\]{region}\\?['\"]", text)]
        return named or list(self.fleet.regions)

    def snapshot(self) -> dict[str, Any]:
        """The error rows of the last five minutes."""
        return {"errors": list(self._error_rows(list(self.fleet.regions), now() - timedelta(minutes=5), now()))}


def _steps(start: datetime, end: datetime) -> Iterator[datetime]:
    """The last points of the window, ten seconds apart; the newest is the window's end."""
    count = min(int((end - start).total_seconds() / ROW_SECONDS), ROW_LIMIT)
    for index in range(count, -1, -1):
        yield end - timedelta(seconds=index * ROW_SECONDS)


def _checked(body: dict[str, Any]) -> tuple[datetime, datetime, list[dict[str, Any]]]:
    if body.get("requestType") not in REQUEST_TYPES:
        raise _invalid(f"requestType must be one of {', '.join(REQUEST_TYPES)}")
    start, end = body.get("start"), body.get("end")
    if not isinstance(start, int) or not isinstance(end, int) or start >= end:
        raise _invalid("start and end are required, in milliseconds, start before end")
    queries = (body.get("compositeQuery") or {}).get("queries")
    if not isinstance(queries, list) or not queries:
        raise _invalid("at least one query is required")
    for query in queries:
        if query.get("type") not in QUERY_TYPES or not isinstance(query.get("spec"), dict):
            raise _invalid(f"a query needs a spec and a type of {', '.join(QUERY_TYPES)}")
    # Seconds instead of milliseconds are no error to SigNoz, just a window in January 1970 that holds nothing.
    return datetime.fromtimestamp(start / 1000, UTC), datetime.fromtimestamp(end / 1000, UTC), queries


def _invalid(message: str) -> RefusalError:
    return _refusal(400, "invalid_input", message)


def _refusal(status: int, code: str, message: str) -> RefusalError:
    error = {"type": code, "code": code, "message": message, "errors": [], "suggestions": []}
    return RefusalError(status, {"status": "error", "error": error})
