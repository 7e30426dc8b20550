"""Log lines: JSON with the fields of the work they belong to, quiet, and without addresses or secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from incidents.app.telemetry.log_context import LogContext
from incidents.app.telemetry.logs import QUIET, configure_logs
from incidents.app.telemetry.notices import Notices
from incidents.app.telemetry.numbers import remember_number, remember_numbers
from incidents.domain.activity_requests import SendPage
from incidents.domain.core.errors import ErrorType
from tests.support.servers.dev_server import DevServer


class Log:
    """What was written."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def untouched_logging() -> Iterator[None]:
    """Restore what `configure_logs` changes."""
    root = logging.getLogger()
    before = root.handlers, root.level
    quieted = [logging.getLogger(name) for name in (*QUIET, "opentelemetry.exporter")]
    levels = [logger.level for logger in quieted]
    yield
    root.handlers, root.level = before
    for logger, level in zip(quieted, levels, strict=True):
        logger.setLevel(level)
    workflow.logger.workflow_info_on_message = activity.logger.activity_info_on_message = True
    remember_numbers({})


@pytest.fixture
def log(untouched_logging: None) -> Log:
    stream = io.StringIO()
    configure_logs("json", stream)
    return Log(stream)


def test_an_entry_is_one_json_object_with_time_level_and_logger(log: Log) -> None:
    logging.getLogger("gateway").warning("Rejected a request\nof %s", "a stranger")
    [entry] = log.entries
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "Rejected a request of a stranger", "level": "warning", "logger": "gateway"}


def test_libraries_are_quiet_and_we_are_not(log: Log) -> None:
    for name in ("httpx", "slack_sdk.web.base_client", "temporalio.worker._worker"):
        logging.getLogger(name).info("chatter")
    logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter").warning("retrying in 1 s")
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))) as client:
        client.get("https://hooks.example/T0/B0/secret")
    logging.getLogger("spool").info("2 alerts were sent")
    logging.getLogger("spool").debug("not even we")
    assert [entry["event"] for entry in log.entries] == ["2 alerts were sent"]


def test_no_address_is_logged_whoever_logs_it(log: Log) -> None:
    logging.getLogger("x").warning("mail to %s failed", "kim@customer.example")
    try:
        raise ValueError("kim@customer.example is no address")
    except ValueError:
        logging.getLogger("x").exception("failed")
    assert "ValueError" in log.entries[1]["exception"]
    assert "customer.example" not in log.text


def test_for_a_person_a_line_is_plain_text(untouched_logging: None) -> None:
    stream = io.StringIO()
    configure_logs("console", stream)
    logging.getLogger("outage").error("Slack does not answer")
    assert "Slack does not answer" in stream.getvalue()
    assert "\x1b" not in stream.getvalue(), "no colors in a file"


@activity.defn(name="send_page")
def page(request: SendPage) -> None:
    """A synchronous activity, which runs in a thread, as ours do."""
    logging.getLogger("vendor").info("asked")
    raise ApplicationError("pagerduty trigger: 503", type=ErrorType.VENDOR_UNAVAILABLE, non_retryable=True)


@workflow.defn(name="IncidentWorkflow", sandboxed=False)
class Pages:
    @workflow.run
    async def run(self) -> None:
        from datetime import timedelta

        request = SendPage(key="page/0/P0", dedup_key="x", summary="s", source="s", severity="critical")
        await workflow.execute_activity(page, request, start_to_close_timeout=timedelta(seconds=20))


async def test_what_is_logged_within_an_activity_has_its_fields(log: Log, dev_server: DevServer) -> None:
    client = await dev_server.client()
    remember_number("incident-x", 42)
    with ThreadPoolExecutor(1) as threads:
        kinds: dict[str, Any] = {"workflows": [Pages], "activities": [page], "activity_executor": threads}
        async with Worker(client, task_queue="logs", interceptors=[LogContext()], **kinds):
            handle = await client.start_workflow(Pages.run, id="incident-x", task_queue="logs")
            with pytest.raises(Exception, match="failed"):
                await handle.result()
    asked, failed = (entry for entry in log.entries if entry["logger"] in ("vendor", "temporalio.activity"))
    for entry in (asked, failed):
        fields = {name: entry[name] for name in ("incident", "workflow_id", "activity", "attempt")}
        assert fields == {"incident": 42, "workflow_id": "incident-x", "activity": "send_page", "attempt": 1}
    assert asked["obligation"] == "page/0/P0"
    assert failed["event"] == "Attempt failed: pagerduty trigger: 503"
    assert "exception" not in failed, "a vendor's failure needs no traceback"


def test_an_error_of_this_program_keeps_its_traceback(log: Log) -> None:
    def broken() -> None:
        try:
            raise KeyError("x")
        except KeyError:
            activity.logger.warning("Completing activity as failed", exc_info=True)

    ActivityEnvironment().run(broken)
    [entry] = log.entries
    assert "KeyError" in entry["exception"]


@pytest.mark.parametrize(("workflow_id", "number"), [("postmortem-7", 7), ("heartbeat-backup", None)])
def test_a_post_mortem_is_its_incidents(log: Log, workflow_id: str, number: int | None) -> None:
    logging.getLogger("x").warning("late", extra={"temporal_workflow": {"workflow_id": workflow_id}})
    assert log.entries[0].get("incident") == number


def test_what_a_program_says_at_its_start_is_an_entry_where_the_log_is_json(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    Notices("worker", "json").say("Worker 1 ready")
    Notices("worker", "console").say("Worker 2 ready")
    Notices("worker", "json").say("")
    assert [entry["event"] for entry in log.entries] == ["Worker 1 ready"]
    assert capsys.readouterr().err == "Worker 2 ready\n"
