"""Evidence sources, one function each. Each yields chunks, so that no large data is held in memory."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from activities.evidence.evidence import NoEvidence, Source
from activities.rollback.deployments import Deployments
from incidents.domain.rollback.activity_requests import CaptureEvidence
from incidents.vendors.errors import VendorError
from incidents.vendors.monitoring.prometheus import PrometheusClient
from incidents.vendors.monitoring.signoz import Signal, SigNozClient
from incidents.vendors.product.flag_audit import FlagAuditClient
from incidents.vendors.product.postgres import Diagnostics
from incidents.vendors.slack.client import Message, SlackClient


def deployments(activities: Deployments) -> Source:
    """Return the source of a cluster's deployment records, from the deployer of runbook.yaml."""

    def read(request: CaptureEvidence) -> Iterator[bytes]:
        deployer = activities.deployer(request.rules)
        if deployer is None:
            raise NoEvidence(activities.why_off(request.rules))
        rows = deployer.history(request.item.query, request.rules)
        if rows is None:
            raise NoEvidence(f"cluster {request.item.query} not found")
        yield _json([row.model_dump(mode="json") for row in rows])

    return read


def metrics(client: PrometheusClient) -> Source:
    """Return the source of one PromQL query's ranges."""

    def read(request: CaptureEvidence) -> Iterator[bytes]:
        scope = request.scope
        step = timedelta(seconds=scope.step_seconds)
        series = client.query_range(request.item.query, scope.since, scope.until, step)
        rows = [
            {"labels": dict(s.labels), "points": [[p.at.isoformat(), str(p.value)] for p in s.points]} for s in series
        ]
        yield _json({"query": request.item.query, "series": rows})

    return read


def signoz(client: SigNozClient, signal: Signal) -> Source:
    """Return the source of the service's log lines, or of its traces: one JSON object per line, newest first."""

    def read(request: CaptureEvidence) -> Iterator[bytes]:
        scope = request.scope
        for row in client.rows(signal, scope.log_service, scope.since, scope.until, scope.most_rows):
            yield _line(row)

    return read


def slack(client: SlackClient) -> Source:
    """Return the source of the channels' transcript with threads: one message per line, newest first."""

    def read(request: CaptureEvidence) -> Iterator[bytes]:
        rooms = [room for room in (request.scope.channel_id, *request.scope.former_channels) if room]
        if not rooms:
            raise NoEvidence("no Slack channel")
        said = ((room, message) for room in rooms for message in client.history(room))
        names: dict[str, str] = {}
        for room, message in islice(said, request.scope.most_rows):
            yield _line(_authored(message, names, client))
            if message.reply_count:
                replies = client.replies(room, message.ts)
                yield from (_line(_authored(reply, names, client)) for reply in replies if reply.ts != message.ts)

    return read


def _authored(message: Message, names: dict[str, str], client: SlackClient) -> dict[str, Any]:
    """Return a message with its author's handle, looked up once per author."""
    if message.by_person and message.user not in names:
        try:
            names[message.user] = client.handle(message.user)
        except VendorError as error:
            if error.retryable:
                raise
            names[message.user] = ""  # the app may not look up users: the user id remains
    return asdict(message) | {"handle": names.get(message.user, "")}


def flag_audit(client: FlagAuditClient) -> Source:
    """Return the source of the product's flag audit."""

    def read(request: CaptureEvidence) -> Iterator[bytes]:
        for entry in client.entries(request.scope.since, request.scope.until, request.scope.most_rows):
            yield _line(entry)

    return read


def database(diagnostics: Diagnostics) -> Source:
    """Return the source of the runbook's diagnosis queries, run read-only on a replica."""

    def read(request: CaptureEvidence) -> Iterator[bytes]:
        yield _json(diagnostics.run())

    return read


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, default=_plain) + "\n").encode()


def _line(value: Any) -> bytes:
    return (json.dumps(value, default=_plain) + "\n").encode()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
