"""SigNoz: logs and traces of the product, by its query API v5.

Rules of the vendor (its openapi.yml): times are epoch milliseconds; header `SIGNOZ-API-KEY`; errors are
{status: "error", error: {code, message}}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx

from incidents.vendors.access.access import Access
from incidents.vendors.http import VendorHttp, reading

RequestType = Literal["scalar", "time_series", "raw", "trace"]
Signal = Literal["logs", "traces"]
PAGE = 1000
Percentile = Literal["p50", "p75", "p90", "p95", "p99"]


@dataclass(frozen=True)
class LogRow:
    """A log line. `fields`: everything that SigNoz returned."""

    at: datetime
    body: str
    severity: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class LatencyPoint:
    """A latency over one step of time."""

    at: datetime
    milliseconds: float


@dataclass(frozen=True)
class Answer:
    """What SigNoz answers to a query: one result per query, shaped as the API documents for the request type."""

    type: str
    results: tuple[Mapping[str, Any], ...]
    warning: str


class SigNozClient:
    """Reads. `edge_token` is for a SigNoz behind the same edge as the Ops Portal, and for no other."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        edge_token: str = "",
        timeout: float = 20,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"SIGNOZ-API-KEY": api_key} | ({"Authorization": f"Bearer {edge_token}"} if edge_token else {})
        secrets = [api_key, edge_token]
        self._http = VendorHttp(
            "signoz", base_url, timeout=timeout, headers=headers, secrets=secrets, transport=transport
        )

    def query(
        self,
        spec: Mapping[str, Any],
        start: datetime,
        end: datetime,
        *,
        request_type: RequestType = "time_series",
        query_type: str = "builder_query",
    ) -> Answer:
        """One query of any kind (builder_query, promql, clickhouse_sql); `spec` as the API documents it."""
        question = {
            "schemaVersion": "v1",
            "start": _milliseconds(start),
            "end": _milliseconds(end),
            "requestType": request_type,
            "compositeQuery": {"queries": [{"type": query_type, "spec": dict(spec)}]},
        }
        return self._http.fetch("query_range", "POST", "/api/v5/query_range", _answer, writes=False, json=question)

    def check_access(self) -> Access:
        """Ask for one log line of the last minute."""
        now = datetime.now(UTC)
        self.query({"name": "A", "signal": "logs", "limit": 1}, now - timedelta(minutes=1), now, request_type="raw")
        return Access()

    def error_logs(self, service: str, start: datetime, end: datetime, limit: int = 100) -> tuple[LogRow, ...]:
        """The service's newest log lines of severity ERROR and above."""
        where = f"service.name = {quoted(service)} AND severity_text IN ('ERROR', 'FATAL', 'error', 'fatal')"
        spec = {
            "name": "A",
            "signal": "logs",
            "filter": {"expression": where},
            "order": [{"key": {"name": "timestamp", "fieldContext": "log"}, "direction": "desc"}],
            "limit": limit,
        }
        answer = self.query(spec, start, end, request_type="raw")
        with reading("signoz", "error_logs"):
            return tuple(_log(row) for result in answer.results for row in result.get("rows") or ())

    def rows(
        self, signal: Signal, service: str, start: datetime, end: datetime, most: int
    ) -> Iterator[Mapping[str, Any]]:
        """The service's log lines or spans as SigNoz returns them, newest first, page by page, at most so many."""
        offset = 0
        while offset < most:
            limit = min(PAGE, most - offset)
            spec = {
                "name": "A",
                "signal": signal,
                "filter": {"expression": f"service.name = {quoted(service)}"},
                "order": [{"key": {"name": "timestamp"}, "direction": "desc"}],
                "limit": limit,
                "offset": offset,
            }
            answer = self.query(spec, start, end, request_type="raw")
            with reading("signoz", "rows"):
                page = [row for result in answer.results for row in result.get("rows") or ()]
            yield from page
            offset += len(page)
            if len(page) < limit:
                return

    def latency(
        self,
        service: str,
        start: datetime,
        end: datetime,
        *,
        percentile: Percentile = "p99",
        span: str = "",
        step: timedelta = timedelta(minutes=1),
        environment: str = "",
    ) -> tuple[LatencyPoint, ...]:
        """A percentile of the durations of the service's spans (of this name and environment, if any), oldest first."""
        where = f"service.name = {quoted(service)}" + (f" AND name = {quoted(span)}" if span else "")
        where += f" AND deployment.environment = {quoted(environment)}" if environment else ""
        spec = {
            "name": "A",
            "signal": "traces",
            "aggregations": [{"expression": f"{percentile}(duration_nano)", "alias": percentile}],
            "filter": {"expression": where},
            "stepInterval": int(step.total_seconds()),
        }
        answer = self.query(spec, start, end)
        with reading("signoz", "latency"):
            return tuple(sorted(_points(answer), key=lambda point: point.at))


def quoted(text: str) -> str:
    """The text as a literal of SigNoz' filter language."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _answer(body: dict[str, Any]) -> Answer:
    data = body["data"]
    warning = data.get("warning") or {}
    return Answer(str(data["type"]), tuple(data["data"].get("results") or ()), str(warning.get("message") or ""))


def _log(row: Mapping[str, Any]) -> LogRow:
    fields = row.get("data") or {}
    severity = str(fields.get("severity_text") or "")
    return LogRow(datetime.fromisoformat(row["timestamp"]), str(fields.get("body") or ""), severity, fields)


def _points(answer: Answer) -> Iterator[LatencyPoint]:
    for result in answer.results:
        for bucket in result.get("aggregations") or ():
            for series in bucket.get("series") or ():
                for value in series.get("values") or ():
                    at = datetime.fromtimestamp(value["timestamp"] / 1000, UTC)
                    yield LatencyPoint(at, float(value["value"]) / 1e6)
