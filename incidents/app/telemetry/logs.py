"""Log lines of worker and gateway: one handler on the root logger, for a person or as JSON.

Code logs by the standard library. Its lines, and those of libraries, get the fields of the work that they belong to:
workflow id, activity, obligation, the incident's number, the trace id. E-mail addresses are removed from all of them.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from incidents.app.telemetry.numbers import number_of
from incidents.domain.core.errors import VENDOR_ERRORS
from incidents.domain.core.text.untrusted import one_line, without_addresses

QUIET = (
    "aiohttp",
    "asyncio",
    "fsspec",
    "httpcore",
    "httpx",
    "python_http_client",
    "slack_bolt",
    "slack_sdk",
    "temporalio.worker",
)
"""Libraries whose INFO is chatter, or names what we call."""
_FROM_TEMPORAL = {
    "temporal_workflow": {"workflow_id": "workflow_id", "run_id": "run_id", "workflow_type": "workflow"},
    "temporal_activity": {"workflow_id": "workflow_id", "activity_type": "activity", "attempt": "attempt"},
}
"""Fields of the SDK's loggers, and what we call them."""
_POSTMORTEM = re.compile(r"postmortem-(\d+)")
_LONGEST = 500


def configure_logs(log_format: str, stream: TextIO | None = None) -> None:
    """Have everything that is logged from INFO on written to standard error.

    Args:
        log_format: `json` for one JSON object per line; anything else for a person to read.
        stream: where else to write.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=list(_FROM_TEMPORAL)),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _failed_attempt,
        _flatten,
        _trace,
        structlog.processors.format_exc_info,
        _without_addresses,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0)
    )
    handler = logging.StreamHandler(stream)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[remove, last], foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)  # each retry while the collector is away
    workflow.logger.workflow_info_on_message = activity.logger.activity_info_on_message = False


def _failed_attempt(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Say in one line that an attempt failed at a vendor: these errors are written for people, without traceback."""
    record: logging.LogRecord = event["_record"]
    error = record.exc_info[1] if record.exc_info else None
    if (
        record.name == activity.logger.logger.name
        and isinstance(error, ApplicationError)
        and error.type in VENDOR_ERRORS
    ):
        event["event"] = f"Attempt failed: {error.message}"
        event.pop("exc_info", None)
    return event


def _flatten(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Put what the SDK knows of its workflow or activity into fields of our own, with the incident's number."""
    for source, names in _FROM_TEMPORAL.items():
        held: Mapping[str, Any] = event.pop(source, None) or {}
        event.update({ours: held[theirs] for theirs, ours in names.items() if theirs in held})
    workflow_id = str(event.get("workflow_id", ""))
    found = _POSTMORTEM.fullmatch(workflow_id)
    number = int(found[1]) if found else number_of(workflow_id)
    if number is not None:
        event.setdefault("incident", number)
    return event


def _trace(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Add the id of the trace in progress, if traces are on."""
    if (api := sys.modules.get("opentelemetry.trace")) is not None:
        context = api.get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = f"{context.trace_id:032x}"
    return event


def _without_addresses(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    event["event"] = one_line(without_addresses(str(event["event"])), _LONGEST)
    if "exception" in event:
        event["exception"] = without_addresses(event["exception"])
    return event
